"""Averaging over views, against logits that are averaged by hand."""

import numpy as np
import pytest

from vision_app.evaluation.averaging import average, count_views, views

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (3, 5, 5, 2), np.uint8)
KERNEL = RNG.normal(0, 0.02, (50, 4))


def logits(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) @ KERNEL


def softmax(values: np.ndarray) -> np.ndarray:
    return np.exp(values) / np.exp(values).sum(1, keepdims=True)


@pytest.mark.parametrize("mirror", [False, True])
def test_the_weights_sum_to_one_and_the_image_itself_counts_most(mirror: bool) -> None:
    found = list(views(IMAGES, mirror))
    assert len(found) == count_views(mirror)
    assert sum(weight for weight, _ in found) == 1
    assert sum(weight for weight, view in found if np.array_equal(view, IMAGES)) == (0.25 if mirror else 0.5)
    assert len({view.tobytes() for _, view in found}) == len(found)


def test_a_shift_moves_by_one_pixel_and_fills_with_the_mirrored_edge() -> None:
    _, down, up = (view for _, view in views(IMAGES, mirror=False))
    assert np.array_equal(down[:, 1:, 1:], IMAGES[:, :-1, :-1]) and np.array_equal(down[:, 0, 1:], IMAGES[:, 1, :-1])
    assert np.array_equal(up[:, :-1, :-1], IMAGES[:, 1:, 1:]) and np.array_equal(up[:, :-1, -1], IMAGES[:, 1:, -2])


def test_the_answer_is_that_of_the_mean_logits() -> None:
    def turned(images: np.ndarray) -> np.ndarray:
        return (logits(images) + logits(images[:, :, ::-1])) / 2

    padded = np.stack([np.pad(image, [(1, 1), (1, 1), (0, 0)], mode="reflect") for image in IMAGES])
    shifted = (turned(padded[:, :5, :5]) + turned(padded[:, 2:, 2:])) / 2
    expected = softmax((turned(IMAGES) + shifted) / 2)
    got = average(lambda images: softmax(logits(images)), IMAGES, mirror=True)
    np.testing.assert_allclose(got, expected, atol=1e-6)


def test_a_class_that_is_ruled_out_stays_a_number() -> None:
    got = average(lambda images: np.tile([1.0, 0.0], (len(images), 1)), IMAGES, mirror=False)
    np.testing.assert_allclose(got, np.tile([1, 0], (3, 1)), atol=1e-20)
