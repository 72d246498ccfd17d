"""Mixup: images and labels are averaged with the same weights."""

import numpy as np
import pytest

from vision_app.data.augment import Augmenter, make_augmenter
from vision_app.data.augment_mix import mix_labels, mixup, one_hot
from vision_app.data.pipeline import TrainingBatches

IMAGES = np.random.default_rng(0).integers(0, 256, (64, 6, 6, 3), np.uint8)
LABELS = np.random.default_rng(1).integers(0, 5, 64)


@pytest.mark.parametrize("alpha", [1e-6, 0.2, 1.0, 8.0])
def test_an_image_is_the_weighted_sum_of_two(alpha: float) -> None:
    mixed, partners, weights = mixup(IMAGES, alpha, np.random.default_rng(3))
    own = weights.astype(float)[:, None, None, None]
    assert sorted(partners) == list(range(64)) and ((weights >= 0) & (weights <= 1)).all()
    assert np.abs(mixed - (own * IMAGES + (1 - own) * IMAGES[partners])).max() <= 0.501


def test_weights_follow_the_beta_distribution() -> None:
    images = np.zeros((20_000, 1, 1, 1), np.uint8)
    for alpha in (0.2, 1.0, 4.0):
        weights = mixup(images, alpha, np.random.default_rng(0))[2]
        assert weights.mean() == pytest.approx(0.5, abs=0.02)
        assert weights.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.05)


def test_labels_are_mixed_as_the_images_are() -> None:
    partners, weights = np.array([1, 2, 0]), np.array([0.75, 0.5, 0.25], np.float32)
    shares = mix_labels(np.array([0, 1, 1]), 3, partners, weights)
    assert shares.dtype == np.float32
    assert shares.tolist() == [[0.75, 0.25, 0], [0, 1, 0], [0.75, 0.25, 0]]
    assert np.array_equal(one_hot(np.array([2, 0]), 3), [[0, 0, 1], [1, 0, 0]])


def test_a_batch_has_shares_of_classes_that_tell_what_its_images_show() -> None:
    pictures = np.zeros((40, 4, 4, 1), np.uint8) + (np.arange(40) % 4 * 60).astype(np.uint8)[:, None, None, None]
    batches = TrainingBatches(pictures, np.arange(40) % 4, 16, 0, make_augmenter({"mixup": 1}), num_classes=4)
    images, shares = batches.batch(1)
    assert images.dtype == np.uint8 and shares.shape == (16, 4) and shares.dtype == np.float32
    assert shares.sum(1) == pytest.approx(np.ones(16), abs=1e-6)
    assert images[:, 0, 0, 0] == pytest.approx(shares @ (np.arange(4) * 60), abs=0.51)
    assert ((shares > 0.01).sum(1) == 2).any()


def test_without_mixup_batches_are_as_they_were() -> None:
    for augmenter in (None, Augmenter({"mixup": 0.0, "flip": 0.5})):
        labels = TrainingBatches(IMAGES, LABELS, 16, 0, augmenter, num_classes=5).batch(0)[1]
        assert labels.dtype == np.int32 and labels.shape == (16,)
    plain, mixing = Augmenter({"flip": 0.5}), Augmenter({"flip": 0.5, "mixup": 1e-6})
    flipped = plain(IMAGES, np.random.default_rng(2))
    mixed, shares = mixing.with_labels(IMAGES, LABELS, 5, np.random.default_rng(2))
    kept = shares[np.arange(64), LABELS] > 0.999
    assert 10 < kept.sum() < 64  # a tiny alpha keeps an image or swaps it
    own = [np.array_equal(one, other) for one, other in zip(mixed[kept], flipped[kept], strict=True)]
    assert np.mean(own) > 0.5


def test_with_and_without_labels_images_are_the_same() -> None:
    augmenter = make_augmenter({"mixup": -1, "translation": -1})
    images = augmenter.with_labels(IMAGES, LABELS, 5, np.random.default_rng(4))[0]
    assert np.array_equal(images, augmenter(IMAGES, np.random.default_rng(4)))
