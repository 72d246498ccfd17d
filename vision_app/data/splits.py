"""Dividing labelled images into parts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vision_app.errors import InputError


def stratified_holdout(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Set aside the same share of every class.

    Args:
        labels: class of each image, shape (n,).
        fraction: share to set aside, between 0 and 1; at least one image of each class that has two.
        seed: the same seed gives the same division.

    Returns:
        Positions kept and positions set aside, each sorted.
    """
    aside = _draw(labels, fraction, seed, spare=1)
    return np.setdiff1d(np.arange(len(labels)), aside), aside


def draw_limited(labels: np.ndarray, limit: int | None, seed: int) -> np.ndarray:
    """Return sorted positions of about so many images, the same share of every class; all without a limit."""
    if limit is None or limit >= len(labels):
        return np.arange(len(labels))
    return _draw(labels, limit / len(labels), seed, spare=0)


def _draw(labels: np.ndarray, fraction: float, seed: int, spare: int) -> np.ndarray:
    """Return sorted positions of a share of every class: at least one image, and at least `spare` left over."""
    generator = np.random.default_rng(seed)
    drawn = []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        count = min(max(1, round(len(members) * fraction)), len(members) - spare)
        drawn.append(members[:count])
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, np.int64)


@dataclass(frozen=True)
class SplitRule:
    """How a set that its publisher did not divide is divided: shares of train, validation and test, stratified by class.

    Args:
        train, validation, test: shares, which sum to 1; train and test are above 0.
        seed: the same seed gives the same division.
        smallest: fewest images that a class must have.
        largest: most images that are taken of a class; None: all.
    """

    train: float = 0.7
    validation: float = 0.15
    test: float = 0.15
    seed: int = 0
    smallest: int = 3
    largest: int | None = None

    def check(self) -> None:
        """Refuse shares that make no sense.

        Raises:
            InputError: names the shares.
        """
        shares = (self.train, self.validation, self.test)
        said = " + ".join(f"{share:g}" for share in shares)
        if not abs(sum(shares) - 1) < 1e-6:
            raise InputError(f"The shares of train, validation and test must sum to 1, got {said} = {sum(shares):g}.")
        if min(shares) < 0 or not self.train or not self.test:
            raise InputError(f"Train and test need a share above 0, and validation none below, got {said}.")
        if self.largest is not None and self.largest < max(1, self.smallest):
            raise InputError(f"The most images a class, {self.largest}, is below the fewest, {self.smallest}.")


def make_splits(
    labels: np.ndarray, classes: Sequence[str], rule: SplitRule, groups: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Divide images into train, validation and test.

    Args:
        labels: class of each image, shape (n,).
        classes: names of the classes.
        rule: the shares and limits.
        groups: a number for each image, shape (n,); images of one number stay on one side, as near-duplicates must.

    Returns:
        Sorted positions by split; one with a share of 0 is left out.

    Raises:
        InputError: impossible shares, or a class with too few images; the message has the counts.
    """
    rule.check()
    counts = np.bincount(labels, minlength=len(classes))
    wanted = {name: share for name in ("train", "validation", "test") if (share := getattr(rule, name))}
    fewest = max(rule.smallest, len(wanted))
    if (counts < fewest).any():
        few = ", ".join(f"{classes[i]} {counts[i]}" for i in np.flatnonzero(counts < fewest)[:10])
        raise InputError(f"Every class needs at least {fewest} images to be divided; too few: {few}.")
    hint = "use other shares" if groups is None else "use other shares, or do not keep copies together"
    groups = np.arange(len(labels)) if groups is None else groups
    generator = np.random.default_rng(rule.seed)
    chosen: dict[str, list[np.ndarray]] = {name: [] for name in wanted}
    for label in range(len(classes)):
        members = _limited(np.flatnonzero(labels == label), rule.largest, generator)
        for name, part in _divide(members, groups, wanted, generator).items():
            chosen[name].append(part)
    splits = {name: np.sort(np.concatenate(parts)) for name, parts in chosen.items()}
    _keep_together(splits, groups)
    for name, positions in splits.items():
        missing = np.flatnonzero(np.bincount(labels[positions], minlength=len(classes)) == 0)
        if len(missing):
            raise InputError(f"No image of {', '.join(classes[i] for i in missing[:10])} would be in {name}; {hint}.")
    return splits


def _limited(members: np.ndarray, largest: int | None, generator: np.random.Generator) -> np.ndarray:
    if largest is None or len(members) <= largest:
        return members
    return np.sort(generator.permutation(members)[:largest])


def _divide(
    members: np.ndarray, groups: np.ndarray, wanted: dict[str, float], generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """Divide one class: its groups in random order fill test and validation to their size, the rest is for training."""
    sizes = {name: max(1, round(share * len(members))) for name, share in wanted.items() if name != "train"}
    own: dict[int, list[int]] = {}
    for member, group in zip(members.tolist(), groups[members].tolist(), strict=True):
        own.setdefault(group, []).append(member)
    together = list(own.values())
    parts: dict[str, list[int]] = {name: [] for name in wanted}
    for place, index in enumerate(generator.permutation(len(together)), 1):
        fill = next((name for name in sizes if len(parts[name]) < sizes[name] and place < len(together)), "train")
        parts[fill] += together[index]
    return {name: np.array(part, np.int64) for name, part in parts.items()}


def _keep_together(splits: dict[str, np.ndarray], groups: np.ndarray) -> None:
    """Move images whose group lies on several sides, as duplicates with different labels do, to training."""
    where: dict[int, str] = {}
    torn = set()
    for name, positions in splits.items():
        for group in np.unique(groups[positions]).tolist():
            if where.setdefault(group, name) != name:
                torn.add(group)
    if torn:
        loose = {name: np.isin(groups[positions], list(torn)) for name, positions in splits.items()}
        moved = np.concatenate([splits[name][loose[name]] for name in splits])
        for name in splits:
            splits[name] = splits[name][~loose[name]]
        splits["train"] = np.sort(np.concatenate([splits["train"], moved]))
