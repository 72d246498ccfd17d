"""What the checks look at: small pictures of all splits in a row, with everything known about each of them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vision_app.data.dataset import Dataset
from vision_app.data.datasets import load_split
from vision_app.data.download import Progress
from vision_app.data.images import FileImages
from vision_app.data.prepared import NoPictures, Preparation, Stored, prepare
from vision_app.health.findings import Item, Place

SIDE = 32


@dataclass
class Part:
    """One published split as the checks see it."""

    name: str
    images: np.ndarray | FileImages
    labels: np.ndarray
    thumbs: np.ndarray
    is_good: np.ndarray
    sizes: np.ndarray
    digests: np.ndarray | None


class Look:
    """All published splits of a dataset, one after the other.

    Args:
        dataset: whose.
        progress: called with the share done and a sentence.
    """

    def __init__(self, dataset: Dataset, progress: Progress) -> None:
        self.dataset, self.progress = dataset, progress
        self.parts = [_part(dataset, split, progress) for split in dataset.counts]
        self.starts = np.cumsum([0, *(len(part.labels) for part in self.parts)])
        self.labels = np.concatenate([part.labels for part in self.parts])
        self.is_good = np.concatenate([part.is_good for part in self.parts])
        self.sizes = np.concatenate([part.sizes for part in self.parts])
        self.splits = np.repeat(np.arange(len(self.parts)), np.diff(self.starts))

    @cached_property
    def good(self) -> np.ndarray:
        """Positions of the pictures that can be read."""
        return np.flatnonzero(self.is_good)

    @cached_property
    def thumbs(self) -> np.ndarray:
        """Small pictures (n, 32, 32, channels) uint8 of all; black where one cannot be read."""
        return np.concatenate([part.thumbs for part in self.parts])

    @property
    def digests(self) -> np.ndarray | None:
        """Digests (n, 32) of the files, or None for images that come from arrays."""
        if self.parts[0].digests is None:
            return None
        return np.concatenate([part.digests for part in self.parts])

    def place(self, position: int) -> Place:
        """Return where an image is in its published split."""
        part = int(self.splits[position])
        return Place(split=self.parts[part].name, index=int(position - self.starts[part]))

    def item(self, position: int, score: float = 1.0, **more: object) -> Item:
        """Return an image as an item of a finding."""
        place = self.place(position)
        images = self.parts[int(self.splits[position])].images
        file = images.names[place.index] if isinstance(images, FileImages) else None
        return Item(**place.model_dump(), file=file, score=round(float(score), 6), **more)

    def read(self, position: int) -> np.ndarray:
        """Return an image as it is. Raises InputError if it cannot be read."""
        place = self.place(position)
        return self.parts[int(self.splits[position])].images[place.index]


def _part(dataset: Dataset, split: str, progress: Progress) -> Part:
    images, labels = load_split(dataset.name, split, progress)
    channels = dataset.image_shape[2] if dataset.image_shape else 3
    try:
        ready = prepare(images, Preparation(SIDE, channels, "stretch"), progress)
    except NoPictures:
        nothing = np.zeros((len(images), SIDE, SIDE, channels), np.uint8)
        sizes = np.zeros((len(images), 2), np.int32)
        return Part(split, images, labels, nothing, np.zeros(len(images), bool), sizes, sizes[:, :1].repeat(32, 1))
    if isinstance(ready, Stored):
        return Part(split, images, labels, ready[:], ready.is_good, ready.sizes, ready.digests)
    sizes = np.tile(np.int32(images.shape[1:3]), (len(images), 1))
    return Part(split, images, labels, ready[:], np.ones(len(images), bool), sizes, None)


def ranked(look: Look, scores: np.ndarray, threshold: float, detail: Callable[[int], str]) -> tuple[Item, ...]:
    """Return the readable images whose score is above a threshold, the highest first.

    Args:
        scores: shape (n,) for all images of the look.
        detail: position -> what is the matter, in words.
    """
    chosen = look.good[scores[look.good] > threshold]
    order = chosen[np.argsort(-scores[chosen], kind="stable")]
    return tuple(look.item(position, scores[position], detail=detail(int(position))) for position in order)
