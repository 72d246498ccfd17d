"""Strangers planted among digits, and a case small enough to compute by hand."""

import numpy as np
import pytest

from vision_app.data.datasets import load_split
from vision_app.errors import InputError
from vision_app.health.features import extract_features
from vision_app.health.outliers import SUSPICIOUS, join_features, outlier_scores


def test_digits_among_shapes_come_first() -> None:
    shapes, labels = load_split("shapes", "train")
    shapes, labels = shapes[:500], labels[:500]
    digits = np.repeat(load_split("digits", "test")[0][:5], 3, 3)
    features = np.concatenate([extract_features(shapes), extract_features(digits)])
    scores = outlier_scores(features, np.append(labels, [0, 1, 2, 0, 1]))
    assert (np.argsort(-scores)[:8] >= 500).sum() >= 4 and np.mean(scores[500:] > SUSPICIOUS) >= 0.8
    assert np.mean(scores[:500] > SUSPICIOUS) < 0.05


@pytest.mark.parametrize("kind", ["noise", "blank"])
def test_noise_and_blank_images_are_found_by_their_pixels(kind: str) -> None:
    digits, labels = load_split("digits", "train")
    rng = np.random.default_rng(0)
    size = (20, 8, 8, 1) if kind == "noise" else (20, 1, 1, 1)
    planted = np.broadcast_to(rng.integers(0, 256, size, np.uint8), (20, 8, 8, 1))
    thumbs = np.concatenate([digits[:400], planted])
    scores = outlier_scores(extract_features(thumbs), np.append(labels[:400], labels[:20]), thumbs)
    assert (np.argsort(-scores)[:20] >= 400).mean() >= 0.9


def test_the_class_that_an_image_resembles_most_counts() -> None:
    """Three directions, three classes; one image lies in a direction of its own, one has just a wrong label."""
    features = np.repeat(np.eye(4, dtype=np.float32)[:3], 12, 0)
    features += np.random.default_rng(0).normal(0, 0.05, features.shape).astype(np.float32)
    labels = np.repeat([0, 1, 2], 12)
    labels[0] = 2
    features[35] = [0, 0, 0, 1]
    scores = outlier_scores(features, labels)
    assert scores.argmax() == 35 and scores[35] > SUSPICIOUS and scores[0] < SUSPICIOUS


def test_length_does_not_matter_and_parts_weigh_the_same() -> None:
    features = np.random.default_rng(0).normal(size=(60, 5)).astype(np.float32)
    labels = np.arange(60) % 3
    np.testing.assert_allclose(outlier_scores(features * 7, labels), outlier_scores(features, labels), rtol=1e-3)
    joined = join_features(features, 100 * features[:, :2])
    np.testing.assert_allclose(np.linalg.norm(joined[:, :5], axis=1), np.linalg.norm(joined[:, 5:], axis=1), rtol=1e-5)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_tiny_sets_pass(count: int) -> None:
    assert np.isfinite(outlier_scores(np.ones((count, 3), np.float32), np.arange(count))).all()


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="labels"):
        outlier_scores(np.ones((3, 2)), np.zeros(4, int))
