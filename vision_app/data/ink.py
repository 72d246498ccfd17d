"""What was drawn or lies on a plain ground: found whatever the paper, the light and the pen."""

import numpy as np

from vision_app.errors import InputError

WORK_SIDE = 512  # pixels; more show no more of a digit
GROUND_SIDE = 128  # pixels; paper and light vary slowly
PART_LEVEL = 0.2  # of full ink; ruled lines and smears are fainter, the rim of a stroke in MNIST seldom is
SMALLEST_CONTRAST = 16.0  # of 255
BLANK = (
    "Expected a digit drawn on a plain ground, but nothing stands out in this picture; "
    "draw with more contrast, or choose a model that is made for photos."
)


def extract_ink(picture: np.ndarray) -> np.ndarray:
    """Return the ink of a picture, cropped to its bounding box: 0 paper, 1 full ink.

    Light on dark counts like dark on light, uneven light and noise are removed, and faint ink is made strong.

    Args:
        picture: uint8 (h, w), (h, w, 1) or (h, w, 3).

    Returns:
        float32 (h', w'), neither side longer than 512.

    Raises:
        InputError: there is no ink.
    """
    grey = clearest_channel(picture)
    grey = smooth(grey) * ink_sign(shrink(grey, GROUND_SIDE))
    ink = grey - _background(grey)
    floor, threshold = _noise_floor(ink)
    full = np.percentile(ink[ink > threshold], 90) if (ink > threshold).any() else 0.0
    if full < max(SMALLEST_CONTRAST, 2 * floor):
        raise InputError(BLANK)
    ink = np.clip((ink - floor) / (full - floor), 0, 1).astype(np.float32)
    return crop(keep_main_parts(ink, (threshold - floor) / (full - floor)))


def clearest_channel(picture: np.ndarray) -> np.ndarray:
    """Return the brightness, or the colour channel that shows coloured ink much better, as float32 (h, w)."""
    pixels = shrink(picture.astype(np.float32), WORK_SIDE)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    channels = [pixels @ np.array([0.299, 0.587, 0.114], np.float32), *np.moveaxis(pixels, 2, 0)]
    spreads = [np.ptp(np.percentile(channel, [1, 99])) for channel in channels]
    best = int(np.argmax(spreads))
    return np.ascontiguousarray(channels[best if spreads[best] > 1.25 * spreads[0] else 0])


def shrink(pixels: np.ndarray, side: int) -> np.ndarray:
    """Return `pixels` (h, w[, c]) reduced by area averaging so that no side is longer than `side`."""
    import cv2

    scale = side / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    height, width = (max(1, round(length * scale)) for length in pixels.shape[:2])
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def smooth(grey: np.ndarray) -> np.ndarray:
    """Return `grey` (h, w[, c]) without the grain of a large picture; small ones have strokes as thin as grain."""
    import cv2

    side = max(grey.shape[:2])
    return cv2.GaussianBlur(grey, (0, 0), side / 256) if side >= 96 else grey


def ink_sign(grey: np.ndarray) -> int:
    """Return 1 if the ink is brighter than its ground, -1 if it is darker.

    A smooth surface through the picture's margin stands for the ground, so shading does not count as ink.
    """
    height, width = grey.shape
    margin = max(1, round(0.06 * max(height, width)))
    y, x = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    terms = np.stack([np.ones_like(x), x, y, x * y, x * x, y * y], axis=-1)
    edge = np.ones((height, width), bool)
    edge[margin:-margin, margin:-margin] = False
    rest = grey - terms @ _fit_robustly(terms[edge], grey[edge])
    outline = np.concatenate([rest[0], rest[1:, -1], rest[-1, -2::-1], rest[-2:0:-1, 0]])
    ground = np.abs(outline) <= 0.25 * np.ptp(np.percentile(grey, [1, 99]))
    longest_run = np.diff(np.nonzero(np.tile(ground, 2))[0], prepend=0, append=2 * ground.size).max() - 1
    if longest_run > 0.2 * outline.size:
        return _fine_detail_sign(grey)
    return 1 if np.sum(rest**3) >= 0 else -1


def _fine_detail_sign(grey: np.ndarray) -> int:
    """Return `ink_sign` for ground of two brightnesses, one in a shadow: strokes are finer than what lies between them."""
    import cv2

    side = max(3, round(0.12 * max(grey.shape)) | 1)
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    bright, dark = (cv2.morphologyEx(grey, hat, disk) for hat in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT))
    return 1 if np.sum(bright**2) >= np.sum(dark**2) else -1


def _fit_robustly(terms: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return least-squares coefficients that ink in the margin does not pull away: start at the median, drop outliers."""
    coefficients = np.zeros(terms.shape[1])
    coefficients[0] = np.median(values)
    for _ in range(5):
        residual = np.abs(values - terms @ coefficients)
        near = residual <= max(2.5 * np.median(residual), 1.0)
        coefficients = np.linalg.lstsq(terms[near], values[near], rcond=None)[0]
    return coefficients


def _background(grey: np.ndarray) -> np.ndarray:
    """Return the ground under bright ink: a morphological opening that no stroke is wide enough to survive."""
    import cv2

    small = shrink(grey, GROUND_SIDE)
    side = max(small.shape) // 3 + 1
    ground = cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return cv2.resize(ground, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _noise_floor(ink: np.ndarray) -> tuple[float, float]:
    """Return the level up to which values are noise of the ground, and the one (Otsu's) above which they are ink."""
    import cv2

    def otsu(values: np.ndarray) -> float:
        top = max(float(values.max()), 1.0)
        levels = np.clip(values / top * 255, 0, 255).astype(np.uint8).reshape(-1, 1)
        return cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)[0] * top / 255

    ground = ink[ink <= otsu(ink)]
    level = np.median(ground)
    floor = level + 3 * 1.4826 * np.median(np.abs(ground - level))
    above = ink[ink > floor]
    return float(floor), max(otsu(above), float(floor)) if above.size else float(floor)


def keep_main_parts(ink: np.ndarray, threshold: float) -> np.ndarray:
    """Return `ink` without specks: parts that are small and far from the rest.

    Args:
        ink: float32 (h, w), 0..1.
        threshold: a part counts only if it is darker than this somewhere.
    """
    import cv2

    mask = (ink > PART_LEVEL).astype(np.uint8)
    count, parts, boxes, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    masses = np.bincount(parts.ravel(), weights=ink.ravel(), minlength=count)
    dark = np.unique(parts[ink > max(threshold, PART_LEVEL)])
    masses[np.setdiff1d(np.arange(count), dark)] = 0
    if not masses.any():
        raise InputError(BLANK)
    masses = _without_shadows(parts, boxes, masses)
    kept = np.isin(parts, _grow(boxes, masses)).astype(np.uint8)
    return np.where(cv2.dilate(kept, np.ones((3, 3), np.uint8)) > 0, ink, 0).astype(np.float32)


def _without_shadows(parts: np.ndarray, boxes: np.ndarray, masses: np.ndarray) -> np.ndarray:
    """Return `masses` with 0 for what lies along the picture's edge, such as a shadow or the table, if ink is left then."""
    edge = np.concatenate([parts[0], parts[-1], parts[1:-1, 0], parts[1:-1, -1]])
    contact = np.bincount(edge, minlength=len(masses))
    side = max(parts.shape)
    inner = np.where(contact > 0.2 * side, 0, masses)
    return inner if (boxes[inner > 0, 2:4] > 0.1 * side).any() else masses


def _grow(boxes: np.ndarray, masses: np.ndarray) -> list[int]:
    """Return the parts that belong together: the largest, all large ones, and smaller ones close by."""
    order = [part for part in np.argsort(-masses) if masses[part] > 0][:200]
    kept = [order[0]]
    size = boxes[order[0], 2:4].max()
    for part in order[1:]:
        share = masses[part] / masses[order[0]]
        gap = min(_gap(boxes[part], boxes[other]) for other in kept)
        if share > 0.02 and gap <= (0.3 + share) * size:
            kept.append(part)
    return kept


def _gap(one: np.ndarray, other: np.ndarray) -> float:
    """Return the distance in pixels between two boxes (left, top, width, height)."""
    across = max(one[0] - other[0] - other[2], other[0] - one[0] - one[2], 0)
    down = max(one[1] - other[1] - other[3], other[1] - one[1] - one[3], 0)
    return float(np.hypot(across, down))


def crop(ink: np.ndarray, level: float = 0.1) -> np.ndarray:
    """Return the bounding box of the ink above `level`."""
    rows, columns = np.nonzero((ink > level).any(1))[0], np.nonzero((ink > level).any(0))[0]
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
