"""Shape of handwriting: size, slant, and how thick the strokes are."""

import numpy as np

from vision_app.data.ink import crop

FINE_SIDE = 160
# In MNIST, 90 % of all digits have strokes between 1.5 and 3.4 pixels; half of them between 1.9 and 2.6.
STROKE_RANGE = (1.8, 3.4)
USUAL_STROKE = 2.2


def resize(ink: np.ndarray, side: int, widest: int | None = None) -> np.ndarray:
    """Return `ink` (h, w) scaled, shape kept, so that the longer side has `side` pixels.

    With `widest` it is the height that gets `side` pixels, and the width is squeezed to at most `widest`.
    """
    import cv2

    height, width = ink.shape
    scale = side / (height if widest else max(height, width))
    size = (min(max(1, round(width * scale)), widest or side), max(1, round(height * scale)))
    if size == (width, height):
        return ink
    return np.clip(cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC), 0, 1)


def stroke_width(ink: np.ndarray) -> float:
    """Return the mean width of the strokes in pixels: twice their area over the length of their outline."""
    import cv2

    mask = (np.pad(ink, 2) > 0.5).astype(np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    return 2 * float(mask.sum()) / max(sum(cv2.arcLength(line, True) for line in outlines), 1.0)


def set_stroke(ink: np.ndarray, box: int) -> np.ndarray:
    """Return `ink` with strokes as thick as usual once it is scaled to `box` pixels; most handwriting is left as it is.

    Args:
        ink: float32 (h, w), 0..1, cropped to its bounding box.
        box: pixels of the longer side that it will be scaled to.
    """
    import cv2

    fine = resize(ink, FINE_SIDE)
    width = stroke_width(fine)
    if STROKE_RANGE[0] <= width * box / FINE_SIDE <= STROKE_RANGE[1]:
        return ink
    # The box grows with the strokes, so more must be added than the difference.
    change = (USUAL_STROKE * FINE_SIDE - box * width) / (box - USUAL_STROKE)
    reach = round(abs(change) / 2)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    changed = (cv2.dilate if change > 0 else cv2.erode)(np.pad(fine, reach + 1), disk)
    return crop(changed) if (changed > 0.5).any() else ink


def deskew(ink: np.ndarray) -> np.ndarray:
    """Return `ink` sheared so that it stands upright: rows and columns of its mass uncorrelated."""
    import cv2

    height, width = ink.shape
    rows, columns = np.mgrid[:height, :width]
    down = rows - (rows * ink).sum() / ink.sum()
    across = columns - (columns * ink).sum() / ink.sum()
    slant = float(np.clip((across * down * ink).sum() / max((down**2 * ink).sum(), 1e-6), -0.9, 0.9))
    matrix = np.array([[1, -slant, max(0.0, slant * height)], [0, 1, 0]], np.float32)
    return crop(cv2.warpAffine(ink, matrix, (width + int(abs(slant) * height) + 2, height)))


def set_coverage(ink: np.ndarray, coverage: float, widest: float = 0.75) -> np.ndarray:
    """Return `ink` as a bitmap thickened or thinned until it covers a given share of a square of its height.

    Args:
        ink: float32 (h, w), 0..1.
        coverage: share of the square that is ink.
        widest: width allowed, as a share of the height.
    """
    side = 128
    for _ in range(2):  # The second time corrects for the height that the first one changed.
        fine = resize(ink, side, widest=round(widest * side))
        left = (side - fine.shape[1]) // 2
        square = np.pad(fine, ((0, 0), (left, side - fine.shape[1] - left)))
        distance = _signed_distance(square > 0.5)
        ink = crop((distance <= np.sort(distance, axis=None)[int(coverage * side**2)]).astype(np.float32))
    return ink


def _signed_distance(mask: np.ndarray) -> np.ndarray:
    """Return how far every pixel is from the outline of `mask`, negative inside, on a frame 1/4 wider all round."""
    import cv2

    inside = np.pad(mask, mask.shape[0] // 4).astype(np.uint8)
    outer, inner = (cv2.distanceTransform(part, cv2.DIST_L2, 5) for part in (1 - inside, inside))
    return outer - inner
