"""The metrics against scikit-learn, on random data with classes that are never seen or never predicted."""

import numpy as np
import pytest
from sklearn import metrics as reference

from vision_app.evaluation.metrics import METRICS, class_scores, confusion_matrix

# Each metric by another hand; a new row in METRICS needs one here.
REFERENCES = {
    "accuracy": lambda p, y: reference.accuracy_score(y, p.argmax(1)),
    "macro_f1": lambda p, y: reference.f1_score(y, p.argmax(1), average="macro", zero_division=0),
    "loss": lambda p, y: reference.log_loss(y, p.astype(np.float64), labels=range(p.shape[1])),
    "balanced_accuracy": lambda p, y: reference.recall_score(y, p.argmax(1), labels=np.unique(y), average="macro"),
    "top_3_accuracy": lambda p, y: reference.top_k_accuracy_score(y, p, k=3, labels=range(p.shape[1])),
}


def random_case(seed: int, num_classes: int = 7, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    scores = generator.normal(size=(count, num_classes))
    labels = generator.integers(0, num_classes, count)
    labels[labels == 2] = 3  # class 2 has no image
    labels[labels == 5] = 4  # class 5 neither ...
    scores[:, 5] -= 20  # ... and is never predicted
    scores[:, 6] -= 20  # class 6 has images and is never predicted
    probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return np.maximum(probabilities, 1e-6).astype(np.float32), labels


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", METRICS)
@pytest.mark.filterwarnings("ignore:The y_prob values do not sum to one")
def test_every_metric_equals_its_reference(name: str, seed: int) -> None:
    probabilities, labels = random_case(seed)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    assert METRICS[name].compute(probabilities, labels) == pytest.approx(
        REFERENCES[name](probabilities, labels), abs=1e-6
    )


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
def test_every_metric_knows_which_way_is_better(metric) -> None:
    labels = np.arange(4).repeat(5)
    right = np.eye(4, dtype=np.float32)[labels]
    good, bad = metric.compute(right, labels), metric.compute((1 - right) / 3, labels)
    assert good > bad if metric.higher_is_better else good < bad


def test_confusion_matrix_equals_reference() -> None:
    probabilities, labels = random_case(1)
    predictions = probabilities.argmax(axis=1)
    expected = reference.confusion_matrix(labels, predictions, labels=range(7))
    np.testing.assert_array_equal(confusion_matrix(labels, predictions, 7), expected)


def test_confusion_matrix_takes_small_integer_labels() -> None:
    labels = np.array([150, 200], np.uint8)
    assert confusion_matrix(labels, labels, 201)[200, 200] == 1


def test_class_scores_equal_reference() -> None:
    probabilities, labels = random_case(2)
    predictions = probabilities.argmax(axis=1)
    expected = reference.precision_recall_fscore_support(labels, predictions, labels=range(7), zero_division=0)
    for got, wanted in zip(class_scores(confusion_matrix(labels, predictions, 7)), expected, strict=True):
        np.testing.assert_allclose(got, wanted, atol=1e-12)


def test_loss_of_an_impossible_truth_is_finite() -> None:
    value = METRICS["loss"].compute(np.array([[1.0, 0.0]], np.float32), np.array([1]))
    assert value == pytest.approx(-np.log(1e-7))
