"""Random changes of where pixels are: mirroring, shifts, and rotation, zoom, shear and bending in one interpolation."""

from collections.abc import Mapping

import numpy as np


def flip(images: np.ndarray, chance: float, generator: np.random.Generator) -> np.ndarray:
    """Mirror some images left and right."""
    chosen = generator.random(len(images)) < chance
    images[chosen] = images[chosen, :, ::-1]
    return images


def translate(images: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Shift by whole pixels, filling with the mirrored edge."""
    n, height, width, _ = images.shape
    reach = max(1, round(share * height))
    padded = np.pad(images, [(0, 0), (reach, reach), (reach, reach), (0, 0)], mode="reflect")
    top, left = generator.integers(0, 2 * reach + 1, (2, n))
    rows = top[:, None] + np.arange(height)
    columns = left[:, None] + np.arange(width)
    return padded[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def warp(images: np.ndarray, strengths: Mapping[str, float], generator: np.random.Generator) -> np.ndarray:
    """Rotation, zoom, shear and elastic in one interpolation, so that nothing is blurred twice."""
    import cv2

    n, height, width, _ = images.shape
    angle = np.deg2rad(strengths.get("rotation", 0)) * generator.uniform(-1, 1, n)
    zoom = np.exp(np.log1p(strengths.get("zoom", 0)) * generator.uniform(-1, 1, (n, 2)))
    shear = strengths.get("shear", 0) * generator.uniform(-1, 1, n)
    cos, sin = np.cos(angle), np.sin(angle)
    matrices = (
        np.stack([np.stack([cos, -sin + shear * cos], 1), np.stack([sin, cos + shear * sin], 1)], 1) * zoom[:, None, :]
    )
    centre, grid = _grid(height, width)
    elastic = strengths.get("elastic", 0) * height
    result = np.empty_like(images)
    for index in range(n):
        places = grid @ matrices[index].T + centre
        if elastic:
            coarse = generator.normal(0, elastic, (4, 4, 2)).astype(np.float32)
            places = places + cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        result[index] = _read_at(images[index], places)
    return result


def move(image: np.ndarray, matrix: np.ndarray, shift: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Return an image moved about its centre.

    Args:
        image: uint8 (h, w, c).
        matrix: (2, 2), from a place (x, y) in the result to the place in the image that it shows.
        shift: (x, y) that the result's content is moved by, in pixels.
    """
    centre, grid = _grid(*image.shape[:2])
    return _read_at(image, (grid - np.asarray(shift)) @ np.asarray(matrix).T + centre)


def _grid(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the centre (x, y) and all places (h, w, 2) relative to it."""
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    return centre, np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1) - centre


def _read_at(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return what an image shows at places (h, w, 2); beyond its edge the edge goes on."""
    import cv2

    places = places.astype(np.float32)
    moved = cv2.remap(image, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return moved.reshape(image.shape)
