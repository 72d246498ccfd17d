"""Averaging answers over shifted and mirrored copies of an image: a better, slower answer, counted beside the plain one."""

from collections.abc import Callable, Iterator

import numpy as np

SHIFT = 1  # pixels, to the upper left and to the lower right
MIRRORING = ("flip", "alternating_flip")


def views(images: np.ndarray, mirror: bool) -> Iterator[tuple[float, np.ndarray]]:
    """Yield copies of images with their weights, which sum to 1: as cifar10-airbench counts (Jordan 2024, arXiv:2404.00498).

    Half the weight is the image's own place, a quarter each shift; where mirroring is allowed, each is halved again.

    Args:
        images: uint8, shape (n, size, size, channels).
        mirror: whether a mirrored image is of the same class, as a cat is and a digit is not.
    """
    padded = np.pad(images, [(0, 0), (SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)], mode="reflect")
    height, width = images.shape[1:3]
    for weight, offset in ((0.5, SHIFT), (0.25, 0), (0.25, 2 * SHIFT)):
        shifted = padded[:, offset : offset + height, offset : offset + width]
        if mirror:
            yield weight / 2, shifted[:, :, ::-1]
            weight /= 2
        yield weight, shifted


def average(answer: Callable[[np.ndarray], np.ndarray], images: np.ndarray, mirror: bool) -> np.ndarray:
    """Return the probabilities of the mean logits over all views, float32 (n, classes).

    Args:
        answer: images (n, size, size, channels) -> probabilities (n, classes).
        images: as the network receives them.
        mirror: see `views`.
    """
    # The logarithm of a probability is its logit but for a number that all classes of a view share.
    mean = sum(weight * np.log(np.maximum(answer(view), 1e-30)) for weight, view in views(images, mirror))
    exponentials = np.exp(mean - mean.max(1, keepdims=True))
    return (exponentials / exponentials.sum(1, keepdims=True)).astype(np.float32)


def count_views(mirror: bool) -> int:
    """Return how many copies are averaged."""
    return 6 if mirror else 3
