"""Digits drawn by a simulated pen, in MNIST's format: ways of writing that MNIST's American writers seldom used.

A 1 with its upstroke, a 7 with its bar, open and closed fours: a network that has never seen them takes the one for a 7.
"""

import numpy as np

BOX, SIDE, OVERSAMPLING = 20, 28, 4

Stroke = tuple[tuple[float, float], ...]

# Ways to write each digit: strokes as points that the pen passes, x to the right and y down, in a square of side 1.
WAYS: dict[int, tuple[tuple[Stroke, ...], ...]] = {
    0: ((((0.55, 0.02), (0.25, 0.15), (0.15, 0.5), (0.25, 0.88), (0.5, 0.98), (0.78, 0.82), (0.85, 0.45), (0.72, 0.12), (0.5, 0.02)),),),
    1: (
        (((0.1, 0.4), (0.35, 0.22), (0.58, 0.0)), ((0.58, 0.0), (0.56, 0.5), (0.55, 1.0))),
        (((0.2, 0.3), (0.4, 0.18), (0.55, 0.0)), ((0.55, 0.0), (0.53, 0.5), (0.52, 1.0))),
        (((0.25, 0.25), (0.5, 0.0)), ((0.5, 0.0), (0.5, 0.98)), ((0.22, 0.98), (0.8, 0.97))),
        (((0.52, 0.0), (0.5, 0.5), (0.48, 1.0)),),
    ),
    2: (
        (((0.15, 0.25), (0.35, 0.03), (0.7, 0.05), (0.8, 0.3), (0.55, 0.62), (0.12, 0.97)), ((0.12, 0.97), (0.5, 0.96), (0.9, 0.95))),
        (((0.15, 0.25), (0.4, 0.02), (0.75, 0.12), (0.7, 0.45), (0.35, 0.85), (0.15, 0.95), (0.2, 0.8), (0.45, 0.88), (0.88, 0.97)),),
    ),
    3: (
        (((0.2, 0.12), (0.5, 0.0), (0.78, 0.15), (0.65, 0.42), (0.4, 0.47)), ((0.4, 0.47), (0.75, 0.55), (0.8, 0.82), (0.5, 1.0), (0.15, 0.88))),
        (((0.15, 0.02), (0.82, 0.02)), ((0.82, 0.02), (0.45, 0.42)), ((0.45, 0.42), (0.8, 0.55), (0.78, 0.88), (0.45, 1.0), (0.12, 0.88))),
    ),
    4: (
        (((0.55, 0.0), (0.08, 0.65)), ((0.08, 0.65), (0.95, 0.63)), ((0.65, 0.3), (0.63, 1.0))),
        (((0.68, 0.0), (0.08, 0.68)), ((0.08, 0.68), (0.92, 0.67)), ((0.68, 0.0), (0.67, 1.0))),
        (((0.15, 0.0), (0.12, 0.5)), ((0.12, 0.5), (0.85, 0.5)), ((0.8, 0.0), (0.78, 1.0))),
    ),
    5: (
        (((0.8, 0.02), (0.25, 0.03)), ((0.25, 0.03), (0.2, 0.45)), ((0.2, 0.45), (0.55, 0.36), (0.85, 0.6), (0.72, 0.92), (0.4, 1.0), (0.12, 0.9))),
    ),
    6: (
        (((0.7, 0.0), (0.35, 0.25), (0.15, 0.65), (0.3, 0.95), (0.65, 0.97), (0.82, 0.72), (0.6, 0.52), (0.25, 0.65)),),
        (((0.55, 0.0), (0.25, 0.4), (0.15, 0.75), (0.4, 1.0), (0.75, 0.9), (0.78, 0.65), (0.5, 0.55), (0.2, 0.72)),),
    ),
    7: (
        (((0.1, 0.05), (0.88, 0.02)), ((0.88, 0.02), (0.55, 0.5), (0.35, 1.0)), ((0.3, 0.5), (0.82, 0.47))),
        (((0.12, 0.05), (0.85, 0.03)), ((0.85, 0.03), (0.55, 0.45), (0.4, 1.0))),
        (((0.12, 0.2), (0.14, 0.04)), ((0.14, 0.04), (0.86, 0.03)), ((0.86, 0.03), (0.6, 0.5), (0.48, 1.0))),
    ),
    8: (
        (((0.72, 0.12), (0.45, 0.0), (0.22, 0.18), (0.45, 0.45), (0.78, 0.72), (0.55, 1.0), (0.2, 0.82), (0.42, 0.5), (0.75, 0.25), (0.68, 0.08)),),
        (
            ((0.5, 0.0), (0.25, 0.2), (0.5, 0.46), (0.75, 0.2), (0.5, 0.0)),
            ((0.5, 0.46), (0.18, 0.75), (0.5, 1.0), (0.82, 0.75), (0.5, 0.46)),
        ),
    ),
    9: (
        (((0.75, 0.15), (0.45, 0.0), (0.2, 0.22), (0.4, 0.48), (0.72, 0.3), (0.77, 0.12)), ((0.77, 0.12), (0.74, 0.6), (0.62, 1.0))),
        (((0.75, 0.2), (0.5, 0.0), (0.2, 0.2), (0.35, 0.48), (0.75, 0.3)), ((0.75, 0.2), (0.78, 0.6), (0.62, 0.95), (0.25, 0.95))),
    ),
}  # fmt: skip


def draw(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw one digit a label.

    Args:
        labels: 0..9, shape (n,).
        generator: makes the hand tremble.

    Returns:
        uint8, shape (n, 28, 28, 1), bright ink on black, as in MNIST.
    """
    return np.stack([_draw(int(label), generator) for label in labels])[..., None]


def _draw(digit: int, generator: np.random.Generator) -> np.ndarray:
    import cv2

    ways = WAYS[digit]
    strokes = [_bend(np.array(stroke), generator) for stroke in ways[generator.integers(len(ways))]]
    thickness = generator.uniform(1.6, 3.6) * OVERSAMPLING
    corners = np.concatenate(strokes)
    low, extent = corners.min(0), np.ptp(corners, axis=0).max()
    scale = (BOX * OVERSAMPLING - thickness) / extent
    fine = np.zeros((SIDE * OVERSAMPLING,) * 2, np.uint8)
    margin = (SIDE - BOX) / 2 * OVERSAMPLING + thickness / 2
    for stroke in strokes:
        points = np.round((stroke - low) * scale + margin).astype(np.int32)
        cv2.polylines(fine, [points], False, 255, round(thickness), cv2.LINE_AA)
    image = cv2.resize(fine, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    moments = cv2.moments(image)
    across, down = (SIDE / 2 - moments[name] / moments["m00"] for name in ("m10", "m01"))
    return cv2.warpAffine(image, np.float32([[1, 0, round(across)], [0, 1, round(down)]]), (SIDE, SIDE))


def _bend(points: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Move the points a little and run a smooth curve through them (Catmull-Rom)."""
    points = points + generator.normal(0, 0.035, points.shape)
    if len(points) == 2:
        return points
    padded = np.concatenate([points[:1], points, points[-1:]])
    before, start, end, after = (padded[i : len(padded) - 3 + i, None] for i in range(4))
    t = np.linspace(0, 1, 6)[:, None]
    curve = start + 0.5 * t * (
        end - before + t * (2 * before - 5 * start + 4 * end - after + t * (3 * (start - end) + after - before))
    )
    return curve.reshape(-1, 2)
