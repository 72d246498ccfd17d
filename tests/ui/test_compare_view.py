"""The Compare tab's table and pictures, without a browser."""

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from vision_app.config import RunConfig
from vision_app.errors import InputError
from vision_app.evaluation.report import evaluate
from vision_app.runs import Run, Status, runs_root
from vision_app.ui import compare_view as view
from vision_app.ui.compare_details import details_html, scatter_html

EVIL = "<img src=x onerror=alert(1)>"
HOSTILE = [EVIL, "=1+1", "a,b", "$\\x_{$", "line\nbreak", "'\"&amp;", "@cmd", "-2+3", "| pipe |", "..."]
LABELS = np.arange(20) % 4


@pytest.fixture(autouse=True)
def _only_these_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("VISION_APP_CHECKPOINTS", str(tmp_path / "checkpoints"))
    view._LATENCIES.clear()
    yield
    view._LATENCIES.clear()


def make(name: str, wrong: int | None = 0, split: str = "first", state: str = "completed", **config: object) -> Run:
    """Write a run with a report on 20 images of which `wrong` are mistaken; None: without a report or a model."""
    classes = config.pop("classes", ("a", "b", "c", "d"))
    settings = {"dataset": "digits", "model": "lenet5", "input_size": 8, "channels": 1, "classes": classes, **config}
    run = Run(runs_root() / name)
    run.path.mkdir(parents=True)
    (run.path / "config.json").write_text(RunConfig.parse(settings).to_json())
    run.write_status(Status(state=state, created=1.0, seconds=12.5, parameters=1000, pid=os.getpid()))
    if wrong is None:
        return run
    answers = LABELS.copy()
    answers[:wrong] = (answers[:wrong] + 1) % 4
    probabilities = np.full((20, 4), 0.01)
    probabilities[np.arange(20), answers] = 0.97
    report = evaluate(
        probabilities, LABELS, classes, model=name, dataset=settings["dataset"], split="test", split_id=split
    )
    (run.path / "report.json").write_text(report.to_json())
    run.model_file.write_bytes(b"k" * 300)
    run.tflite_file.write_bytes(b"t" * 200)
    epochs = [
        {"kind": "epoch", "epoch": e, "step": e, "loss": 1 / e, "val_loss": 2 / e, "accuracy": 0.5, "val_accuracy": 0.4}
        for e in (1, 2, 3)
    ]
    run.history_file.write_text("".join(json.dumps(line) + "\n" for line in epochs))
    return run


def table() -> dict[str, dict]:
    """Return the rows of the table by name."""
    listing = view.list_all()
    value = view.table_value(listing, listing.comparison.rows, [])
    return {row["name"]["value"]: row for row in value["rows"]}


def test_ranks_count_only_within_the_same_test_images() -> None:
    make("good", 1)
    make("better", 0)
    make("elsewhere", 10, split="second")
    make("unfinished", None, state="failed")
    ranks = {name: row["rank"]["text"] for name, row in table().items()}
    assert ranks == {"better": "1 of 2", "good": "2 of 2", "elsewhere": "1 of 1", "unfinished": "-"}


def test_a_row_sorts_by_plain_values_and_reads_in_units() -> None:
    make("run", 5)
    row = table()["run"]
    assert row["test_accuracy"] == {"text": "75.00 %", "value": 0.75}
    assert row["parameters"] == {"text": "1.0 k", "value": 1000}
    assert row["file_bytes"] == {"text": "200 B", "value": 200}
    assert row["training_seconds"] == {"text": "12.5 s", "value": 12.5}
    assert row["latency_ms"] == {"text": "-", "value": None}


def test_a_run_without_results_has_a_state_and_no_numbers() -> None:
    make("waiting", None, state="interrupted")
    row = table()["waiting"]
    assert row["state"]["value"] == "interrupted"
    assert {row[field]["value"] for field in ("rank", "test_accuracy", "macro_f1", "loss", "file_bytes")} == {None}


def test_a_damaged_run_is_named_and_left_out() -> None:
    make("whole")
    (make("torn").path / "config.json").write_text("{")
    listing = view.list_all()
    assert listing.names == ["whole"]
    assert "damaged: torn" in view.note_html(listing)


def test_filters_narrow_and_keep_ranks() -> None:
    make("one", 3)
    make("two", 0)
    make("other", 0, split="third", dataset="shapes")
    rows = view.list_all().comparison.rows
    assert [value for _, value in view.dataset_choices(rows)] == ["all", "digits", "shapes"]
    assert [value for _, value in view.split_choices(rows, "shapes")] == ["all", "third"]
    assert [(row.name, row.rank) for row in view.narrow(rows, "digits")] == [("two", 1), ("one", 2)]
    assert [row.name for row in view.narrow(rows, split="third")] == ["other"]


def test_the_address_names_the_choice() -> None:
    names = ["a,b", "c d", "e"]
    assert view.chosen_in({"models": "a%2Cb,e,unknown,e"}, names) == ["a,b", "e"]
    assert view.chosen_in({}, names) == []
    many = [f"m{i}" for i in range(9)]
    assert view.chosen_in({"models": ",".join(many)}, many) == many[: view.MAX_CHOSEN]


@pytest.mark.parametrize("names", [None, "abc", [1], {"a": 1}, ["unknown"], ["../digits"], ["x"] * 7])
def test_a_choice_from_the_browser_is_checked(names: object) -> None:
    make("digits")
    with pytest.raises(InputError, match=r"Expected|Unknown model"):
        view.check_chosen(names)


def test_a_path_is_no_name(tmp_path: Path) -> None:
    run = make("inside")
    with pytest.raises(InputError, match="Unknown model"):
        view.find_runs([str(run.path)])


def test_latency_is_measured_once_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(view, "run_latency", lambda run: calls.append(run.name) or 0.25)
    run, waiting = make("run"), make("waiting", None, state="failed")
    assert [each.name for each in view.unmeasured()] == ["run"]
    assert view.measured_latency(run) == view.measured_latency(run) == 0.25
    assert view.measured_latency(waiting) is None
    assert calls == ["run"] and view.unmeasured() == []
    assert table()["run"]["latency_ms"] == {"text": "0.25 ms", "value": 0.25}
    run.tflite_file.write_bytes(b"another")
    os.utime(run.tflite_file, ns=(1, 1))
    assert [each.name for each in view.unmeasured()] == ["run"]


def test_a_damaged_model_file_has_no_latency() -> None:
    assert view.measured_latency(make("torn")) is None
    assert view.unmeasured() == []


def test_downloads_hold_the_choice_or_else_what_is_shown() -> None:
    for name, wrong in (("one", 3), ("two", 0), ("three", 6)):
        make(name, wrong)
    listing = view.list_all()
    chosen = view.selection(listing, ["three", "two"]).to_csv()
    rows = list(csv.DictReader(io.StringIO(chosen)))
    assert [(row["name"], row["rank"]) for row in rows] == [("three", "3"), ("two", "1")]
    assert len(view.selection(listing, []).rows) == 3
    assert view.selection(listing, [], dataset="shapes").rows == ()


def test_details_show_curves_matrices_and_f1() -> None:
    shown = details_html([make("one", 3), make("two", 0)])
    assert shown.count('class="vw-matrix"') == 2
    assert "Lowest validation loss: 0.6667 at epoch 3" in shown
    assert "Most often confused" in shown and "No class was taken for another" in shown
    assert "F1 by class, digits (20 test images)" in shown
    assert shown.count('stroke-dasharray="6 4"') >= 4  # validation is dashed, in both charts


def test_models_of_different_splits_get_tables_of_their_own() -> None:
    shown = details_html([make("one"), make("two", split="second")])
    assert shown.count("<h3>F1 by class") == 2


def test_details_say_what_is_missing() -> None:
    shown = details_html([make("failed", None, state="failed")])
    assert "No test results yet: failed." in shown and "No epoch has been finished yet." in shown
    assert "Choose models in the table" in details_html([])


def test_scatter_needs_two_models_of_one_split(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "run_latency", lambda run: 0.5)
    for run in (make("one", 2), make("two", 0, split="second")):
        view.measure(run)
    assert "<svg" not in scatter_html(view.list_all().comparison.rows)
    view.measure(make("three", 1))
    shown = scatter_html(view.list_all().comparison.rows)
    assert shown.count("<svg") == 1 and "two" not in shown


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_text(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "run_latency", lambda run: 0.5)
    runs = [make(name, 2, classes=(name, "b", "c", "d")), make("calm", 1, classes=(name, "b", "c", "d"))]
    for run in runs:
        view.measure(run)
    listing = view.list_all()
    assert view.chosen_in({"models": "a%2Cb" if name == "a,b" else name}, listing.names) == [name]
    shown = details_html(runs) + scatter_html(listing.comparison.rows) + view.note_html(listing)
    assert "<img" not in shown and "onerror=alert(1)>" not in shown
    rows = list(csv.reader(io.StringIO(view.selection(listing, [name]).to_csv())))
    assert len(rows) == 2 and rows[1][0].lstrip("'") == name.lstrip("'")
    assert rows[1][0][0] not in "=+-@"
    markdown = view.selection(listing, [name]).to_markdown()
    assert len(markdown.splitlines()) == 3 and "<img" not in markdown
    json.loads(json.dumps(view.table_value(listing, listing.comparison.rows, [])))
