"""Generated digits have MNIST's format."""

import numpy as np
import pytest

from vision_app.data.datasets import DATASETS
from vision_app.data.pipeline import TrainingBatches
from vision_app.data.sources import pen_digits

LABELS = np.repeat(np.arange(10), 6)


def test_the_same_generator_draws_the_same_and_another_one_differently() -> None:
    first, again, other = (pen_digits.draw(LABELS, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert (first != other).any((1, 2, 3)).all()


def test_every_digit_lies_in_a_box_of_20_with_its_mass_in_the_middle() -> None:
    for image in pen_digits.draw(LABELS, np.random.default_rng(0))[..., 0].astype(float):
        rows, columns = np.flatnonzero(image.max(1) > 40), np.flatnonzero(image.max(0) > 40)
        extents = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert 18 <= max(extents) <= 22
        centre = [(image.sum(axis) * np.arange(28)).sum() / image.sum() for axis in (0, 1)]
        assert centre == pytest.approx([14, 14], abs=0.55)
        assert image.max() == 255 or image.max() > 200


@pytest.mark.data("mnist")
def test_a_nearest_neighbour_on_mnist_knows_most_of_them() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    images, labels = DATASETS["mnist"].read("train")
    judge = KNeighborsClassifier(3).fit(images[:6000].reshape(6000, -1), labels[:6000])
    drawn = pen_digits.draw(LABELS, np.random.default_rng(0)).reshape(len(LABELS), -1)
    assert judge.score(drawn, LABELS) > 0.7


def synthesize(labels: np.ndarray, _generator: np.random.Generator) -> np.ndarray:
    """Mark an image as generated, and with its class."""
    return np.broadcast_to((100 + labels[:, None, None, None]).astype(np.uint8), (len(labels), 4, 4, 1))


def test_a_share_of_the_training_images_is_replaced_by_the_same_class() -> None:
    labels = np.arange(2000) % 10
    images = np.zeros((2000, 4, 4, 1), np.uint8)
    batches = TrainingBatches(images, labels, 100, 0, None, synthetic=0.3, synthesize=synthesize)
    seen, truth = map(np.concatenate, zip(*(batches.batch(index) for index in range(20)), strict=True))
    generated = seen[:, 0, 0, 0] > 0
    assert generated.mean() == pytest.approx(0.3, abs=0.04)
    assert np.array_equal(seen[generated, 0, 0, 0] - 100, truth[generated])
    assert not images.any()


def test_without_a_share_nothing_is_replaced() -> None:
    batches = TrainingBatches(np.zeros((20, 4, 4, 1), np.uint8), np.zeros(20), 10, 0, None, 0.0, synthesize)
    assert not batches.batch(0)[0].any()
