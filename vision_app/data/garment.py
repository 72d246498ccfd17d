"""A garment on a plain ground: cut out and shown light on black."""

import numpy as np

from vision_app.data.ink import BLANK, SMALLEST_CONTRAST, WORK_SIDE, shrink, smooth
from vision_app.errors import InputError


def cut_out(picture: np.ndarray) -> np.ndarray:
    """Return a garment, cropped to its bounding box: its brightness, turned over if the ground is light.

    Args:
        picture: uint8 (h, w), (h, w, 1) or (h, w, 3).

    Returns:
        float32 (h', w'), 0 outside the garment, up to 1 inside.

    Raises:
        InputError: nothing stands out from the ground.
    """
    pixels = shrink(picture.astype(np.float32), WORK_SIDE)
    pixels = smooth(pixels).reshape(*pixels.shape[:2], -1)
    corners = _corners(pixels)
    ground = np.median(corners, axis=0)
    noise = 1.5 * np.median(np.abs(corners - ground))
    contrast = np.abs(pixels - ground).max(axis=2)
    strongest = np.percentile(contrast, 99)
    if strongest < max(SMALLEST_CONTRAST, 5 * noise):
        raise InputError(BLANK)
    shape = _main_shape(contrast > max(0.1 * strongest, 4 * noise))
    grey = pixels @ np.array([0.299, 0.587, 0.114], np.float32) if pixels.shape[2] == 3 else pixels[:, :, 0]
    light_ground = ground.mean() > 127.5
    garment = np.where(shape, 255 - grey if light_ground else grey, 0).astype(np.float32) / 255
    rows, columns = np.nonzero(shape.any(axis=1))[0], np.nonzero(shape.any(axis=0))[0]
    return garment[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _corners(pixels: np.ndarray) -> np.ndarray:
    """Return the pixels (n, channels) of the corners, where garments seldom reach."""
    reach = max(1, round(0.08 * min(pixels.shape[:2])))
    ends = np.r_[:reach, -reach:0]
    return pixels[np.ix_(ends, ends)].reshape(-1, pixels.shape[2])


def _main_shape(mask: np.ndarray) -> np.ndarray:
    """Return `mask` with its holes filled, without parts smaller than a twentieth of the largest."""
    import cv2

    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    areas = [cv2.contourArea(line) + len(line) / 2 for line in outlines]
    main = [line for line, area in zip(outlines, areas, strict=True) if area >= max(areas) / 20]
    return cv2.drawContours(np.zeros(mask.shape, np.uint8), main, -1, 1, cv2.FILLED) > 0
