"""The images of a run's training, validation and test parts, as its network receives them."""

from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from vision_app.config import RunConfig
from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.download import Progress
from vision_app.data.patch import patched
from vision_app.data.prepared import Chosen, Joined, Preparation, Prepared, Stored, prepare
from vision_app.data.splits import draw_limited, stratified_holdout
from vision_app.edits import Patch
from vision_app.errors import InputError


@dataclass(frozen=True)
class Ready:
    """One part of a dataset, ready for a network.

    Args:
        images: as the network receives them.
        labels: int64 (n,).
        originals: the images as they were published, or the digests (n, 32) of their files; tells exactly which these are.
        num_broken: pictures of the part that cannot be read and are left out.
    """

    images: Prepared
    labels: np.ndarray
    originals: np.ndarray
    num_broken: int = 0

    def __len__(self) -> int:
        return len(self.labels)

    def choose(self, positions: np.ndarray) -> "Ready":
        """Return some of it, in this order."""
        return Ready(Chosen(self.images, positions), self.labels[positions], self.originals[positions], self.num_broken)

    def join(self, other: "Ready") -> "Ready":
        """Return both, this one first."""
        return Ready(
            Joined(self.images, other.images),
            np.concatenate([self.labels, other.labels]),
            np.concatenate([self.originals, other.originals]),
            self.num_broken + other.num_broken,
        )


def ready_split(config: RunConfig, dataset: str, split: str, progress: Progress | None = None) -> Ready:
    """Return a split as the config's corrections leave it, without the pictures that cannot be read.

    Args:
        config: says size, channels and fit.
        dataset: as for `find_dataset`.
        split: "train", "validation" or "test".
        progress: called while files are fetched or decoded.

    Raises:
        InputError: the dataset cannot be read.
    """
    edits = config.patch if dataset == config.dataset else ()
    return _with_moved(_published(config, dataset, split, edits, progress), config, dataset, split, progress)


def _with_moved(part: Ready, config: RunConfig, dataset: str, split: str, progress: Progress | None) -> Ready:
    """Return a part with what the corrections move into its split."""
    edits = config.patch if dataset == config.dataset else ()
    for source in sorted({edit.split for edit in edits if edit.action == "move" and edit.to == split}):
        part = part.join(_published(config, dataset, source, edits, progress, to=split))
    if not len(part):
        raise InputError(
            f"No image is left in {split}: the corrections leave all of them out, or move them; undo some."
        )
    return part


def _published(
    config: RunConfig, dataset: str, split: str, edits: Patch, progress: Progress | None, to: str | None = None
) -> Ready:
    """Return what stays of a published split, or what moves from it `to` another."""
    images, labels = load_split(dataset, split, progress)
    ready = prepare(images, Preparation(config.input_size, config.channels, config.fit), progress)
    chosen, labels, leaves = patched(split, labels, config.classes, edits)
    if to is not None:
        chosen = leaves.get(to, np.empty(0, np.int64))
    if not isinstance(ready, Stored):
        whole = Ready(ready, labels, images)
        return whole if len(chosen) == len(labels) else whole.choose(chosen)
    good = chosen[ready.is_good[chosen]]
    part = Ready(ready, labels, ready.digests).choose(good)
    return replace(part, num_broken=len(chosen) - len(good))


def ready_training(
    config: RunConfig, progress: Progress | None = None, dataset: str | None = None
) -> tuple[Ready, Ready]:
    """Return the images to train on and those to validate on, as a config divides them.

    A validation split that the publisher set aside is used; else a share of the training split, stratified and seeded.

    Raises:
        InputError: the dataset cannot be read, or has a class without any training image.
    """
    name = dataset or config.dataset
    train = ready_split(config, name, "train", progress)
    chosen = draw_limited(train.labels, config.train_limit, config.seed)
    _check_classes(config, train.labels[chosen])
    if "validation" in find_dataset(name).counts:
        return train.choose(chosen), ready_split(config, name, "validation", progress)
    kept, aside = stratified_holdout(train.labels[chosen], config.validation_fraction, config.seed)
    if not len(aside):
        raise InputError(
            f"{len(chosen):,} training images of {len(config.classes)} classes leave none to validate on; add images."
        )
    validation = _with_moved(train.choose(chosen[aside]), config, name, "validation", progress)
    return train.choose(chosen[kept]), validation


def fingerprint(*parts: Ready) -> str:
    """Return a hash of exactly these images and labels, 32 hexadecimal digits."""
    digest = sha256()
    for part in parts:
        digest.update(str(part.originals.shape).encode())
        digest.update(np.ascontiguousarray(part.originals))
        digest.update(np.ascontiguousarray(part.labels, dtype="<i8"))
    return digest.hexdigest()[:32]


def _check_classes(config: RunConfig, labels: np.ndarray) -> None:
    counts = np.bincount(labels, minlength=len(config.classes))
    if (counts == 0).any():
        missing = ", ".join(config.classes[i] for i in np.flatnonzero(counts == 0)[:10])
        raise InputError(
            f"Every class needs images to learn from; none of {missing} among {len(labels):,} training images "
            f"(the smallest other class has {counts[counts > 0].min():,})."
        )
