"""The one function that makes images ready for a network: in training, evaluation, prediction and export alike."""

import numpy as np

from vision_app.config import Fit
from vision_app.errors import InputError

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow converts to grey


def preprocess(images: np.ndarray, size: int, channels: int, fit: Fit = "crop") -> np.ndarray:
    """Bring images to one size and number of channels.

    Args:
        images: pixel values 0..255, shape (n, height, width, channels), channels 1 or 3.
        size: pixels a side of the result.
        channels: 1 for grey, 3 for colour.
        fit: how a picture that is not square becomes square: its middle, padded with its edge, or stretched.

    Returns:
        uint8, shape (n, size, size, channels). Shrinking averages areas; enlarging is cubic.
    """
    if images.ndim != 4 or images.shape[-1] not in (1, 3):
        raise InputError(f"Expected images of shape (n, height, width, 1 or 3), got {images.shape}.")
    images = to_channels(images, channels)
    if images.shape[1:3] == (size, size):
        return images
    result = np.empty((len(images), size, size, channels), np.uint8)
    for place, image in zip(result, images, strict=True):
        place[:] = _resize(_square(image, fit), size)
    return result


def to_channels(images: np.ndarray, channels: int) -> np.ndarray:
    """Turn grey into colour or colour into grey; shape (..., 1 or 3) to (..., channels)."""
    if images.shape[-1] == channels:
        return images
    if channels == 3:
        return np.repeat(images, 3, axis=-1)
    grey = np.empty((*images.shape[:-1], 1), np.uint8)
    for chunk, part in zip(grey, images, strict=True):  # image by image: the floats of a whole set take gigabytes
        chunk[..., 0] = np.round(part @ LUMA)
    return grey


def _square(image: np.ndarray, fit: Fit) -> np.ndarray:
    height, width = image.shape[:2]
    side = min(height, width)
    if fit == "stretch" or height == width:
        return image
    if fit == "crop":
        top, left = (height - side) // 2, (width - side) // 2
        return image[top : top + side, left : left + side]
    spare = max(height, width) - np.array([height, width])
    before = spare // 2
    return np.pad(image, [(before[0], spare[0] - before[0]), (before[1], spare[1] - before[1]), (0, 0)], mode="edge")


def _resize(image: np.ndarray, size: int) -> np.ndarray:
    import cv2

    height, width = image.shape[:2]
    # Two steps, because a stretched picture may shrink in one direction and grow in the other.
    shrunk = cv2.resize(
        np.ascontiguousarray(image), (min(width, size), min(height, size)), interpolation=cv2.INTER_AREA
    )
    resized = cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_CUBIC)
    return resized.reshape(size, size, image.shape[-1])
