"""Trying several networks and settings in the Train tab."""

import html
import re

import pytest

from tests.fakes import launch_by
from tests.ui.stored_runs import write_history
from vision_app.errors import InputError
from vision_app.runs import Run, create_run, list_runs
from vision_app.training import jobs
from vision_app.training.recipe import make_config
from vision_app.training.search import start_search
from vision_app.ui import train_search
from vision_app.ui.forms import default_form, read_form
from vision_app.ui.train_overlay import MAX_RUNS

CONFIG = make_config("digits", "lenet5", {"epochs": 3, "seed": 4})


@pytest.fixture(autouse=True)
def _no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    launch_by(monkeypatch, lambda run: None)


def started(models: list[str], *rows: tuple[str, str], number: str = "") -> list[Run]:
    return start_search(train_search.read_search(CONFIG, models, rows, number))


def ended(run: Run, value: float) -> None:
    write_history(run, [], state="completed", best_epoch=2, best_value=value)


def cells(text: str) -> list[list[str]]:
    """Return the texts of the table's rows."""
    rows = re.findall(r"<tr>(.*?)</tr>", text)[1:]
    return [[html.unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(r"<td.*?</td>", row)] for row in rows]


def test_the_rest_of_the_form_is_the_same_in_all_runs() -> None:
    form = read_form("digits", "lenet5", {**default_form("digits", "lenet5"), "label_smoothing": 0.1})
    planned = train_search.read_search(form, [], [("learning_rate", "0.01, 0.001"), ("", ""), (None, None)], None)
    assert [item.config.learning_rate for item in planned] == [0.01, 0.001]
    assert [item.config.updated(learning_rate=form.learning_rate) for item in planned] == [form, form]


def test_networks_settings_and_chance_are_read() -> None:
    rows = [("augmentation", "none | flip,rotation=5"), ("learning_rate", "loguniform(0.001, 0.1)")]
    planned = train_search.read_search(CONFIG, ["lenet5", "simple_cnn"], rows, " 12 ")
    assert len(planned) == 12
    assert {item.config.model for item in planned} == {"lenet5", "simple_cnn"}
    assert {tuple(item.config.augmentation) for item in planned} == {(), ("flip", "rotation")}
    assert {item.config.seed for item in planned} == {4}


@pytest.mark.parametrize(
    ("rows", "number", "words"),
    [
        ([("learning_rate", "")], "", "Expected something to try, got nothing"),
        ([("", "0.1")], "", "Expected the setting that '0.1' is for"),
        ([("seed", "1,2"), ("seed", "3")], "", "Seed is there twice"),
        ([("seed", "1,2")], "many", "Expected a number of combinations to pick, got 'many'"),
        ([("seed", "1,2")], "-1", "got '-1'"),
        ([("seed", "1,-2")], "", r"\(seed=-2\)"),
    ],
)
def test_what_cannot_be_tried_is_refused_in_words(rows: list, number: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        train_search.read_search(CONFIG, [], rows, number)
    assert list_runs() == []


def test_the_table_says_who_is_ahead_and_how_far_it_is() -> None:
    runs = started(["lenet5", "simple_cnn"], ("learning_rate", "0.01,0.1"))
    assert "<h3>0 of 4 runs done</h3>" in train_search.search_html(runs[0])
    ended(runs[1], 0.5)
    ended(runs[2], 0.75)
    text = train_search.search_html(runs[1])
    assert "2 of 4 runs done; best so far: " in text and "Stop all" in text
    assert cells(text)[:2] == [
        ["LeNet-5, learning rate 0.1", "75.00 %", "2", "Completed"],
        ["Simple CNN, learning rate 0.01", "50.00 %", "2", "Completed"],
    ]
    assert [row[1:] for row in cells(text)[2:]] == [["-", "-", "Waiting for the device"]] * 2
    assert f'data-run="{runs[1].name}" title="{runs[1].name}" aria-pressed="true"' in text
    for run, value in ((runs[0], 0.1), (runs[3], 0.2)):
        ended(run, value)
    text = train_search.search_html(runs[3])
    assert "<h3>Best of 4: LeNet-5, learning rate 0.1</h3>" in text and "Stop all" not in text


def test_those_that_ended_early_can_go_on_once_none_is_under_way() -> None:
    runs = started([], ("seed", "1,2"))
    runs[0].update_status(state="interrupted")
    assert "resume-search" not in train_search.search_html(runs[0])
    ended(runs[1], 0.5)
    assert "resume-search" in train_search.search_html(runs[0])
    assert "<h3>Best of the 1 of 2 runs that were trained: seed 2</h3>" in train_search.search_html(runs[0])
    train_search.resume_search(runs[1].name)
    assert runs[0].status().state == "queued" and "resume-search" not in train_search.search_html(runs[0])


def test_a_run_that_is_part_of_no_search_shows_none() -> None:
    alone = create_run(CONFIG)
    assert train_search.search_html(None) == train_search.search_html(alone) == ""
    with pytest.raises(InputError, match="part of no search"):
        train_search.best_together(alone.name)
    with pytest.raises(InputError, match="no longer there"):
        train_search.stop_search("nope")


def test_the_best_are_drawn_together() -> None:
    runs = started([], ("seed", ",".join(map(str, range(MAX_RUNS + 2)))))
    for place, run in enumerate(runs):
        ended(run, place / 10)
    assert train_search.best_together(runs[0].name).split(",") == [run.name for run in reversed(runs[2:])]


def test_all_of_a_search_are_stopped_and_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = []
    monkeypatch.setattr(jobs, "stop", lambda run: stopped.append(run))
    runs = started([], ("seed", "1,2,3"))
    create_run(CONFIG)
    train_search.stop_search(runs[1].name)
    assert stopped == runs[::-1]
