"""RandAugment: so many random operations for each image, all of one strength (Cubuk et al., arXiv:1909.13719)."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from vision_app.data.augment_colour import lighten, stretch
from vision_app.data.augment_geometry import move

LARGEST = 30  # the paper's scale of magnitudes
Operation = Callable[[np.ndarray, float], np.ndarray]


def rand_augment(images: np.ndarray, magnitude: float, count: int, generator: np.random.Generator) -> np.ndarray:
    """Apply random operations to each image of a batch.

    Args:
        images: uint8 (n, h, w, c), overwritten.
        magnitude: strength of all operations, 0 to LARGEST.
        count: operations an image, one after the other; one may come twice.
        generator: draws which, and in which direction.
    """
    operations = list(OPERATIONS.values())
    chosen = generator.integers(0, len(operations), (len(images), count))
    signs = generator.choice([-1.0, 1.0], (len(images), count))
    for image, own, directions in zip(images, chosen, signs * magnitude / LARGEST, strict=True):
        for operation, share in zip(own, directions, strict=True):
            image[:] = operations[operation](image, share)
    return images


def _pillow(change: Callable[[Image.Image, float], Image.Image]) -> Operation:
    """Return an operation that Pillow does; grey images have no channel axis there."""

    def apply(image: np.ndarray, share: float) -> np.ndarray:
        grey = image.shape[-1] == 1
        return np.asarray(change(Image.fromarray(image[..., 0] if grey else image), share)).reshape(image.shape)

    return apply


def _rotate(image: np.ndarray, share: float) -> np.ndarray:
    angle = np.deg2rad(30 * share)
    return move(image, np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]))


def _shift(image: np.ndarray, share: float, axis: int) -> np.ndarray:
    """Shift by up to 0.45 of the side, along x (axis 0) or y (axis 1), by whole pixels."""
    shift = [0.0, 0.0]
    shift[axis] = round(0.45 * share * image.shape[1 - axis])
    return move(image, np.eye(2), tuple(shift))


# The share is the strength, 0 to 1, with a random sign. Where there is no direction the sign is left off.
OPERATIONS: dict[str, Operation] = {
    "identity": lambda image, share: image,
    "rotation": _rotate,
    "shear_x": lambda image, share: move(image, np.array([[1, 0.3 * share], [0, 1]])),
    "shear_y": lambda image, share: move(image, np.array([[1, 0], [0.3 * share, 1]])),
    "translation_x": lambda image, share: _shift(image, share, 0),
    "translation_y": lambda image, share: _shift(image, share, 1),
    "brightness": lambda image, share: lighten(image, 255 * 0.4 * share),
    "contrast": lambda image, share: stretch(image[None], 1 + 0.9 * share)[0],
    "colour": _pillow(lambda picture, share: ImageEnhance.Color(picture).enhance(1 + 0.9 * share)),
    "sharpness": _pillow(lambda picture, share: ImageEnhance.Sharpness(picture).enhance(1 + 0.9 * share)),
    "posterize": _pillow(lambda picture, share: ImageOps.posterize(picture, 8 - round(4 * abs(share)))),
    "solarize": _pillow(lambda picture, share: ImageOps.solarize(picture, round(256 * (1 - abs(share))))),
    "autocontrast": _pillow(lambda picture, share: ImageOps.autocontrast(picture)),
    "equalize": _pillow(lambda picture, share: ImageOps.equalize(picture)),
}
