"""Hands images to Keras: those to learn from in the order and with the changes of each epoch, all others as they come."""

from typing import Any

import keras
import numpy as np

from vision_app.data.augment_mix import one_hot
from vision_app.data.pipeline import TrainingBatches
from vision_app.data.ready import Ready
from vision_app.export.batches import as_dataset

EVALUATION_BATCH = 500  # images at the most
EVALUATION_PIXELS = 2_000_000  # in a batch: what a network makes of large pictures would not fit into the memory


class _Learning(keras.utils.PyDataset):
    """The batches of an epoch, or so many, over and over."""

    def __init__(self, batches: TrainingBatches, steps: int | None) -> None:
        super().__init__()
        self.batches, self.steps = batches, steps or len(batches)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.batches.batch(index % len(self.batches))


class _InOrder(keras.utils.PyDataset):
    """Images in their order; with a number of classes, one-hot labels."""

    def __init__(self, part: Ready, num_classes: int) -> None:
        super().__init__()
        self.part, self.num_classes, self.size = part, num_classes, evaluation_batch(part.images.shape[1])

    def __len__(self) -> int:
        return -(-len(self.part) // self.size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = slice(index * self.size, (index + 1) * self.size)
        labels = self.part.labels[chosen]
        return self.part.images[chosen], one_hot(labels, self.num_classes) if self.num_classes else labels


def evaluation_batch(side: int) -> int:
    """Return how many images of so many pixels a side are answered at once."""
    return max(1, min(EVALUATION_BATCH, EVALUATION_PIXELS // side**2))


def to_learn_from(batches: TrainingBatches, steps: int | None = None) -> Any:
    """Return what `fit` takes: the batches of an epoch; or so many, beginning anew after the last."""
    return _for_keras(_Learning(batches, steps))


def to_answer(part: Ready, num_classes: int = 0) -> Any:
    """Return what `fit` takes for validation, and `predict`: a part in its order; with a number of classes, one-hot labels."""
    return _for_keras(_InOrder(part, num_classes))


def _for_keras(batches: keras.utils.PyDataset) -> Any:
    return as_dataset(batches) if keras.backend.backend() == "tensorflow" else batches
