"""Makes the pictures in examples/ anew: digits drawn by a simulated hand, shapes, and openly licensed photos.

Run `python docs/make_examples.py` in the repository's root. The photos come with scikit-learn and scikit-image; the
latter is needed for nothing else (`pip install scikit-image`).
"""

import sys
from pathlib import Path

import numpy as np
import skimage
import sklearn
from PIL import Image, ImageDraw

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from vision_app.data.sources import shapes

FOLDER = ROOT / "examples"
PAD = 280
OVERSAMPLING = 4

# Strokes as points that the pen passes, x to the right and y down, in a square of side 1.
STROKES = {
    0: [[(0.55, 0.06), (0.26, 0.2), (0.16, 0.52), (0.3, 0.88), (0.56, 0.93), (0.8, 0.66), (0.78, 0.28), (0.5, 0.07)]],
    1: [[(0.4, 0.22), (0.47, 0.15), (0.55, 0.06), (0.53, 0.5), (0.51, 0.95)]],
    2: [[(0.2, 0.28), (0.34, 0.09), (0.62, 0.09), (0.71, 0.32), (0.5, 0.62), (0.2, 0.92), (0.5, 0.89), (0.82, 0.92)]],
    3: [
        [(0.24, 0.14), (0.5, 0.05), (0.74, 0.2), (0.64, 0.4), (0.44, 0.47)],
        [(0.44, 0.47), (0.72, 0.56), (0.76, 0.8), (0.5, 0.95), (0.2, 0.84)],
    ],
    4: [[(0.46, 0.06), (0.3, 0.38), (0.17, 0.62), (0.5, 0.62), (0.86, 0.6)], [(0.63, 0.3), (0.62, 0.6), (0.6, 0.96)]],
    5: [
        [(0.34, 0.1), (0.31, 0.28), (0.28, 0.46), (0.54, 0.4), (0.76, 0.56), (0.7, 0.84), (0.44, 0.95), (0.2, 0.85)],
        [(0.34, 0.1), (0.54, 0.1), (0.76, 0.07)],
    ],
    6: [
        [(0.66, 0.06), (0.4, 0.26), (0.24, 0.58), (0.32, 0.88), (0.58, 0.94), (0.74, 0.74), (0.6, 0.56), (0.3, 0.66)],
    ],
    7: [[(0.2, 0.12), (0.5, 0.11), (0.8, 0.09), (0.62, 0.42), (0.48, 0.7), (0.4, 0.96)]],
    8: [
        [
            *((0.7, 0.17), (0.5, 0.06), (0.3, 0.18), (0.42, 0.4), (0.66, 0.58), (0.74, 0.8)),
            *((0.5, 0.95), (0.27, 0.8), (0.38, 0.56), (0.62, 0.4), (0.71, 0.19)),
        ]
    ],
    9: [
        [(0.7, 0.2), (0.5, 0.07), (0.28, 0.2), (0.3, 0.42), (0.52, 0.48), (0.7, 0.22)],
        [(0.7, 0.22), (0.69, 0.5), (0.66, 0.72), (0.6, 0.96)],
    ],
}

SKIMAGE = Path(skimage.__file__).parent / "data"
SKLEARN = Path(sklearn.__file__).parent / "datasets" / "images"
PHOTOS = {
    "photo_cat.jpg": SKIMAGE / "chelsea.png",
    "photo_coffee.jpg": SKIMAGE / "coffee.png",
    "photo_rocket.jpg": SKIMAGE / "rocket.jpg",
    "photo_astronaut.jpg": SKIMAGE / "astronaut.png",
    "photo_temple.jpg": SKLEARN / "china.jpg",
    "photo_flower.jpg": SKLEARN / "flower.jpg",
}


def main() -> None:
    """Write every example."""
    rng = np.random.default_rng(7)
    for digit in STROKES:
        draw_digit(digit, rng).save(FOLDER / f"digit_{digit}.png", optimize=True)
    for shape in ("circle", "star", "heart", "crescent"):
        picture = Image.fromarray(shapes.draw(shape, rng))
        picture.resize((192, 192), Image.Resampling.BICUBIC).save(FOLDER / f"shape_{shape}.jpg", quality=92)
    for name, source in PHOTOS.items():
        photo = Image.open(source).convert("RGB")
        photo.thumbnail((640, 640), Image.Resampling.LANCZOS)
        photo.save(FOLDER / name, quality=85, optimize=True)


def draw_digit(digit: int, rng: np.random.Generator) -> Image.Image:
    """Return a digit as a mouse draws it on a pad: black on white, shaky, its place, size, slant and pen varied."""
    side = PAD * OVERSAMPLING
    canvas = Image.new("L", (side, side), 255)
    pen = rng.uniform(13, 20) * OVERSAMPLING / 2
    size = rng.uniform(0.6, 0.78) * side
    corner = (side - size) / 2 + rng.uniform(-0.06, 0.06, 2) * side
    slant = rng.uniform(-0.14, 0.08)
    ends = {}
    for stroke in STROKES[digit]:
        # A point that two strokes share must stay shared.
        points = np.array([ends.setdefault(point, np.add(point, rng.normal(0, 0.015, 2))) for point in stroke])
        points[:, 0] += slant * (points[:, 1] - 0.5)
        for x, y in smooth_curve(points) * size + corner + tremor(rng, len(points)):
            ImageDraw.Draw(canvas).ellipse((x - pen, y - pen, x + pen, y + pen), fill=0)
    return canvas.reduce(OVERSAMPLING)


def smooth_curve(points: np.ndarray, steps: int = 60) -> np.ndarray:
    """Return the Catmull-Rom spline through `points` (n, 2), with `steps` points for each piece."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return np.vstack([*pieces, points[-1:]])


def tremor(rng: np.random.Generator, num_points: int, steps: int = 60) -> np.ndarray:
    """Return the small smooth wandering of a hand along `smooth_curve`, in pixels."""
    knots = rng.normal(0, 1.5 * OVERSAMPLING, (num_points * 3, 2))
    at = np.linspace(0, len(knots) - 1, (num_points - 1) * steps + 1)
    return np.column_stack([np.interp(at, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)])


if __name__ == "__main__":
    main()
