"""Images that look like no class: far from the members of every class, or of unlikely brightness, contrast or grain."""

import numpy as np

from vision_app.errors import InputError
from vision_app.health.features import grey
from vision_app.health.neighbours import nearest

NEIGHBOURS = 10
REFERENCES = 10_000
SUSPICIOUS = 3.5  # deviations; Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993
LEAST_SPREAD = 1e-6


def outlier_scores(
    features: np.ndarray, labels: np.ndarray, thumbs: np.ndarray | None = None, seed: int = 0
) -> np.ndarray:
    """Say how little each image looks like any class, compared with the other images.

    Mean cosine to the ten nearest members of the class that it resembles most, after deep nearest neighbours (Sun et
    al., ICML 2022). Class by class, because strangers of one kind would find each other among all images.

    Args:
        features: shape (n, d). Best: a network's and the gradients and colours, each of unit length, side by side.
        labels: shape (n,).
        thumbs: uint8, shape (n, height, width, 1 or 3); with them, blank images and noise are found as well.
        seed: decides which 10,000 images are compared with, if there are more.

    Returns:
        float64, shape (n,): robust standard deviations above the median; from SUSPICIOUS on it is worth a look.

    Raises:
        InputError: other shapes.
    """
    if features.ndim != 2 or labels.shape != features.shape[:1]:
        raise InputError(f"Expected features (n, d) and labels (n,), got {features.shape} and {labels.shape}.")
    if thumbs is not None and len(thumbs) != len(features):
        raise InputError(f"Expected {len(features)} thumbs, one for each vector, got {len(thumbs)}.")
    scores = _deviation(-_likeness(join_features(features), labels, seed))
    return scores if thumbs is None else np.maximum(scores, _grain(thumbs))


def join_features(*features: np.ndarray) -> np.ndarray:
    """Put descriptions of different kinds side by side, each of unit length: arrays (n, d1), (n, d2), ... to (n, d)."""
    parts = [part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12) for part in features]
    return (np.hstack(parts) / np.sqrt(len(parts))).astype(np.float32)


def _likeness(vectors: np.ndarray, labels: np.ndarray, seed: int) -> np.ndarray:
    """Return the mean cosine to the nearest members, other than itself, of the class that an image resembles most."""
    chosen = np.random.default_rng(seed).permutation(len(vectors))[:REFERENCES]
    best = np.full(len(vectors), -1.0)
    for label in np.unique(labels[chosen]):
        members = chosen[labels[chosen] == label]
        indices, products = nearest(vectors, vectors[members], NEIGHBOURS + 1)
        products = np.where(members[indices] == np.arange(len(vectors))[:, None], -np.inf, products)
        products = -np.sort(-products, 1)[:, :NEIGHBOURS]
        counted = np.isfinite(products)
        mean = np.where(counted, products, 0).sum(1, dtype=np.float64) / np.maximum(counted.sum(1), 1)
        best = np.maximum(best, np.where(counted.any(1), mean, -1))
    return best


def _grain(thumbs: np.ndarray) -> np.ndarray:
    """Return how unusual an image's brightness, contrast and grain are: the largest deviation of the three."""
    greys = grey(thumbs)
    contrast = greys.std((1, 2))
    steps = np.abs(np.diff(greys, axis=1)).mean((1, 2)) + np.abs(np.diff(greys, axis=2)).mean((1, 2))
    measures = greys.mean((1, 2)), np.log(contrast + 1), np.log((steps + 1) / (contrast + 1))
    return np.max([np.abs(_deviation(measure)) for measure in measures], axis=0)


def _deviation(values: np.ndarray) -> np.ndarray:
    """Return modified z-scores, by the median and the wider half of the middle half: most measures are skewed."""
    if not len(values):
        return np.zeros(0)
    low, middle, high = np.percentile(values, [25, 50, 75])
    spread = max(high - middle, middle - low, LEAST_SPREAD) * 1.4826
    return (values - middle) / spread
