"""What the Compare tab's table is told, without a browser."""

from pathlib import Path

import pytest

from tests.ui.compared_runs import isolate, make
from vision_app.ui import compare_view as view
from vision_app.ui.compare_latency import measure
from vision_app.ui.compare_table import EMPTY, latency_cell, table_value


@pytest.fixture(autouse=True)
def _only_these_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


def table() -> dict[str, dict]:
    """Return the rows of the table by name."""
    listing = view.list_all()
    value = table_value(listing, listing.comparison.rows, [], {})
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


def test_titles_are_shown_and_names_kept_where_they_are_typed() -> None:
    make("mine", dataset="cifar10", model="fast_cnn", split="195a126f38e8ebb2", input_size=32)
    row = table()["mine"]
    assert row["name"]["text"] == "mine"
    assert (row["dataset"]["text"], row["dataset"]["value"]) == ("CIFAR-10", "CIFAR-10")
    assert row["dataset"]["hint"] == "cifar10: test, 20 images, split 195a126f"
    assert (row["model"]["text"], row["model"]["hint"]) == ("Fast CNN", "fast_cnn")


def test_states_have_the_words_and_classes_of_the_runs_table() -> None:
    make("ended", state="stopped")
    assert table()["ended"]["state"] == {"text": "Stopped", "value": "stopped"}


def test_a_run_without_results_has_a_state_and_no_numbers() -> None:
    make("waiting", None, state="interrupted")
    row = table()["waiting"]
    assert row["state"]["value"] == "interrupted" and row["dataset"]["hint"] == "digits"
    assert {row[field]["value"] for field in ("rank", "test_accuracy", "macro_f1", "loss", "file_bytes")} == {None}


def test_latencies_of_any_size_have_the_same_decimals() -> None:
    run = make("run")
    measure(run)
    assert table()["run"]["latency_ms"] == latency_cell(0.5) == {"text": "0.500 ms", "value": 0.5}
    assert [latency_cell(value)["text"] for value in (0.0417, 2.86, None)] == ["0.042 ms", "2.860 ms", "-"]


def test_the_filters_go_into_the_address_and_an_empty_table_says_why() -> None:
    assert table_value(view.list_all(), [], [], {"dataset": ""})["empty"] == EMPTY
    make("one")
    value = table_value(view.list_all(), [], ["one"], {"dataset": "digits", "split": ""})
    assert value["address"] == {"dataset": "digits", "split": ""} and value["chosen"] == ["one"]
    assert value["empty"] == "No model passes the filter."
