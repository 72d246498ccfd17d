"""What the Train tab's events answer, without a browser."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import psutil
import pytest

from tests.data.photos import class_folders, write_folder
from vision_app.runs import Run, create_run
from vision_app.training import jobs
from vision_app.training.recipe import make_config
from vision_app.ui.browse_add import add_dataset
from vision_app.ui.tabs import train

SHOWN = ("live", "searched", "settings", "table", "deleted", "stop", "later", "again", "copy", "seen")


@pytest.fixture
def run() -> Run:
    run = create_run(make_config("digits", "lenet5", {"epochs": 4}))
    begin(run)
    return run


def begin(run: Run) -> None:
    """Have a run's status name a process that lives: this one."""
    me = psutil.Process()
    run.update_status(state="running", pid=me.pid, pid_started=me.create_time(), started=me.create_time())


def look(name: str, stopping: tuple = ()) -> dict[str, Any]:
    return dict(zip(SHOWN, train._tick(name, "", False, 0.0, stopping, ()), strict=True))


def test_nothing_new_leaves_the_page_alone(run: Run) -> None:
    run.update_status(state="completed")
    seen = look(run.name)["seen"]
    assert train._tick(run.name, "", False, 0.0, (), seen) == (gr.skip(),) * len(SHOWN)


def test_a_run_that_was_stopped_and_goes_on_can_be_stopped_again(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "launcher_of", lambda run: SimpleNamespace(start=begin))
    stopping, button = train._note_stop(run.name, ())
    assert not button.interactive
    shown = look(run.name, stopping)
    assert "Stopping" in shown["live"] and not shown["stop"].interactive
    run.update_status(state="stopped")
    jobs.resume(run)
    shown = look(run.name, stopping)
    assert "Stopping" not in shown["live"] and shown["stop"].interactive


@pytest.mark.parametrize("file", ["config.json", "status.json", "report.json"])
def test_a_damaged_run_says_so_and_the_others_are_still_there(file: str, run: Run) -> None:
    other = create_run(make_config("digits", "lenet5", {}))
    run.update_status(state="completed")
    (run.path / file).write_text("{")
    shown = look(run.name)
    assert f"The {file} of" in shown["live"] and "is damaged" in shown["live"]
    assert other.name in shown["table"] and not shown["copy"].visible and not shown["again"].visible
    assert other.name in look(other.name)["table"]


def test_settings_of_a_run_whose_data_were_added_later_can_be_copied(tmp_path: Path, data_folder: Path) -> None:
    folder = write_folder(tmp_path / "photos", class_folders(12))
    run = create_run(make_config(str(folder), "lenet5", {"epochs": 4}))
    with pytest.raises(gr.Error, match="add it in the Browse tab"):
        train._copy(run.name)
    added = add_dataset(None, str(folder), "Mine")
    assert train._copy(run.name)[:2] == [added, "lenet5"]
