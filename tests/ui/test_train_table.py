"""The table of runs."""

import html
import re

import pytest

from tests.ui.stored_runs import write_history
from vision_app.runs import Run, create_run
from vision_app.training.recipe import make_config
from vision_app.ui.train_table import SETTINGS_LENGTH, monitored, runs_html


@pytest.fixture
def run() -> Run:
    return create_run(make_config("digits", "simple_cnn", {"epochs": 4}))


def settings_of(text: str) -> list[tuple[str, str]]:
    """Return the tooltip and the text of each cell with settings."""
    cells = re.findall(r'<td class="vw-runs-settings" title="([^"]*)">([^<]*)</td>', text)
    return [(html.unescape(full), html.unescape(short)) for full, short in cells]


def test_without_runs_it_says_what_to_do_and_promises_no_seconds() -> None:
    text = runs_html("")
    assert "No runs yet" in text
    assert not re.search(r"\d+ seconds", text)


def test_the_chosen_run_is_pressed_and_others_survive_a_damaged_one(run: Run) -> None:
    other = create_run(make_config("digits", "lenet5", {}))
    (other.path / "config.json").write_text("{broken")
    text = runs_html(run.name)
    assert "damaged" in text
    assert f'data-run="{run.name}" aria-pressed="true"' in text


def test_a_worker_that_died_is_shown_as_interrupted(run: Run) -> None:
    write_history(run, [], state="running", pid=2**22 + 1, pid_started=1.0, started=1.0)
    assert "vw-interrupted" in runs_html("")


def test_runs_are_told_apart_by_what_was_changed(run: Run) -> None:
    run.path.joinpath("config.json").write_text(
        make_config("digits", "simple_cnn", {"epochs": 50, "learning_rate": 0.01}).to_json()
    )
    assert settings_of(runs_html("")) == [("50 epochs, learning rate 0.01",) * 2]


def test_untouched_settings_are_said_to_be_defaults() -> None:
    create_run(make_config("digits", "simple_cnn", {}))
    assert settings_of(runs_html("")) == [("defaults", "defaults")]


def test_many_changes_are_cut_and_told_whole_in_the_tooltip() -> None:
    changes = {"epochs": 50, "learning_rate": 0.01, "batch_size": 7, "seed": 3, "schedule": "cosine", "momentum": 0.5}
    create_run(make_config("digits", "simple_cnn", changes))
    ((full, short),) = settings_of(runs_html(""))
    assert full.endswith("momentum 0.5")
    assert len(short) <= SETTINGS_LENGTH and short.endswith("…")
    assert full.startswith(short.removesuffix(" …"))


@pytest.mark.parametrize(
    ("value", "monitor", "text"),
    [
        (0.989, "val_accuracy", "98.90 %"),
        (0.01234567, "val_loss", "loss 0.0123"),
        (4.1e12, "val_loss", "loss 4.1e12"),
        (0.5, "last_epoch", "50.00 %"),
        (None, "val_loss", "-"),
        (float("nan"), "val_accuracy", "-"),
    ],
)
def test_the_best_value_is_told_as_what_it_is(value: float | None, monitor: str, text: str) -> None:
    assert monitored(value, monitor) == text
