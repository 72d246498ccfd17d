"""What is measured of a model's probabilities. To add a metric, write its function and one row in METRICS."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

# Keras clips at the same value, so a loss printed here equals the one printed while training.
SMALLEST_PROBABILITY = 1e-7


class ClassScores(NamedTuple):
    """Precision, recall, F1 (each 0..1) and number of images of every class; four arrays of shape (k,)."""

    precision: np.ndarray
    recall: np.ndarray
    f1: np.ndarray
    support: np.ndarray


@dataclass(frozen=True)
class Metric:
    """One number that sums up a model's probabilities (n, k) against the true labels (n,)."""

    name: str
    title: str
    description: str
    higher_is_better: bool
    compute: Callable[[np.ndarray, np.ndarray], float]


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """Count how often each class was taken for each other one.

    Args:
        labels: true classes, integers of shape (n,).
        predictions: predicted classes, integers of shape (n,).
        num_classes: number of classes k.

    Returns:
        Counts, int64 of shape (k, k): row = true class, column = predicted class.
    """
    pairs = np.asarray(labels, np.int64) * num_classes + np.asarray(predictions, np.int64)
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_scores(confusion: np.ndarray) -> ClassScores:
    """Return precision, recall and F1 of every class; 0 where there is nothing to divide by.

    Args:
        confusion: counts of shape (k, k), row = true class.
    """
    hits, support, predicted = np.diag(confusion), confusion.sum(axis=1), confusion.sum(axis=0)
    return ClassScores(_share(hits, predicted), _share(hits, support), _share(2 * hits, support + predicted), support)


def accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images whose most probable class is the true one, 0..1."""
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def top_3_accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of images whose true class is among the three most probable ones, 0..1."""
    best = np.argsort(-probabilities, axis=1, kind="stable")[:, :3]
    return float(np.mean((best == labels[:, None]).any(axis=1)))


def balanced_accuracy(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean recall of the classes that have images, 0..1."""
    scores = class_scores(_confusion(probabilities, labels))
    return float(scores.recall[scores.support > 0].mean())


def macro_f1(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean F1 of the classes that were seen or predicted, 0..1."""
    return mean_f1(_confusion(probabilities, labels))


def mean_f1(confusion: np.ndarray) -> float:
    """Return the mean F1, 0..1, of the classes that occur in a confusion matrix (k, k), as true or as predicted ones."""
    occurs = confusion.sum(axis=0) + confusion.sum(axis=1) > 0
    return float(class_scores(confusion).f1[occurs].mean())


def loss(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the mean negative log likelihood of the true classes, in nats."""
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(true.clip(SMALLEST_PROBABILITY, 1.0)).mean())


def _confusion(probabilities: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return confusion_matrix(labels, probabilities.argmax(axis=1), probabilities.shape[1])


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros(len(whole)), where=whole > 0)


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", "Accuracy", "Share of images whose most probable class is the true one.", True, accuracy),
        Metric(
            "macro_f1", "Macro F1", "Mean over the classes of F1, which weighs misses and false alarms.", True, macro_f1
        ),
        Metric("loss", "Loss", "Mean negative log likelihood: how surprised the model is by the truth.", False, loss),
        Metric(
            "balanced_accuracy",
            "Balanced accuracy",
            "Mean over the classes of the share recognised.",
            True,
            balanced_accuracy,
        ),
        Metric(
            "top_3_accuracy",
            "Top-3 accuracy",
            "Share of images whose class is among the first three.",
            True,
            top_3_accuracy,
        ),
    )
}
