"""Copies of images within and across splits, and copies that are labelled differently."""

import numpy as np

from vision_app.health.duplicates import NEAR, Pair
from vision_app.health.evidence import Evidence
from vision_app.health.findings import KEPT_ITEMS, Finding, Item

SMALLEST_SIDE = 16  # pixels


def find_exact(evidence: Evidence) -> tuple[Item, ...]:
    """Return images that are there twice, byte for byte or pixel for pixel."""
    return tuple(_item(evidence, pair) for pair in evidence.pairs if pair.exact)


def find_near(evidence: Evidence) -> Finding:
    """Find near copies, those across splits first, the likeliest before the others.

    Of very small pictures so many look alike that copies cannot be told from them.
    """
    sizes = evidence.look.sizes[evidence.look.good]
    if np.median(sizes.min(1)) < SMALLEST_SIDE:
        height, width = np.median(sizes, axis=0).astype(int)
        said = f"Pictures of {width} × {height} pixels are too small to tell copies from look-alikes."
        return Finding(kind="near_duplicate", count=0, detail=said)
    likely = [pair for pair in evidence.pairs if not pair.exact and pair.score >= NEAR]
    items = tuple(_item(evidence, pair) for pair in likely[:KEPT_ITEMS])
    return Finding(kind="near_duplicate", count=len(likely), items=items)


def find_conflicts(evidence: Evidence) -> tuple[Item, ...]:
    """Return copies whose labels differ."""
    labels = evidence.look.labels
    copies = {pair for pair in evidence.pairs if pair.exact}
    near = {(item.split, item.index) for item in find_near(evidence).items}
    conflicts = [
        pair
        for pair in evidence.pairs
        if labels[pair.first] != labels[pair.second] and (pair in copies or _key(evidence, pair) in near)
    ]
    return tuple(_item(evidence, pair) for pair in conflicts)


def _key(evidence: Evidence, pair: Pair) -> tuple[str, int]:
    place = evidence.look.place(pair.first)
    return place.split, place.index


def _item(evidence: Evidence, pair: Pair) -> Item:
    look = evidence.look
    label, other = (look.dataset.classes[look.labels[position]] for position in (pair.first, pair.second))
    first, second = look.place(pair.first), look.place(pair.second)
    where = "in the same split" if first.split == second.split else f"in {second.split}"
    said = f"{'Exact' if pair.exact else 'Near'} copy {where}" + (
        f": {label} here, {other} there" if label != other else ""
    )
    return look.item(pair.first, pair.score, partner=second, detail=said)
