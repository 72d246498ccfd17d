"""Which run the Train tab shows, and when there is something new."""

import json
import time

import psutil
import pytest

from tests.ui.stored_runs import batch_line, write_history
from vision_app.runs import Run, create_run, list_runs
from vision_app.training.recipe import make_config
from vision_app.ui import train_runs


@pytest.fixture
def run() -> Run:
    return create_run(make_config("digits", "simple_cnn", {"epochs": 4}))


def begin(run: Run) -> None:
    """Have a run's status name a process that lives: this one."""
    me = psutil.Process()
    run.update_status(state="running", pid=me.pid, pid_started=me.create_time(), started=time.time())


def test_only_plain_names_of_runs_are_found(run: Run) -> None:
    assert train_runs.find_run(run.name) == run
    assert train_runs.find_run(str(run.path)) is None
    assert train_runs.find_run(f"../{run.path.parent.name}/{run.name}") is None
    assert train_runs.find_run("") is None


def test_the_wanted_run_is_opened_without_a_word(run: Run) -> None:
    create_run(make_config("digits", "lenet5", {}))
    assert train_runs.choose_run(run.name) == (run, "")


def test_without_a_wish_the_one_that_runs_is_opened(run: Run) -> None:
    begin(run)
    create_run(make_config("digits", "lenet5", {})).update_status(state="completed")
    assert train_runs.choose_run("") == (run, "")
    run.update_status(state="completed")
    assert train_runs.choose_run("") == (list_runs()[0], "")


def test_a_run_that_is_not_there_is_told_and_another_shown(run: Run) -> None:
    run.update_status(state="completed")
    assert train_runs.choose_run("nope") == (run, "There is no run 'nope' here; the newest one is shown.")
    begin(run)
    assert train_runs.choose_run("nope") == (run, "There is no run 'nope' here; the one that runs is shown.")
    _, sentence = train_runs.choose_run("n" * 5000)
    assert len(sentence) < 150


def test_a_run_that_is_not_there_is_told_where_there_is_none() -> None:
    assert train_runs.choose_run("nope") == (None, "There is no run 'nope' here; there are no runs yet.")
    assert train_runs.choose_run("") == (None, "")


def test_stop_is_there_as_long_as_it_changes_anything(run: Run) -> None:
    assert not train_runs.can_stop(None)
    assert train_runs.can_stop(run)  # it waits
    begin(run)
    assert train_runs.can_stop(run)
    run.update_status(seconds=9.0, message="Testing the best model")
    assert not train_runs.can_stop(run)
    run.update_status(state="completed")
    assert not train_runs.can_stop(run)


def test_an_epoch_can_be_made_the_last_one_once_and_only_while_it_runs(run: Run) -> None:
    run.state_folder.mkdir()
    assert not train_runs.can_stop_after_epoch(None)
    assert not train_runs.can_stop_after_epoch(run)  # it waits
    begin(run)
    assert train_runs.can_stop_after_epoch(run)
    run.last_epoch_file.touch()
    assert not train_runs.can_stop_after_epoch(run) and train_runs.can_stop(run)


def test_a_damaged_run_is_one_more_trace(run: Run) -> None:
    (run.path / "status.json").write_text("{")
    assert train_runs.traces("", False)[1][0][2] == "damaged"


def test_traces_change_when_there_is_something_new_to_show(run: Run) -> None:
    write_history(run, [batch_line(0, 2.0)], state="completed")
    before = train_runs.traces(run.name, False)
    assert train_runs.traces(run.name, False) == before
    assert train_runs.traces(run.name, True) != before
    assert train_runs.traces(run.name, False, stopping=True) != before
    with run.history_file.open("a") as file:
        file.write(json.dumps(batch_line(1, 1.0)) + "\n")
    after = train_runs.traces(run.name, False)
    assert after != before
    create_run(make_config("digits", "lenet5", {}))
    assert train_runs.traces(run.name, False) != after


def test_a_run_that_goes_on_has_been_started_anew(run: Run) -> None:
    before = train_runs.start_of(run.name)
    assert before == train_runs.start_of(run.name) == (run.name, run.status().created)
    run.update_status(state="queued", asked=time.time() + 1)
    assert train_runs.start_of(run.name) != before
    (run.path / "status.json").write_text("{")
    assert train_runs.start_of(run.name) == (run.name, None) and train_runs.start_of("nope") == ("nope", None)


def test_a_run_that_cannot_be_read_is_not_opened_by_itself(run: Run) -> None:
    run.update_status(state="completed")
    newer = create_run(make_config("digits", "lenet5", {}))
    newer.update_status(state="completed", created=time.time() + 10)
    config = json.loads((newer.path / "config.json").read_text())
    (newer.path / "config.json").write_text(json.dumps(config | {"epochs": "many"}))
    assert train_runs.choose_run("") == (run, "")
    assert train_runs.choose_run(newer.name) == (newer, "")
