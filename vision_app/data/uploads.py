"""Pictures that come from outside, made to look like a dataset's own."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vision_app.data.ink import extract_ink
from vision_app.lookup import find

FINE = 160
STROKES = (1.5, 3.4)
USUAL_STROKE = 2.2


def like_mnist(picture):
    ink = extract_ink(picture)
    ink = set_stroke(ink, 20)
    ink = fit(ink, 20)
    ink = np.round(ink * 255).astype(np.uint8)
    return centre(ink, 28)[..., None]


def stroke_width(ink):
    import cv2

    mask = (np.pad(ink, 2) > 0.5).astype(np.uint8)
    outlines = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)[0]
    return 2 * float(mask.sum()) / max(sum(cv2.arcLength(line, True) for line in outlines), 1.0)


def set_stroke(ink, box):
    import cv2

    scale = FINE / max(ink.shape)
    size = tuple(max(1, round(s * scale)) for s in ink.shape[::-1])
    fine = cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    width = stroke_width(fine) * box / FINE
    if STROKES[0] <= width <= STROKES[1]:
        return ink
    change = (USUAL_STROKE * FINE - box * stroke_width(fine)) / (box - USUAL_STROKE)
    reach = round(abs(change) / 2)
    if reach == 0:
        return ink
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    fine = np.pad(fine, reach + 1)
    return (cv2.dilate if change > 0 else cv2.erode)(fine, disk)


def fit(ink, box):
    import cv2
    from vision_app.data.ink import crop
    ink = crop(ink)

    scale = box / max(ink.shape)
    if scale == 1:
        return ink
    size = tuple(max(1, round(s * scale)) for s in ink.shape[::-1])
    return np.clip(cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), 0, 1)


def centre(image, side):
    canvas = np.zeros((side, side), image.dtype)
    h, w = image.shape
    weights = image.astype(float)
    y = weights.sum(1) @ np.arange(h) / weights.sum()
    x = weights.sum(0) @ np.arange(w) / weights.sum()
    top = int(np.clip(np.floor(side / 2 - y + 0.5), 0, side - h))
    left = int(np.clip(np.floor(side / 2 - x + 0.5), 0, side - w))
    canvas[top : top + h, left : left + w] = image
    return canvas
