"""Generated geometric shapes in random colour, size, rotation and clutter: a colour dataset that needs no download."""

from collections.abc import Callable

import numpy as np

CLASSES = ("circle", "square", "triangle", "pentagon", "star", "cross", "heart", "crescent")
SIZE = 48
OVERSAMPLING = 4  # drawn larger and averaged down, so that edges are smooth
COUNTS = {"train": 8000, "test": 2000}
SEEDS = {"train": 20, "test": 21}


def load(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, 48, 48, 3) uint8 and labels (n,) of "train" or "test"; always the same."""
    return generate(COUNTS[split], SEEDS[split])


def generate(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw `count` pictures, the classes in equal numbers and random order.

    Returns:
        Images (count, 48, 48, 3) uint8 and labels (count,).
    """
    generator = np.random.default_rng(seed)
    labels = generator.permutation(np.arange(count) % len(CLASSES))
    return draw_all(labels, generator), labels.astype(np.int64)


def draw_all(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Draw one picture a label (n,): (n, 48, 48, 3) uint8."""
    return np.stack([draw(CLASSES[label], generator) for label in labels])


def draw(name: str, generator: np.random.Generator) -> np.ndarray:
    """Draw one shape over clutter: (48, 48, 3) uint8."""
    import cv2

    side = SIZE * OVERSAMPLING
    background = _background(generator)
    picture = cv2.resize(background, (side, side), interpolation=cv2.INTER_LINEAR)
    _clutter(picture, generator)
    radius = side * generator.uniform(0.2, 0.42)
    centre = side / 2 + generator.uniform(-1, 1, 2) * (side / 2 - radius) * 0.8
    colour = _contrasting(background.reshape(-1, 3).mean(0), generator)
    cv2.fillPoly(picture, [_place(OUTLINES[name](), radius, centre, generator)], colour.tolist())
    small = cv2.resize(picture, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    noise = generator.standard_normal(small.shape, dtype=np.float32) * generator.uniform(0, 14)
    return np.clip(small + noise, 0, 255).astype(np.uint8)


def _background(generator: np.random.Generator) -> np.ndarray:
    """Two colours running into each other in a random direction: (48, 48, 3) uint8."""
    first = generator.uniform(0, 255, 3)
    second = np.clip(first + generator.normal(0, 35, 3), 0, 255)
    angle = generator.uniform(0, 2 * np.pi)
    steps = np.linspace(-0.5, 0.5, SIZE)
    weight = np.clip(0.5 + steps * np.cos(angle) + steps[:, None] * np.sin(angle), 0, 1)[..., None]
    return (first * (1 - weight) + second * weight).astype(np.uint8)


def _clutter(picture: np.ndarray, generator: np.random.Generator) -> None:
    """Lines and small shapes of every class, none as large as the shape that counts."""
    import cv2

    side = len(picture)
    for _ in range(generator.integers(0, 4)):
        start, end = generator.integers(0, side, (2, 2)).tolist()
        cv2.line(picture, start, end, generator.uniform(0, 255, 3).tolist(), int(generator.integers(2, 8)))
    for _ in range(generator.integers(0, 4)):
        name = CLASSES[generator.integers(len(CLASSES))]
        spot = generator.uniform(0, side, 2)
        outline = _place(OUTLINES[name](), side * generator.uniform(0.03, 0.08), spot, generator)
        cv2.fillPoly(picture, [outline], generator.uniform(0, 255, 3).tolist())


def _contrasting(background: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A random colour that can be told from the background."""
    while True:
        colour = generator.uniform(0, 255, 3)
        if np.abs(colour - background).max() > 60:
            return colour


def _place(outline: np.ndarray, radius: float, centre: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Turn, squeeze a little, scale and move a unit outline; return whole pixels."""
    angle = generator.uniform(0, 2 * np.pi)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    squeeze = np.array([1.0, generator.uniform(0.85, 1.0)])
    return np.round((outline * squeeze) @ turn.T * radius + centre).astype(np.int32)


def _polygon(corners: int, inner: float | None = None) -> Callable[[], np.ndarray]:
    """A regular polygon, or a star whose inner corners lie at `inner`."""
    count = corners * (2 if inner else 1)
    angles = np.arange(count) * 2 * np.pi / count
    radii = np.where(np.arange(count) % 2, inner, 1.0) if inner else np.ones(count)
    return lambda: np.stack([np.cos(angles) * radii, np.sin(angles) * radii], 1)


def _cross() -> np.ndarray:
    arm = 0.32
    quarter = np.array([[arm, arm], [arm, 1.0], [-arm, 1.0], [-arm, arm]])
    turns = [np.array([[0, -1], [1, 0]]), np.eye(2)]
    points, turn = [], turns[1]
    for _ in range(4):
        points.append(quarter[:3] @ turn.T)
        turn = turns[0] @ turn
    return np.concatenate(points)


def _heart() -> np.ndarray:
    t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
    return np.stack([x, -y], 1) / 17


def _crescent() -> np.ndarray:
    outer = np.linspace(0.6, 2 * np.pi - 0.6, 50)
    tip = np.array([np.cos(0.6), np.sin(0.6)])
    centre, radius = 0.45, float(np.hypot(tip[0] - 0.45, tip[1]))
    opening = np.arctan2(tip[1], tip[0] - centre)
    inner = np.linspace(2 * np.pi - opening, opening, 40)
    bow = np.stack([np.cos(outer), np.sin(outer)], 1)
    hollow = np.stack([centre + radius * np.cos(inner), radius * np.sin(inner)], 1)
    return np.concatenate([bow, hollow])


OUTLINES: dict[str, Callable[[], np.ndarray]] = {
    "circle": _polygon(60),
    "square": _polygon(4),
    "triangle": _polygon(3),
    "pentagon": _polygon(5),
    "star": _polygon(5, inner=0.42),
    "cross": _cross,
    "heart": _heart,
    "crescent": _crescent,
}
