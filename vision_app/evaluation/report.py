"""The evaluation report: how a model did on one split, as a frozen value that is JSON in and out."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from vision_app.errors import InputError
from vision_app.evaluation.metrics import METRICS, class_scores, confusion_matrix


class ClassReport(BaseModel):
    """How one class did. In JSON its name is under "class"."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, validate_by_name=True, serialize_by_alias=True)

    name: str = Field(alias="class")
    precision: float
    recall: float
    f1: float
    support: int


class DataHealth(BaseModel):
    """What is wrong with the dataset that a run learned from: kinds that were looked for, and how many of each were found."""

    model_config = ConfigDict(frozen=True)

    checked: tuple[str, ...]
    findings: dict[str, int]
    seconds: float


class Averaged(BaseModel):
    """How the model did when its answers to shifted, and where allowed mirrored, copies of each image were averaged."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    views: int
    accuracy: float
    loss: float
    macro_f1: float


class EvaluationReport(BaseModel):
    """How a model did on one split. Shares are 0..1, the loss is in nats; `metrics` holds every row of METRICS."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, serialize_by_alias=True, protected_namespaces=())

    model: str
    dataset: str
    split: str
    count: int
    accuracy: float
    loss: float
    macro_f1: float
    per_class: tuple[ClassReport, ...]
    confusion: tuple[tuple[int, ...], ...]
    split_id: str
    metrics: dict[str, float] = {}
    parameters: int | None = None
    file_bytes: int | None = None
    training_seconds: float | None = None
    health: DataHealth | None = None
    averaged: Averaged | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The class names in label order."""
        return tuple(entry.name for entry in self.per_class)

    def with_health(self, health: dict[str, Any] | None) -> "EvaluationReport":
        """Return the same with what is known of the dataset's health."""
        return self.model_copy(update={"health": DataHealth(**health) if health else None})

    def with_averaged(self, probabilities: np.ndarray, labels: np.ndarray, views: int) -> "EvaluationReport":
        """Return the same with what averaging over so many views gave; the plain figures stay what they are."""
        names = ("accuracy", "loss", "macro_f1")
        figures = {name: METRICS[name].compute(probabilities, labels) for name in names}
        return self.model_copy(update={"averaged": Averaged(views=views, **figures)})

    def to_json(self) -> str:
        """Return the report as indented, strict JSON."""
        return json.dumps(self.model_dump(mode="json"), indent=2, allow_nan=False)


def evaluate(
    probabilities: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    *,
    model: str,
    dataset: str,
    split: str,
    split_id: str,
    parameters: int | None = None,
    file_bytes: int | None = None,
    training_seconds: float | None = None,
) -> EvaluationReport:
    """Measure predictions against the truth.

    Args:
        probabilities: one row per image that sums to 1, shape (n, k).
        labels: the true classes, integers 0..k-1 of shape (n,).
        classes: the k class names in label order.
        model: name of the model.
        dataset: name of the dataset.
        split: "train", "validation" or "test".
        split_id: which images these were, from `split_id`.
        parameters: number of weights of the model.
        file_bytes: size of the model's file in bytes.
        training_seconds: how long the training took.

    Raises:
        InputError: there is no image, or shapes, labels or probabilities are impossible.
    """
    probabilities, labels = np.asarray(probabilities), np.asarray(labels)
    _check(probabilities, labels, classes, model)
    confusion = confusion_matrix(labels, probabilities.argmax(axis=1), len(classes))
    metrics = {metric.name: metric.compute(probabilities, labels) for metric in METRICS.values()}
    return EvaluationReport(
        model=model,
        dataset=dataset,
        split=split,
        count=len(labels),
        accuracy=metrics["accuracy"],
        loss=metrics["loss"],
        macro_f1=metrics["macro_f1"],
        per_class=_per_class(confusion, classes),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        split_id=split_id,
        metrics=metrics,
        parameters=parameters,
        file_bytes=file_bytes,
        training_seconds=training_seconds,
    )


def split_id(dataset: str, split: str, images: np.ndarray, labels: np.ndarray) -> str:
    """Return a short identifier of exactly these images and labels: two reports with the same one can be ranked.

    Args:
        dataset: name of the dataset.
        split: "train", "validation" or "test".
        images: the dataset's own images before any preprocessing, uint8 of shape (n, h, w, c), or the digests of their
            files, uint8 of shape (n, 32).
        labels: their classes, integers of shape (n,).
    """
    digest = hashlib.sha256(json.dumps([dataset, split, list(images.shape)]).encode())
    digest.update(np.ascontiguousarray(images))
    digest.update(np.ascontiguousarray(labels, dtype="<i8"))
    return digest.hexdigest()[:16]


def _per_class(confusion: np.ndarray, classes: Sequence[str]) -> tuple[ClassReport, ...]:
    rows = zip(classes, *(column.tolist() for column in class_scores(confusion)), strict=True)
    fields = ("name", "precision", "recall", "f1", "support")
    return tuple(ClassReport(**dict(zip(fields, row, strict=True))) for row in rows)


def _check(probabilities: np.ndarray, labels: np.ndarray, classes: Sequence[str], model: str) -> None:
    if not len(labels):
        raise InputError(
            "Expected at least one image to evaluate on, got none; choose another split or a higher limit."
        )
    if probabilities.shape != (len(labels), len(classes)):
        expected, got = f"({len(labels)}, {len(classes)})", tuple(probabilities.shape)
        raise InputError(f"Expected probabilities of shape {expected} (images, classes), got {got} from '{model}'.")
    if labels.min() < 0 or labels.max() >= len(classes):
        got = f"{labels.min()} to {labels.max()}"
        raise InputError(f"Expected labels from 0 to {len(classes) - 1} (one per class), got {got}; check the dataset.")
    if not np.isfinite(probabilities).all():
        raise InputError(
            f"Expected probabilities, but '{model}' answers with values that are not numbers; train it again."
        )
