"""Comparison: who is ranked against whom, and tables that are safe to open."""

import csv
import io
import json
from pathlib import Path

import pytest

from vision_app.config import RunConfig
from vision_app.evaluation.compare import ComparisonRow, compare, comparison_rows
from vision_app.evaluation.report import ClassReport, EvaluationReport
from vision_app.runs import Run, Status


def row(name: str, accuracy: float | None, split: str | None = "s", dataset: str = "d", **more) -> ComparisonRow:
    return ComparisonRow(name=name, dataset=dataset, model="m", test_accuracy=accuracy, split_id=split, **more)


def report(**changes) -> EvaluationReport:
    values = {
        "model": "m",
        "dataset": "digits",
        "split": "test",
        "count": 2,
        "accuracy": 0.5,
        "loss": 1.0,
        "macro_f1": 0.4,
    }
    entry = ClassReport(name="0", precision=0.5, recall=1, f1=0.5, support=2)
    return EvaluationReport(**{**values, "per_class": (entry,), "confusion": ((2,),), "split_id": "s", **changes})


def write_run(path: Path, stored: str | None = None) -> Run:
    path.mkdir()
    (path / "config.json").write_text(RunConfig(dataset="digits", model="lenet5").to_json())
    (path / "status.json").write_text(
        Status(state="completed", created=1, seconds=9.5, parameters=60_000).model_dump_json()
    )
    if stored is not None:
        (path / "report.json").write_text(stored)
    return Run(path)


def test_only_the_same_split_is_ranked() -> None:
    rows = [row("a", 0.9), row("b", 0.95), row("c", 0.99, "other"), row("d", None), row("e", 0.1, dataset="d2")]
    got = [(entry.name, entry.rank) for entry in compare(rows).rows]
    assert got == [("b", 1), ("a", 2), ("c", 1), ("e", 1), ("d", None)]


def test_equal_accuracies_share_a_rank() -> None:
    rows = compare([row("a", 0.9), row("b", 0.9), row("c", 0.8)]).rows
    assert [entry.rank for entry in rows] == [1, 1, 3]


def test_json_and_csv_hold_plain_numbers() -> None:
    comparison = compare([row("a", 0.9, parameters=1000, loss=0.25)])
    assert json.loads(comparison.to_json())[0]["parameters"] == 1000
    (record,) = csv.DictReader(io.StringIO(comparison.to_csv()))
    assert (record["test_accuracy"], record["parameters"], record["loss"]) == ("0.9", "1000", "0.25")
    assert record["macro_f1"] == ""
    assert list(record) == list(ComparisonRow.model_fields)


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@A1", "\t=1", "\r=1", " =1", '=HYPERLINK("x";"y"),z'])
def test_csv_runs_no_formula(name: str) -> None:
    (record,) = csv.DictReader(io.StringIO(compare([row(name, 0.5)]).to_csv(), newline=""))
    assert record["name"] == f"'{name}"


def test_markdown_keeps_its_columns_and_shows_readable_numbers() -> None:
    text = compare(
        [row("a|b\nc<img>", 0.99527, parameters=1_234_567, latency_ms=12.345, file_bytes=456_000)]
    ).to_markdown()
    header, rule, line = text.splitlines()
    assert "| a\\|b c&lt;img> |" in line
    assert line.replace("\\|", "").count("|") == header.count("|") == rule.count("|")
    for cell in ("99.53 %", "1.2 M", "12.345 ms", "456.0 kB"):
        assert f" {cell} " in line


def test_a_column_has_the_same_decimals_throughout() -> None:
    rows = [row("a", 0.9, loss=0.03596, latency_ms=0.0417), row("b", 0.8, loss=12.99365, latency_ms=2.86)]
    header, cells = compare(rows).to_cells()
    columns = dict(zip(header, zip(*cells, strict=True), strict=True))
    assert columns["Loss"] == ("0.0360", "12.9937")
    assert columns["Latency"] == ("0.042 ms", "2.860 ms")


def test_a_loss_that_has_run_away_stays_short() -> None:
    header, (cells,) = compare([row("a", 0.1, loss=2.5e11)]).to_cells()
    assert cells[header.index("Loss")] == "2.5e11"


def test_rows_are_read_from_runs(tmp_path: Path) -> None:
    tested = write_run(tmp_path / "tested", report(parameters=61_000).to_json())
    tested.model_file.write_bytes(b"12345")
    untested = write_run(tmp_path / "untested")
    first, second = comparison_rows([tested, untested], latency=lambda run: 0.25 if run == tested else None)
    assert first == ComparisonRow(
        name="tested",
        dataset="digits",
        model="lenet5",
        parameters=61_000,
        file_bytes=5,
        test_accuracy=0.5,
        macro_f1=0.4,
        loss=1.0,
        latency_ms=0.25,
        training_seconds=9.5,
        test_images=2,
        split_id="s",
        state="completed",
    )
    measured = {"test_accuracy", "macro_f1", "loss", "latency_ms", "test_images", "split_id", "rank", "file_bytes"}
    assert not any(getattr(second, field) for field in measured)
    assert (second.parameters, second.training_seconds, second.state) == (60_000, 9.5, "completed")


def test_reports_may_come_from_elsewhere(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", report().to_json())
    (got,) = comparison_rows([run], report=lambda _: report(dataset="mnist", accuracy=0.75))
    assert (got.dataset, got.test_accuracy) == ("mnist", 0.75)


@pytest.mark.parametrize("stored", ["{", '{"accuracy": 1}', "[]"])
def test_a_damaged_report_counts_as_none(tmp_path: Path, stored: str) -> None:
    (got,) = comparison_rows([write_run(tmp_path / "run", stored)])
    assert got.test_accuracy is None and got.split_id is None
