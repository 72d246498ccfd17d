"""Batches for training: shuffled, augmented, seeded, the same for every Keras backend."""

from collections.abc import Callable

import numpy as np

from vision_app.data.augment import Augmenter
from vision_app.data.prepared import Prepared

Synthesize = Callable[[np.ndarray, np.random.Generator], np.ndarray]


class TrainingBatches:
    """The batches of one epoch after another; each epoch has its own order and its own random changes.

    Args:
        images: uint8, shape (n, size, size, channels); an array, or anything that is read by positions like one.
        labels: shape (n,).
        batch_size: images a batch; a smaller last batch is dropped unless it is the only one.
        seed: the run's seed; order and changes depend on it and on the epoch alone.
        augmenter: random changes, or None.
        synthetic: share of images replaced by generated ones of the same class.
        synthesize: (labels, generator) -> images as the network receives them; needed for a synthetic share.
        num_classes: needed where the augmenter mixes classes.
    """

    def __init__(
        self,
        images: Prepared,
        labels: np.ndarray,
        batch_size: int,
        seed: int,
        augmenter: Augmenter | None,
        synthetic: float = 0.0,
        synthesize: Synthesize | None = None,
        num_classes: int = 0,
    ) -> None:
        self.images, self.labels = images, labels.astype(np.int32)
        self.batch_size = min(batch_size, len(images))
        self.seed, self.augmenter = seed, augmenter
        self.synthetic, self.synthesize = synthetic, synthesize
        self.num_classes = num_classes
        self.start_epoch(0)

    def __len__(self) -> int:
        return len(self.images) // self.batch_size

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for the given epoch, counted from 0."""
        self.epoch = epoch
        self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.images))
        self.turn = np.random.default_rng(self.seed).random(len(self.images)) < 0.5
        if epoch % 2:
            self.turn = ~self.turn

    def batch(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return images (batch, size, size, channels) uint8 and labels (batch,) int32.

        Where the augmenter mixes classes, the labels are their shares instead, float32 (batch, num_classes).
        """
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        images, generator = self.images[chosen], np.random.default_rng([self.seed, self.epoch, index])
        if self.synthesize and self.synthetic:
            replaced = np.flatnonzero(generator.random(len(images)) < self.synthetic)
            if len(replaced):
                images[replaced] = self.synthesize(self.labels[chosen[replaced]], generator)
        if self.augmenter and self.augmenter.mixes_labels:
            labels = self.labels[chosen]
            return self.augmenter.with_labels(images, labels, self.num_classes, generator, self.turn[chosen])
        if self.augmenter:
            images = self.augmenter(images, generator, self.turn[chosen])
        return images, self.labels[chosen]
