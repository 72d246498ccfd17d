"""Which labels are probably wrong? Confident learning over predictions for images that the classifier did not learn from."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from vision_app.errors import InputError

Progress = Callable[[float, str], None]
COMPONENTS = 256
IMAGES_PER_COMPONENT = 6  # with fewer, each image has a direction of its own, and none tells of another
STEPS = 100
REGULARIZATION = 1e-2  # C of scikit-learn: small, so that single wrong labels are not learnt by heart
SMALL = 1200  # images; of fewer, each weighs the more, or nothing would be learnt


class LabelError(NamedTuple):
    """A label that is probably wrong: the image's index, how suspicious it is (0 to 1), and the likelier label."""

    index: int
    score: float
    suggested: int


def find_label_errors(probabilities: np.ndarray, labels: np.ndarray) -> list[LabelError]:
    """Find the labels that are probably wrong, most suspicious first.

    Confident learning (Northcutt, Jiang and Chuang, JAIR 2021) as cleanlab does it: how many labels of each class are
    wrong is estimated from the images whose predictions are as sure as that class's average.

    Args:
        probabilities: out-of-sample predictions, shape (n, classes).
        labels: the given ones, 0 to classes - 1, shape (n,).

    Returns:
        The suspicious images only; a score is one minus the probability of the given label (self-confidence): in the
        benchmark it ranks planted errors as well as the normalised margin, or better.

    Raises:
        InputError: other shapes, or labels without a probability.
    """
    import warnings

    from cleanlab.filter import find_label_issues

    _check(probabilities, labels, "probabilities")
    if len(labels) and labels.max() >= probabilities.shape[1]:
        raise InputError(f"Expected labels below {probabilities.shape[1]}, one probability each, got {labels.max()}.")
    if len(np.unique(labels)) < 2:
        return []
    # Rows that do not sum to 1 exactly, as float32 often does not, are refused.
    probabilities = probabilities / probabilities.sum(1, keepdims=True, dtype=np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that few images of a class cannot be judged
        chosen = find_label_issues(labels, probabilities, return_indices_ranked_by="self_confidence", n_jobs=1)
    others = probabilities[chosen].copy()
    others[np.arange(len(chosen)), labels[chosen]] = -1
    scores = 1 - probabilities[chosen, labels[chosen]]
    rows = zip(chosen.tolist(), scores.tolist(), others.argmax(1).tolist(), strict=True)
    return [LabelError(*row) for row in rows]


def cross_validated_probabilities(
    features: np.ndarray,
    labels: np.ndarray,
    folds: int = 5,
    seed: int = 0,
    progress: Progress | None = None,
    num_classes: int | None = None,
) -> np.ndarray:
    """Predict each image by a classifier that learned from the other folds.

    Args:
        features: shape (n, d).
        labels: 0 to classes - 1, shape (n,).
        folds: parts; each is predicted by a multinomial logistic regression on the others.
        seed: decides who is in which part.
        progress: called with the share done, 0 to 1, and a sentence.
        num_classes: columns of the result; by default the largest label plus one.

    Returns:
        float32, shape (n, classes). The only image of a class gets probability 1: there is nothing to judge it by.

    Raises:
        InputError: other shapes, negative labels, or fewer than two folds.
    """
    _check(features, labels, "features")
    if folds < 2:
        raise InputError(f"Expected at least 2 folds, got {folds}.")
    result = np.zeros((len(labels), num_classes or int(labels.max(initial=0)) + 1), np.float32)
    if not len(labels):
        return result
    parts = _parts(labels, folds, seed)
    inputs = _whitened(features)
    for part in range(folds):
        held = parts == part
        if held.any():
            result[held] = _predict(inputs[~held], labels[~held], inputs[held], result.shape[1])
        if progress:
            progress((part + 1) / folds, f"Predicting labels: part {part + 1} of {folds}")
    alone = np.flatnonzero(np.bincount(labels, minlength=1)[labels] == 1)
    result[alone] = 0
    result[alone, labels[alone]] = 1
    return result


def _check(values: np.ndarray, labels: np.ndarray, name: str) -> None:
    if values.ndim != 2 or labels.shape != values.shape[:1]:
        raise InputError(f"Expected {name} (n, d) and labels (n,), got {values.shape} and {labels.shape}.")
    if len(labels) and labels.min() < 0:
        raise InputError(f"Expected labels from 0 on, got {labels.min()}.")


def _parts(labels: np.ndarray, folds: int, seed: int) -> np.ndarray:
    """Deal the images of each class out evenly, going on where the last class ended; a class may be smaller than folds."""
    shuffled = np.random.default_rng(seed).permutation(len(labels))
    parts = np.empty(len(labels), int)
    parts[shuffled[np.argsort(labels[shuffled], kind="stable")]] = np.arange(len(labels)) % folds
    return parts


def _whitened(features: np.ndarray) -> np.ndarray:
    """Return the main components, uncorrelated and of equal variance: logistic regression then takes few steps."""
    sample = features[:: max(1, len(features) // 20_000)].astype(np.float64)
    mean = sample.mean(0)
    values, vectors = np.linalg.eigh((sample - mean).T @ (sample - mean) / max(len(sample), 1))
    count = max(2, min(COMPONENTS, len(features) // IMAGES_PER_COMPONENT))
    keep = np.argsort(-values)[:count]
    scale = np.sqrt(np.maximum(values[keep], 1e-4 * values.max(initial=0) + 1e-12))
    return ((features - mean.astype(np.float32)) @ (vectors[:, keep] / scale).astype(np.float32)).astype(np.float32)


def _predict(inputs: np.ndarray, labels: np.ndarray, held: np.ndarray, num_classes: int) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression

    result = np.zeros((len(held), num_classes), np.float32)
    known = np.unique(labels)
    if len(known) < 2:
        result[:, known] = 1
        return result
    strength = REGULARIZATION * max(1, SMALL / len(inputs))
    model = LogisticRegression(C=strength, max_iter=STEPS, tol=1e-3).fit(inputs, labels)
    result[:, model.classes_] = model.predict_proba(held)
    return result
