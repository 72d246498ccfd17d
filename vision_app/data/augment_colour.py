"""Random changes of how pixels look: light, contrast, grain, sharpness and the thickness of strokes."""

import numpy as np


def thickness(images: np.ndarray, chance: float, generator: np.random.Generator) -> np.ndarray:
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


def blur(images: np.ndarray, chance: float, generator: np.random.Generator) -> np.ndarray:
    """Shrink and enlarge again: pictures from elsewhere are seldom as sharp."""
    import cv2

    height, width = images.shape[1:3]
    for index in np.flatnonzero(generator.random(len(images)) < chance):
        scale = generator.uniform(0.5, 0.9)
        small = cv2.resize(images[index], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        images[index] = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).reshape(images[index].shape)
    return images


def brightness(images: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Make images lighter or darker."""
    shift = generator.uniform(-share, share, (len(images), 1, 1, 1)).astype(np.float32) * 255
    return lighten(images, shift)


def contrast(images: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Make differences stronger or weaker."""
    factor = np.exp(generator.uniform(-1, 1, (len(images), 1, 1, 1)) * np.log1p(share)).astype(np.float32)
    return stretch(images, factor)


def noise(images: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Add grain of a deviation that each image draws."""
    deviation = generator.uniform(0, share * 255, (len(images), 1, 1, 1)).astype(np.float32)
    grain = generator.standard_normal(images.shape, dtype=np.float32) * deviation
    return np.clip(images + grain, 0, 255).astype(np.uint8)


def lighten(images: np.ndarray, shift: np.ndarray | float) -> np.ndarray:
    """Return images (n, h, w, c) with a shift added, within 0..255."""
    return np.clip(images + shift, 0, 255).astype(np.uint8)


def stretch(images: np.ndarray, factor: np.ndarray | float) -> np.ndarray:
    """Return images (n, h, w, c) with their differences from their mean multiplied, within 0..255."""
    mean = images.mean((1, 2, 3), keepdims=True, dtype=np.float32)
    return np.clip((images - mean) * factor + mean, 0, 255).astype(np.uint8)
