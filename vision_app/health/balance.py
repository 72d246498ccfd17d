"""How many images each class has, in each split."""

import numpy as np

from vision_app.health.findings import Finding
from vision_app.health.look import Look

LARGEST_RATIO = 3.0


def find_missing_classes(look: Look) -> Finding:
    """Find the classes that have no readable image in a split."""
    missing = []
    for part in look.parts:
        counts = np.bincount(part.labels[part.is_good], minlength=len(look.dataset.classes))
        missing += [f"{look.dataset.classes[label]} in {part.name}" for label in np.flatnonzero(counts == 0)]
    return Finding(kind="class_missing", count=len(missing), detail=_listed(missing))


def find_imbalance(look: Look) -> Finding:
    """Find the classes with less than a third of the training images of the largest class."""
    train = look.parts[0]
    counts = np.bincount(train.labels[train.is_good], minlength=len(look.dataset.classes))
    few = [label for label in np.argsort(counts) if counts[label] * LARGEST_RATIO < counts.max()]
    said = [f"{look.dataset.classes[label]} {counts[label]:,}" for label in few]
    largest = look.dataset.classes[int(counts.argmax())]
    detail = f"{_listed(said)}; {largest} has {counts.max():,}" if said else ""
    return Finding(kind="imbalance", count=len(few), detail=detail)


def _listed(said: list[str]) -> str:
    return ", ".join(said[:12]) + (f" and {len(said) - 12} more" if len(said) > 12 else "")
