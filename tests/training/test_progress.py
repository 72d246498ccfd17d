"""How far a run is, from run directories written by hand."""

import time

import psutil
import pytest

from vision_app.runs import Run, create_run
from vision_app.training.progress import measure
from vision_app.training.recipe import make_config


@pytest.fixture
def run() -> Run:
    """A run in its second epoch of four, one step a second, whose process is this one."""
    me = psutil.Process()
    run = create_run(make_config("digits", "simple_cnn", {"epochs": 4}))
    begun = {"started": time.time() - 20, "steps_per_epoch": 10}
    run.update_status(state="running", pid=me.pid, pid_started=me.create_time(), **begun)
    return run


def history(steps: int) -> list[dict]:
    now = time.time()
    return [
        {"kind": "batch", "step": step, "epoch": (step + 1) / 10, "time": now - steps + step, "images_per_second": 64.0}
        | {"learning_rate": 0.1 / (step + 1)}
        for step in range(steps)
    ]


def test_a_running_run_says_what_is_left(run: Run) -> None:
    progress = measure(run, history(15))
    assert (progress.epoch, progress.step, progress.total_steps, progress.share) == (2, 15, 40, 0.375)
    assert progress.remaining_seconds == pytest.approx(24, abs=2)
    assert progress.has_begun and not progress.testing
    assert progress.learning_rate == pytest.approx(0.1 / 15)


def test_a_pause_before_it_went_on_is_no_part_of_its_pace(run: Run) -> None:
    lines = history(15)
    for line in lines[:8]:
        line["time"] -= 36_000
    progress = measure(run, lines)
    assert progress.remaining_seconds == pytest.approx(24, abs=2)


def test_each_stage_has_a_pace_of_its_own(run: Run) -> None:
    lines = history(15)
    for line in lines[:10]:
        line["time"] -= 1000 * (10 - line["step"])
    run.update_status(started=0.0)
    changes = {"weights": "x", "fine_tune_epochs": 3}
    (run.path / "config.json").write_text(run.config().updated(**changes).to_json())
    assert measure(run, lines).remaining_seconds == pytest.approx(24, abs=2)


def test_a_run_in_its_last_epoch_has_the_rest_of_it_left(run: Run) -> None:
    run.state_folder.mkdir()
    run.last_epoch_file.touch()
    progress = measure(run, history(15))
    assert progress.in_last_epoch and progress.share == 0.375
    assert progress.remaining_seconds == pytest.approx(4, abs=2)
    run.update_status(state="stopped")
    assert not measure(run, history(15)).in_last_epoch


def test_while_the_model_is_tested_nothing_is_left_to_train(run: Run) -> None:
    run.update_status(seconds=15.0, message="Testing the best model")
    progress = measure(run, history(15))
    assert progress.testing
    assert progress.remaining_seconds is None
    run.update_status(state="stopped")
    assert not measure(run, history(15)).testing


def test_a_run_that_waits_has_not_begun() -> None:
    run = create_run(make_config("digits", "simple_cnn", {}))
    progress = measure(run, [])
    assert not progress.has_begun
    assert progress.elapsed_seconds is progress.remaining_seconds is progress.images_per_second is None
