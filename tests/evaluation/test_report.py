"""The evaluation report: its JSON document and what it refuses."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from vision_app.errors import InputError
from vision_app.evaluation.report import ClassReport, EvaluationReport, evaluate, split_id

NAMES = {"model": "net", "dataset": "pets", "split": "test", "split_id": "abc"}
PROBABILITIES = np.array([[0.7, 0.3], [0.6, 0.4], [0.2, 0.8], [0.9, 0.1]])
LABELS = np.array([0, 0, 1, 1])


def strict(text: str):
    def refuse(constant: str):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_report_document() -> None:
    report = evaluate(PROBABILITIES, LABELS, ["cat", "dog"], **NAMES, parameters=12, training_seconds=3.5)
    document = strict(report.to_json())
    assert document["per_class"] == [
        {"class": "cat", "precision": pytest.approx(2 / 3), "recall": 1.0, "f1": pytest.approx(0.8), "support": 2},
        {"class": "dog", "precision": 1.0, "recall": 0.5, "f1": pytest.approx(2 / 3), "support": 2},
    ]
    assert document["confusion"] == [[2, 0], [1, 1]]
    assert document["count"] == 4
    assert document["accuracy"] == document["metrics"]["accuracy"] == 0.75
    assert document["macro_f1"] == pytest.approx((0.8 + 2 / 3) / 2)
    assert document["loss"] == pytest.approx(-np.log([0.7, 0.6, 0.8, 0.1]).mean())
    assert (document["model"], document["dataset"], document["split"]) == ("net", "pets", "test")
    assert document["parameters"] == 12 and document["file_bytes"] is None


def test_report_survives_json_and_is_frozen() -> None:
    report = evaluate(PROBABILITIES, LABELS, ["=cat\n", "$d|og"], **NAMES)
    assert EvaluationReport.model_validate_json(report.to_json()) == report
    assert EvaluationReport.model_validate(report.model_dump()) == report
    assert report.classes == ("=cat\n", "$d|og")
    with pytest.raises(ValidationError):
        report.accuracy = 1.0


def test_report_takes_no_nan() -> None:
    with pytest.raises(ValidationError):
        ClassReport(name="cat", precision=float("nan"), recall=0, f1=0, support=0)


@pytest.mark.parametrize(
    ("probabilities", "labels", "message"),
    [
        (np.empty((0, 2)), np.empty(0, int), "at least one image"),
        (np.ones((4, 3)) / 3, LABELS, r"shape \(4, 2\).*got \(4, 3\)"),
        (PROBABILITIES, np.array([0, 0, 1, 2]), "labels from 0 to 1.*got 0 to 2"),
        (PROBABILITIES, np.array([0, 0, 1, -1]), "labels from 0 to 1.*got -1 to 1"),
        (np.where(PROBABILITIES > 0.8, np.nan, PROBABILITIES), LABELS, "not numbers"),
    ],
)
def test_impossible_input_is_refused(probabilities: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluate(probabilities, labels, ["cat", "dog"], **NAMES)


def test_split_id_follows_the_content() -> None:
    images, labels = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3), np.array([0, 1])
    same = split_id("pets", "test", images, labels)
    assert split_id("pets", "test", images.copy(order="F"), labels.astype(np.int32)) == same
    others = {
        split_id("pets", "train", images, labels),
        split_id("pets", "test", images + 1, labels),
        split_id("pets", "test", images, labels[::-1]),
        split_id("pets", "test", images.reshape(2, 4, 1, 3), labels),
    }
    assert len(others) == 4 and same not in others
