"""Do two small pictures show the same shot? Lay one on the other and compare their edges."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

SIDE = 32
STEPS, PRECISION = 30, 1e-3
LEAST_OVERLAP = 0.4
IDENTITY = np.eye(2, 3, dtype=np.float32)


def edge_agreement(
    greys: np.ndarray, first: np.ndarray, second: np.ndarray, flipped: np.ndarray, threads: int = 2
) -> np.ndarray:
    """Return how well the edges of pairs of images agree after the best stretch, shift and crop.

    The alignment maximises the enhanced correlation coefficient (Evangelidis and Psarakis, PAMI 2008), which ignores
    brightness and contrast. A copy is a crop or a rescaling: turning or slanting the image costs.

    Args:
        greys: brightness, float32, shape (n, 32, 32).
        first, second: indices of the images of each pair, shape (m,).
        flipped: whether to mirror the first, shape (m,).
        threads: pairs worked on at the same time.

    Returns:
        shape (m,), at most 1 (the same edges); 0 is chance.
    """

    def work(rows: Iterable[int]) -> list[float]:
        return [_agreement(greys[first[row]], greys[second[row]], bool(flipped[row])) for row in rows]

    chunks = np.array_split(np.arange(len(first)), max(1, len(first) // 200))
    with ThreadPoolExecutor(threads) as pool:
        return np.array([value for part in pool.map(work, chunks) for value in part], np.float64)


def _agreement(first: np.ndarray, second: np.ndarray, flipped: bool) -> float:
    first = np.ascontiguousarray(first[:, ::-1]) if flipped else first
    return max(_compare(first, second, warp) - _bend(warp) for warp in (IDENTITY, _align(first, second)))


def _align(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the affine map (2, 3) from pixels of the first image to those of the second."""
    import cv2

    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, STEPS, PRECISION)
    try:
        return cv2.findTransformECC(first, second, IDENTITY.copy(), cv2.MOTION_AFFINE, criteria, None, 5)[1]
    except cv2.error:  # no solution: the images have nothing in common, or one is blank
        return IDENTITY


def _bend(warp: np.ndarray) -> float:
    """Return what a map costs: nothing for shifts and moderate stretching, the more the more it turns or slants."""
    across, down = max(float(warp[0, 0]), 1e-3), max(float(warp[1, 1]), 1e-3)
    turn = abs(float(warp[0, 1])) + abs(float(warp[1, 0]))
    stretch, zoom = abs(np.log(across / down)), abs(np.log(across * down)) / 2
    return turn + max(0.0, stretch - 0.25) + max(0.0, zoom - 0.4)


def _compare(first: np.ndarray, second: np.ndarray, warp: np.ndarray) -> float:
    """Return the correlation of the gradients of two aligned images where they overlap."""
    import cv2

    size, flags = (SIDE, SIDE), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(second, warp, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(np.ones(size, np.float32), warp, size, flags=flags) > 0.99
    inside = cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8), borderValue=0)
    if inside.mean() < LEAST_OVERLAP:
        return 0.0
    ours, theirs = _edges(first, inside), _edges(moved, inside)
    return float(np.vdot(ours, theirs) / (np.linalg.norm(ours) * np.linalg.norm(theirs) + 1e-3))


def _edges(image: np.ndarray, inside: np.ndarray) -> np.ndarray:
    import cv2

    smooth = cv2.GaussianBlur(image, (3, 3), 0)
    return np.stack([cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)]) * inside
