"""Random changes to training images that keep their class: one table of options, in NumPy and OpenCV.

They run beside the network, not in it, so they work with every Keras backend and can be previewed without one.
Strengths are shares of the image side, degrees, or probabilities; each row says which.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vision_app.errors import InputError
from vision_app.lookup import find

Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Augmentation:
    """One kind of change. `apply` takes a batch (n, h, w, c) uint8 that it may overwrite, the strength and a generator."""

    name: str
    title: str
    description: str
    default: float
    largest: float
    apply: Change | None


@dataclass(frozen=True)
class Augmenter:
    """All the changes of a run; call it on a batch of uint8 images (n, h, w, c), get a changed copy."""

    strengths: dict[str, float]

    def __call__(self, images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        images = images.copy()
        if self._geometry():
            images = _warp(images, self.strengths, generator)
        for row in AUGMENTATIONS.values():  # in the table's order, so that equal configs give equal runs
            if row.apply and self.strengths.get(row.name, 0) > 0:
                images = row.apply(images, self.strengths[row.name], generator)
        return images

    def _geometry(self) -> bool:
        return any(self.strengths.get(name, 0) > 0 for name in GEOMETRY)


def make_augmenter(augmentation: dict[str, float]) -> Augmenter | None:
    """Return the augmenter for a config's field, or None when there is nothing to change."""
    strengths = resolve_strengths(augmentation)
    return Augmenter(strengths) if any(strengths.values()) else None


def resolve_strengths(augmentation: dict[str, float]) -> dict[str, float]:
    """Fill in default strengths (given as a negative number) and check names and ranges.

    Raises:
        InputError: an unknown name or a strength out of range.
    """
    strengths = {}
    for name, strength in augmentation.items():
        row = find(AUGMENTATIONS, name, "augmentation")
        strength = row.default if strength < 0 else strength
        if not strength <= row.largest:  # also refuses NaN
            raise InputError(
                f"Augmentation {name} must be at most {row.largest:g}, got {strength:g}: {row.description}"
            )
        strengths[name] = strength
    return strengths


def _flip(images: np.ndarray, chance: float, generator: np.random.Generator) -> np.ndarray:
    chosen = generator.random(len(images)) < chance
    images[chosen] = images[chosen, :, ::-1]
    return images


def _translate(images: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Shift by whole pixels, filling with the mirrored edge."""
    n, height, width, _ = images.shape
    reach = max(1, round(share * height))
    padded = np.pad(images, [(0, 0), (reach, reach), (reach, reach), (0, 0)], mode="reflect")
    top, left = generator.integers(0, 2 * reach + 1, (2, n))
    rows = top[:, None] + np.arange(height)
    columns = left[:, None] + np.arange(width)
    return padded[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _warp(images: np.ndarray, strengths: dict[str, float], generator: np.random.Generator) -> np.ndarray:
    """Rotation, zoom, shear and elastic in one interpolation, so that nothing is blurred twice."""
    import cv2

    n, height, width, channels = images.shape
    angle = np.deg2rad(strengths.get("rotation", 0)) * generator.uniform(-1, 1, n)
    zoom = np.exp(np.log1p(strengths.get("zoom", 0)) * generator.uniform(-1, 1, (n, 2)))
    shear = strengths.get("shear", 0) * generator.uniform(-1, 1, n)
    cos, sin = np.cos(angle), np.sin(angle)
    matrices = (
        np.stack([np.stack([cos, -sin + shear * cos], 1), np.stack([sin, cos + shear * sin], 1)], 1) * zoom[:, None, :]
    )
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    grid = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1) - centre
    elastic = strengths.get("elastic", 0) * height
    result = np.empty_like(images)
    for index in range(n):
        places = grid @ matrices[index].T + centre
        if elastic:
            coarse = generator.normal(0, elastic, (4, 4, 2)).astype(np.float32)
            places = places + cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        places = places.astype(np.float32)
        moved = cv2.remap(
            images[index], places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        result[index] = moved.reshape(height, width, channels)
    return result


def _thickness(images: np.ndarray, chance: float, generator: np.random.Generator) -> np.ndarray:
    """Make bright strokes thicker or thinner by up to a pixel: pens differ."""
    import cv2

    kernel = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    for index in np.flatnonzero(generator.random(len(images)) < chance):
        image = images[index]
        change = cv2.dilate if generator.random() < 0.6 else cv2.erode
        weight = generator.uniform(0.3, 1.0)
        changed = change(image, kernel).reshape(image.shape)
        images[index] = np.round(image * (1 - weight) + changed * weight)
    return images


def _blur(images: np.ndarray, chance: float, generator: np.random.Generator) -> np.ndarray:
    """Shrink and enlarge again: pictures from elsewhere are seldom as sharp."""
    import cv2

    height, width = images.shape[1:3]
    for index in np.flatnonzero(generator.random(len(images)) < chance):
        scale = generator.uniform(0.5, 0.9)
        small = cv2.resize(images[index], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        images[index] = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).reshape(images[index].shape)
    return images


def _brightness(images: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    shift = generator.uniform(-share, share, (len(images), 1, 1, 1)).astype(np.float32) * 255
    return np.clip(images + shift, 0, 255).astype(np.uint8)


def _contrast(images: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    factor = np.exp(generator.uniform(-1, 1, (len(images), 1, 1, 1)) * np.log1p(share)).astype(np.float32)
    mean = images.mean((1, 2, 3), keepdims=True, dtype=np.float32)
    return np.clip((images - mean) * factor + mean, 0, 255).astype(np.uint8)


def _noise(images: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    deviation = generator.uniform(0, share * 255, (len(images), 1, 1, 1)).astype(np.float32)
    noise = generator.standard_normal(images.shape, dtype=np.float32) * deviation
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def _cutout(images: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Blank a square of the image's mean (DeVries and Taylor, arXiv:1708.04552)."""
    n, height, width, _ = images.shape
    side = max(1, round(share * height))
    tops, lefts = generator.integers(0, height, n) - side // 2, generator.integers(0, width, n) - side // 2
    for image, top, left in zip(images, tops, lefts, strict=True):
        image[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)] = image.mean((0, 1))
    return images


GEOMETRY = ("rotation", "zoom", "shear", "elastic")

AUGMENTATIONS: dict[str, Augmentation] = {
    row.name: row
    for row in (
        Augmentation("flip", "Flip", "Chance to mirror left and right; not for digits.", 0.5, 1, _flip),
        Augmentation("translation", "Translation", "Shift by up to this share of the side.", 0.0625, 0.5, _translate),
        Augmentation("rotation", "Rotation", "Turn by up to so many degrees.", 10, 180, None),
        Augmentation("zoom", "Zoom", "Enlarge or shrink by up to this share, each side by itself.", 0.1, 1, None),
        Augmentation("shear", "Shear", "Slant by up to this share.", 0.1, 1, None),
        Augmentation("elastic", "Elastic", "Bend like rubber; deviation as a share of the side.", 0.02, 0.2, None),
        Augmentation("thickness", "Thickness", "Chance to make strokes thicker or thinner.", 0.5, 1, _thickness),
        Augmentation("blur", "Blur", "Chance to lose sharpness.", 0.2, 1, _blur),
        Augmentation("brightness", "Brightness", "Lighter or darker by up to this share.", 0.1, 1, _brightness),
        Augmentation("contrast", "Contrast", "Stronger or weaker by up to this share.", 0.2, 5, _contrast),
        Augmentation("noise", "Noise", "Grain of up to this share of the range.", 0.05, 1, _noise),
        Augmentation("cutout", "Cutout", "Blank a square of this share of the side.", 0.25, 1, _cutout),
    )
}
