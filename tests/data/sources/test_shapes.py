"""The generated shapes: seeded, balanced, and not to be told apart without looking at the outline."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from vision_app.data.datasets import load_split
from vision_app.data.preprocess import preprocess
from vision_app.data.sources import shapes


def test_the_seed_decides() -> None:
    images, labels = shapes.generate(24, 5)
    again, other = shapes.generate(24, 5), shapes.generate(24, 6)
    assert np.array_equal(images, again[0]) and np.array_equal(labels, again[1])
    assert not np.array_equal(images, other[0]) and not np.array_equal(labels, other[1])
    assert images.shape == (24, 48, 48, 3) and images.dtype == np.uint8 and labels.dtype == np.int64


@pytest.mark.parametrize("count", [16, 83])
def test_classes_are_balanced_and_mixed(count: int) -> None:
    labels = shapes.generate(count, 0)[1]
    counts = np.bincount(labels, minlength=len(shapes.CLASSES))
    assert counts.max() - counts.min() <= 1
    assert (np.diff(labels) < 0).any()


def area(outline: np.ndarray) -> float:
    x, y = outline.T
    return abs(float(x @ np.roll(y, -1) - y @ np.roll(x, -1))) / 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("circle", np.pi),
        ("square", 2),
        ("triangle", 3 * np.sqrt(3) / 4),
        ("pentagon", 2.5 * np.sin(2 * np.pi / 5)),
        ("star", 5 * 0.42 * np.sin(np.pi / 5)),
        ("cross", (2 * 0.32) ** 2 + 4 * 0.64 * 0.68),
        ("heart", 180 * np.pi / 17**2),
    ],
)
def test_outlines_have_the_area_of_their_shape(name: str, expected: float) -> None:
    assert area(shapes.OUTLINES[name]()) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("name", shapes.CLASSES)
def test_every_outline_fits_the_unit_circle(name: str) -> None:
    radii = np.hypot(*shapes.OUTLINES[name]().T)
    assert 0.9 < radii.max() < 1.1
    assert area(shapes.OUTLINES[name]()) > 0.5


@pytest.mark.parametrize("name", shapes.CLASSES)
def test_every_shape_stands_out(name: str) -> None:
    generator = np.random.default_rng(0)
    for _ in range(10):
        picture = shapes.draw(name, generator).astype(float)
        assert np.ptp(picture, axis=(0, 1)).max() > 50


@pytest.mark.parametrize(
    "simple",
    [make_pipeline(StandardScaler(), LogisticRegression(max_iter=100, C=0.01)), KNeighborsClassifier(5)],
    ids=["logistic regression", "nearest neighbours"],
)
def test_pixels_alone_do_not_tell_the_classes_apart(simple: object) -> None:
    (images, labels), (test_images, test_labels) = load_split("shapes", "train"), load_split("shapes", "test")
    train, test = (preprocess(part, 8, 3).reshape(len(part), -1) / 255.0 for part in (images[:2000], test_images))
    assert simple.fit(train, labels[:2000]).score(test, test_labels) < 0.6
