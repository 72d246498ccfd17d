"""Wrong labels planted among scikit-learn's digits, and cases small enough to see the answer."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from vision_app.data.datasets import load_split
from vision_app.errors import InputError
from vision_app.health.label_errors import cross_validated_probabilities, find_label_errors


def digits() -> tuple[np.ndarray, np.ndarray]:
    images, labels = load_split("digits", "train")
    return images.reshape(len(images), -1).astype(np.float32), labels


def test_planted_errors_are_found_with_their_right_label() -> None:
    features, labels = digits()
    wrong = np.arange(0, len(labels), 20)
    given = labels.copy()
    given[wrong] = (labels[wrong] + 3) % 10
    found = find_label_errors(cross_validated_probabilities(features, given), given)
    right = [error for error in found if error.index in set(wrong.tolist())]
    assert len(right) >= 0.8 * len(wrong) and len(right) >= 0.8 * len(found)
    assert np.mean([error.suggested == labels[error.index] for error in right]) >= 0.95
    scores = [error.score for error in found]
    assert scores == sorted(scores, reverse=True) and all(0 <= score <= 1 for score in scores)


@pytest.mark.parametrize("count", [100, 200, 400])
def test_planted_errors_are_found_in_small_sets_described_by_many_numbers(count: int) -> None:
    features, labels = digits()
    noise = np.random.default_rng(0).normal(0, 4, (count, 300)).astype(np.float32)  # pixels: 0 to 16 and more
    described, given = np.hstack([features[:count], noise]), labels[:count].copy()
    wrong = np.arange(0, count, 20)
    given[wrong] = (labels[wrong] + 3) % 10
    probabilities = cross_validated_probabilities(described, given)
    doubts = 1 - probabilities[np.arange(count), given]
    assert average_precision_score(np.isin(np.arange(count), wrong), doubts) > 0.8


def test_one_obvious_error() -> None:
    labels = np.repeat([0, 1], 20)
    probabilities = np.where(np.eye(2)[labels] == 1, 0.95, 0.05).astype(np.float32)
    given = labels.copy()
    given[3] = 1
    assert [(error.index, error.suggested) for error in find_label_errors(probabilities, given)] == [(3, 0)]
    assert find_label_errors(probabilities, given)[0].score == pytest.approx(0.95, abs=1e-4)
    assert find_label_errors(probabilities, labels) == []


def test_predictions_are_out_of_sample() -> None:
    """Random labels cannot be predicted for images that were held out; a learner that saw them could."""
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(300, 200)).astype(np.float32), rng.integers(0, 2, 300)
    accuracy = (cross_validated_probabilities(features, labels).argmax(1) == labels).mean()
    assert 0.35 < accuracy < 0.65


def test_predictions_are_good_seeded_and_tell_how_far_they_are() -> None:
    features, labels = digits()
    seen = []
    first = cross_validated_probabilities(features, labels, progress=lambda share, _: seen.append(share))
    assert (first.argmax(1) == labels).mean() > 0.93 and seen[-1] == 1
    np.testing.assert_allclose(first.sum(1), 1, atol=1e-5)
    assert np.array_equal(first, cross_validated_probabilities(features, labels))


def test_classes_smaller_than_the_folds() -> None:
    features, labels = digits()
    labels = np.where(labels == 9, 8, labels)[:300]
    labels[:2], labels[2] = 9, 10
    result = cross_validated_probabilities(features[:300], labels, num_classes=12)
    assert result.shape == (300, 12) and np.isfinite(result).all()
    assert result[2, 10] == 1 and result[:, 11].max() == 0
    assert 2 not in [error.index for error in find_label_errors(result, labels)]


def test_one_class_or_nothing_at_all() -> None:
    same = np.zeros(6, int)
    assert find_label_errors(cross_validated_probabilities(np.eye(6, dtype=np.float32), same), same) == []
    assert cross_validated_probabilities(np.zeros((0, 4), np.float32), same[:0]).shape[0] == 0


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="labels"):
        find_label_errors(np.ones((3, 2)) / 2, np.zeros(4, int))
    with pytest.raises(InputError, match="below 2"):
        find_label_errors(np.ones((3, 2)) / 2, np.array([0, 1, 2]))
    with pytest.raises(InputError, match="folds"):
        cross_validated_probabilities(np.ones((3, 2)), np.zeros(3, int), folds=1)
