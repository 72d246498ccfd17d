"""Following a run: it stays until the run ends, and the first interruption stops the run and keeps the best."""

import json
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from vision_app import follow as module
from vision_app.config import RunConfig
from vision_app.errors import InputError
from vision_app.follow import Interruptions, follow, training_answer
from vision_app.runs import Run, Status
from vision_app.training.progress import Validated


class ScriptedRun:
    """A run that passes through given states, one at each look; "ctrl-c" interrupts the one who looks and runs on."""

    name, log_file = "scripted", Path("log.txt")

    def __init__(self, *states: str) -> None:
        self.states, self.stops = list(states), 0

    def config(self) -> RunConfig:
        return RunConfig()

    def status(self) -> Status:
        state = self.states.pop(0)
        if state == "ctrl-c":
            signal.raise_signal(signal.SIGINT)
        return Status(state=state.replace("ctrl-c", "running"), created=1)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(run: ScriptedRun) -> None:
        run.stops += 1

    now = {"epoch": 1, "epochs": 2, "share": 0.3, "images_per_second": 1234.0, "remaining_seconds": 61.0, "message": ""}
    now["validated"] = None
    monkeypatch.setattr("vision_app.training.jobs.stop", stop)
    monkeypatch.setattr("vision_app.training.progress.read_progress", lambda run: SimpleNamespace(**now))
    monkeypatch.setattr(module, "POLL_SECONDS", 0)


def watch(run: ScriptedRun) -> None:
    with Interruptions() as interruptions:
        follow(run, interruptions)


def test_it_stays_until_the_run_ends(capsys: pytest.CaptureFixture) -> None:
    run = ScriptedRun("queued", "running", "running", "completed")
    watch(run)
    assert run.states == [] and run.stops == 0
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == "epoch 1/2, 1,234 images/s, 1 min 01 s left\n"


def test_what_came_of_an_epoch_is_said_once_with_advice(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def at(epoch: int, loss: float, best: int) -> SimpleNamespace:
        validated = Validated(epoch, 0.5 + epoch / 100, loss)
        now = {"epoch": epoch + 1, "epochs": 9, "share": 0.3, "images_per_second": None, "remaining_seconds": None}
        return SimpleNamespace(**now, message="", validated=validated, chosen_epoch=best)

    looks = iter([at(1, 0.4, 1), at(1, 0.4, 1), at(2, 0.7, 1), at(3, 0.9, 1)])
    monkeypatch.setattr("vision_app.training.progress.read_progress", lambda run: next(looks))
    monkeypatch.setattr("vision_app.evaluation.epochs.read_epochs", lambda run, done: done)
    advice = {1: "", 2: "Overfitting.", 3: "Overfitting."}
    monkeypatch.setattr("vision_app.training.remarks.judge", lambda *given: SimpleNamespace(advice=advice[given[2]]))
    run = ScriptedRun(*["running"] * 4, "completed")
    run.config = run.history = lambda: None
    watch(run)
    assert capsys.readouterr().err.splitlines() == [
        "after epoch 1: validation accuracy 51.00 %, loss 0.4 (best)",
        "epoch 2/9",
        "after epoch 2: validation accuracy 52.00 %, loss 0.7",
        "Overfitting.",
        "epoch 3/9",
        "after epoch 3: validation accuracy 53.00 %, loss 0.9",
        "epoch 4/9",
    ]


def test_the_first_interruption_stops_the_run() -> None:
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run = ScriptedRun("running", "ctrl-c", "running", "running", "stopped")
    watch(run)
    assert run.states == [] and run.stops == 1
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers


def test_an_interruption_before_the_first_look_counts_too() -> None:
    run = ScriptedRun("queued", "stopped")
    with Interruptions() as interruptions:
        signal.raise_signal(signal.SIGTERM)
        follow(run, interruptions)
    assert run.stops == 1


def test_the_second_interruption_leaves() -> None:
    run = ScriptedRun("running", "ctrl-c", "running", "ctrl-c", "running")
    with pytest.raises(KeyboardInterrupt):
        watch(run)
    assert run.stops == 1 and run.states == ["running"]


def test_a_run_that_ends_while_it_is_stopped_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_late(run: ScriptedRun) -> None:
        raise InputError("it is not running")

    monkeypatch.setattr("vision_app.training.jobs.stop", too_late)
    run = ScriptedRun("running", "ctrl-c", "running", "completed")
    watch(run)
    assert run.states == []  # looked at until its end


@pytest.mark.parametrize(("state", "exit_code"), [("completed", 0), ("stopped", 0), ("failed", 1), ("interrupted", 1)])
def test_the_answer_tells_how_it_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture, state: str, exit_code: int
) -> None:
    run = Run(tmp_path)
    (tmp_path / "config.json").write_text(RunConfig().to_json())
    run.write_status(Status(state=state, created=1, seconds=90, best_epoch=2, message="the disk is full"))
    answer = training_answer(run, as_json=True)
    document = json.loads(answer.text)
    wanted = {"run": run.name, "state": state, "best_epoch": 2, "seconds": 90, "test_accuracy": None}
    assert wanted.items() <= document.items()
    assert answer.exit_code == exit_code
    assert ("the disk is full" in capsys.readouterr().err) == bool(exit_code)
    assert "1 min 30 s" in training_answer(run, as_json=False).text
    untested = training_answer(run, as_json=True, averaging=True)  # there is no model that could be tested
    assert untested.exit_code == exit_code and "averaged_accuracy" not in json.loads(untested.text)
