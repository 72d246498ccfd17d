"""Dividing labelled images into parts."""

import numpy as np


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


def train_validation_split(
    labels: np.ndarray, fraction: float, seed: int, limit: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Divide a training split into training and validation positions, stratified by class.

    Args:
        labels: class of each image, shape (n,).
        fraction: share for validation.
        seed: the run's seed.
        limit: keep only about so many images in all, stratified too.
    """
    chosen = np.arange(len(labels))
    if limit is not None and limit < len(labels):
        chosen = _draw(labels, limit / len(labels), seed, spare=0)
    kept, aside = stratified_holdout(labels[chosen], fraction, seed)
    return chosen[kept], chosen[aside]


def _draw(labels: np.ndarray, fraction: float, seed: int, spare: int) -> np.ndarray:
    """Return sorted positions of a share of every class: at least one image, and at least `spare` left over."""
    generator = np.random.default_rng(seed)
    drawn = []
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        count = min(max(1, round(len(members) * fraction)), len(members) - spare)
        drawn.append(members[:count])
    return np.sort(np.concatenate(drawn)) if drawn else np.empty(0, np.int64)
