"""Mixup: images and their labels, averaged with those of others (Zhang et al., arXiv:1710.09412)."""

import numpy as np


def mixup(
    images: np.ndarray, alpha: float, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Average each image with a partner of the same batch.

    Args:
        images: uint8 (n, h, w, c).
        alpha: of the Beta(alpha, alpha) distribution that each image's weight is drawn from; the larger, the more mixed.
        generator: draws weights and partners.

    Returns:
        The mixed images, uint8; each one's partner, its position (n,); and the weight (n,) that the image itself kept.
    """
    n = len(images)
    weights, partners = generator.beta(alpha, alpha, n).astype(np.float32), generator.permutation(n)
    own = weights[:, None, None, None]
    mixed = own * images + (1 - own) * images[partners]
    return np.round(mixed).astype(np.uint8), partners, weights


def mix(images: np.ndarray, alpha: float, generator: np.random.Generator) -> np.ndarray:
    """Return the mixed images alone, as a preview shows them."""
    return mixup(images, alpha, generator)[0]


def one_hot(labels: np.ndarray, num_classes: int) -> np.ndarray:
    """Return labels (n,) as shares of the classes, float32 (n, num_classes)."""
    return np.eye(num_classes, dtype=np.float32)[labels]


def mix_labels(labels: np.ndarray, num_classes: int, partners: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return each mixed image's shares of the classes, float32 (n, num_classes); they sum to 1."""
    shares = one_hot(labels, num_classes)
    return weights[:, None] * shares + (1 - weights[:, None]) * shares[partners]
