"""The handlers of the Compare tab."""

import csv
import io
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from tests.ui.compared_runs import isolate, make
from vision_app.ui.compare_layout import AXES
from vision_app.ui.tabs import compare as tab


@pytest.fixture(autouse=True)
def _some_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)
    make("one", 3)
    make("two", 0)
    make("star", 1, split="s2", dataset="shapes")


def opened(chosen: list[str] | None = None, was: str = "all", **query: str) -> tuple:
    """Return (dataset, split, table, chosen, buttons' labels) of the tab as it opens."""
    request = SimpleNamespace(query_params=query)
    got = tab._open(chosen or [], was, "all", AXES[0], request)
    dataset, split, table, _, chosen, _, _, *buttons = got
    return dataset.value, split.value, table, chosen, [button.value for button in buttons]


def names(table: dict) -> list[str]:
    return [row["name"]["value"] for row in table["rows"]]


def test_opens_on_everything() -> None:
    dataset, split, table, chosen, buttons = opened()
    assert (dataset, split, chosen) == ("all", "all", []) and sorted(names(table)) == ["one", "star", "two"]
    assert table["address"] == {"dataset": "", "split": ""}
    assert buttons == ["Download CSV (3 rows)", "Download Markdown (3 rows)"]


def test_the_address_filters_and_chooses() -> None:
    dataset, split, table, chosen, buttons = opened(tab="compare", dataset="shapes", split="s2", models="two,gone")
    assert (dataset, split, chosen, names(table)) == ("shapes", "s2", ["two"], ["star"])
    assert table["address"] == {"dataset": "shapes", "split": "s2"} and table["chosen"] == ["two"]
    assert buttons[0] == "Download CSV (1 row)"


@pytest.mark.parametrize(
    "query",
    [{"dataset": "none"}, {"dataset": "digits", "tab": "browse"}, {"split": "train", "models": "<b>"}],
)
def test_what_is_not_this_tabs_own_is_left_out(query: dict[str, str]) -> None:
    dataset, split, _, chosen, _ = opened(**{"tab": "compare", **query})
    assert (dataset, split, chosen) == ("all", "all", [])


def test_coming_back_keeps_filter_and_choice() -> None:
    dataset, _, table, chosen, _ = opened(["two"], "digits", tab="compare")
    assert (dataset, chosen) == ("digits", ["two"]) and table["address"]["dataset"] == "digits"


def test_another_dataset_drops_a_split_that_it_has_not() -> None:
    split, table = tab._narrow("digits", "s2", [])
    assert split.value == "all" and sorted(names(table)) == ["one", "two"]


def test_the_buttons_follow_and_are_off_without_a_row() -> None:
    _, csv_button, markdown = tab._follow(["one", "two"], "all", "all")
    assert (csv_button.value, csv_button.interactive) == ("Download CSV (2 rows)", True)
    _, csv_button, markdown = tab._follow([], "mnist", "all")
    assert (markdown.value, markdown.interactive) == ("Download Markdown (0 rows)", False)


def test_downloads_are_written_in_the_order_of_the_page() -> None:
    rows = csv.DictReader(io.StringIO(tab._csv(["star", "one"])))
    assert [row["name"] for row in rows] == ["star", "one"]
    assert [line.split(" | ")[1] for line in tab._markdown(["two", "one"]).splitlines()[2:]] == ["two", "one"]
    with pytest.raises(gr.Error, match="list of model names"):
        tab._csv("one")


def test_latencies_come_one_by_one() -> None:
    steps = list(tab._measure())
    assert [len(step["cells"]) for step in steps] == [0, 1, 2, 3]
    assert steps[0]["text"].startswith("Measuring latency: 0 of 3") and steps[-1]["text"] == ""
    assert steps[-1]["cells"]["two"] == {"text": "0.500 ms", "value": 0.5}


def test_a_choice_is_drawn() -> None:
    chosen, shown = tab._choose(AXES[0], SimpleNamespace(_data={"names": ["two", "one"]}))
    assert chosen == ["two", "one"] and shown.count('class="vw-matrix"') == 2
