"""Copies of images within and across splits, and copies that are labelled differently."""

import numpy as np

from vision_app.health.duplicates import NEAR, Pair
from vision_app.health.evidence import Evidence
from vision_app.health.findings import KEPT_ITEMS, Finding, Item

SMALLEST_SIDE = 16  # pixels


def find_exact(evidence: Evidence) -> tuple[Item, ...]:
    """Return images that are there twice, byte for byte or pixel for pixel."""
    return tuple(_item(evidence, pair) for pair in evidence.exact_pairs)


def find_near(evidence: Evidence) -> Finding:
    """Find near copies, those across splits first, the likeliest before the others."""
    near = _near(evidence)
    if near is None:
        height, width = np.median(evidence.look.sizes[evidence.look.good], axis=0).astype(int)
        said = f"Pictures of {width} × {height} pixels are too small to tell copies from look-alikes."
        return Finding(kind="near_duplicate", count=0, detail=said)
    items = tuple(_item(evidence, pair) for pair in near[:KEPT_ITEMS])
    return Finding(kind="near_duplicate", count=len(near), items=items)


def find_conflicts(evidence: Evidence) -> tuple[Item, ...]:
    """Return copies whose labels differ."""
    labels = evidence.look.labels
    copies = evidence.exact_pairs + (_near(evidence) or [])
    return tuple(_item(evidence, pair) for pair in copies if labels[pair.first] != labels[pair.second])


def can_tell(sizes: np.ndarray) -> bool:
    """Whether pictures of these heights and widths (n, 2) are large enough to tell near copies from look-alikes."""
    return bool(np.median(sizes.min(1)) >= SMALLEST_SIDE)


def _near(evidence: Evidence) -> list[Pair] | None:
    """Return the near copies, or None for pictures so small that too many look alike."""
    if not can_tell(evidence.look.sizes[evidence.look.good]):
        return None
    return [pair for pair in evidence.pairs if not pair.exact and pair.score >= NEAR]


def _item(evidence: Evidence, pair: Pair) -> Item:
    look = evidence.look
    label, other = (look.dataset.classes[look.labels[position]] for position in (pair.first, pair.second))
    first, second = look.place(pair.first), look.place(pair.second)
    where = "in the same split" if first.split == second.split else f"in {second.split}"
    said = f"{'Exact' if pair.exact else 'Near'} copy {where}" + (
        f": {label} here, {other} there" if label != other else ""
    )
    return look.item(pair.first, pair.score, partner=second, detail=said)
