"""Random changes that hide a part of an image."""

import numpy as np

ERASED_AREA = (0.02, 0.4)  # share of the image, and
ERASED_ASPECT = (0.3, 1 / 0.3)  # height over width, both as in the paper
ATTEMPTS = 100


def cutout(images: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Blank a square of the image's mean (DeVries and Taylor, arXiv:1708.04552)."""
    n, height, width, _ = images.shape
    side = max(1, round(share * height))
    tops, lefts = generator.integers(0, height, n) - side // 2, generator.integers(0, width, n) - side // 2
    for image, top, left in zip(images, tops, lefts, strict=True):
        image[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)] = image.mean((0, 1))
    return images


def erase(images: np.ndarray, chance: float, generator: np.random.Generator) -> np.ndarray:
    """Replace a rectangle by noise in some images (Zhong et al., Random Erasing, arXiv:1708.04896, algorithm 1)."""
    _, height, width, channels = images.shape
    for index in np.flatnonzero(generator.random(len(images)) < chance):
        rows, columns = _rectangle(height, width, generator)
        top, left = generator.integers(0, height - rows + 1), generator.integers(0, width - columns + 1)
        patch = generator.integers(0, 256, (rows, columns, channels), np.uint8)
        images[index, top : top + rows, left : left + columns] = patch
    return images


def _rectangle(height: int, width: int, generator: np.random.Generator) -> tuple[int, int]:
    """Draw the sides of a rectangle until it lies within the image; a single pixel if none does."""
    for _ in range(ATTEMPTS):
        area = generator.uniform(*ERASED_AREA) * height * width
        aspect = generator.uniform(*ERASED_ASPECT)
        rows, columns = max(1, round(np.sqrt(area * aspect))), max(1, round(np.sqrt(area / aspect)))
        if rows < height and columns < width:
            return rows, columns
    return 1, 1
