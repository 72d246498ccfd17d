"""Copies of images within and across splits, and copies that are labelled differently."""

from vision_app.health.duplicates import NEAR, Pair
from vision_app.health.evidence import Evidence
from vision_app.health.findings import Item


def find_exact(evidence: Evidence) -> tuple[Item, ...]:
    """Return images that are there twice, byte for byte or pixel for pixel."""
    return tuple(_item(evidence, pair) for pair in evidence.pairs if pair.exact)


def find_near(evidence: Evidence) -> tuple[Item, ...]:
    """Return near copies, the likeliest first; those across splits before those within one of equal score."""
    near = [pair for pair in evidence.pairs if not pair.exact]
    likely = [pair for pair in near if pair.score >= NEAR]
    return tuple(_item(evidence, pair) for pair in likely)


def find_conflicts(evidence: Evidence) -> tuple[Item, ...]:
    """Return copies whose labels differ."""
    labels = evidence.look.labels
    conflicts = [pair for pair in evidence.pairs if pair.score >= NEAR and labels[pair.first] != labels[pair.second]]
    return tuple(_item(evidence, pair) for pair in conflicts)


def _item(evidence: Evidence, pair: Pair) -> Item:
    look = evidence.look
    label, other = (look.dataset.classes[look.labels[position]] for position in (pair.first, pair.second))
    first, second = look.place(pair.first), look.place(pair.second)
    where = "in the same split" if first.split == second.split else f"in {second.split}"
    said = f"{'Exact' if pair.exact else 'Near'} copy {where}" + (
        f": {label} here, {other} there" if label != other else ""
    )
    return look.item(pair.first, pair.score, partner=second, detail=said)
