"""Whole training processes: each test starts a real worker on the embedded digits."""

import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest

from vision_app.data.datasets import load_split
from vision_app.data.preprocess import preprocess
from vision_app.errors import InputError
from vision_app.predict import load_classifier
from vision_app.processes import child_environment
from vision_app.runs import Run, create_run, list_runs
from vision_app.training import jobs
from vision_app.training.progress import read_progress
from vision_app.training.recipe import make_config

LONG = {"epochs": 400, "train_limit": 400}


def begin(**overrides: object) -> Run:
    return jobs.start(make_config("digits", "lenet5", overrides))


def until(reached: Callable[[], object], seconds: float = 90) -> None:
    limit = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.05)


def epochs_done(run: Run) -> int:
    return sum(line["kind"] == "epoch" for line in run.history())


def test_a_run_leaves_everything_and_the_report_says_what_the_served_model_does(trained_run: Run) -> None:
    status, config, report = trained_run.status(), trained_run.config(), trained_run.report()
    assert status.state == "completed"
    assert status.finished >= status.started >= status.created
    images, labels = load_split("digits", "test")
    classifier = load_classifier(trained_run)
    answers = classifier.probabilities(preprocess(images, config.input_size, config.channels, config.fit)).argmax(1)
    assert report["accuracy"] == pytest.approx(np.mean(answers == labels))
    assert np.trace(report["confusion"]) == np.sum(answers == labels)
    assert sorted(path.name for path in trained_run.path.iterdir()) == [
        "config.json", "history.jsonl", "log.txt", "model.keras", "model.tflite", "report.json", "status.json", "strip", "validation.jsonl",
    ]  # fmt: skip


def test_the_history_is_complete_and_agrees_with_the_status(trained_run: Run) -> None:
    config, status = trained_run.config(), trained_run.status()
    history = trained_run.history()
    epochs = [line for line in history if line["kind"] == "epoch"]
    steps = [line["step"] for line in history if line["kind"] == "batch"]
    assert [line["epoch"] for line in epochs] == list(range(1, config.epochs + 1))
    assert steps == list(range(status.steps_per_epoch * config.epochs))
    best = max(epochs, key=lambda line: (line["val_accuracy"], -line["epoch"]))
    assert status.best_epoch == best["epoch"]
    assert status.best_value == pytest.approx(best["val_accuracy"], abs=1e-5)
    assert all(line["images_per_second"] > 0 for line in history if line["kind"] == "batch")


def test_the_saved_model_has_no_optimizer_state(trained_run: Run) -> None:
    parameters = trained_run.status().parameters
    assert trained_run.model_file.stat().st_size < 4 * parameters * 1.25 + 40_000


def test_the_same_config_gives_the_same_run(trained_run: Run) -> None:
    again = jobs.start(trained_run.config())
    jobs.wait(again)
    before, after = ([line for line in run.history() if line["kind"] == "epoch"] for run in (trained_run, again))
    for first, second in zip(before, after, strict=True):
        assert first["loss"] == pytest.approx(second["loss"], rel=1e-4)
        assert first["val_accuracy"] == pytest.approx(second["val_accuracy"], abs=0.01)


def test_stop_keeps_the_best_model_and_tests_it() -> None:
    run = begin(**LONG)
    until(lambda: epochs_done(run) >= 2)
    jobs.stop(run)
    assert jobs.wait(run, 60)
    assert run.status().state == "stopped"
    assert run.report()["count"] == 359
    assert load_classifier(run).probabilities(np.zeros((1, 32, 32, 1))).shape == (1, 10)
    with pytest.raises(InputError, match="not running"):
        jobs.stop(run)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ({"state": "queued"}, "has not begun, so there is no epoch to finish; stop it at once"),
        ({"state": "running", "seconds": 9.0}, "it is being tested"),
        ({"state": "completed"}, "it is completed"),
    ],
)
def test_only_a_run_that_is_in_an_epoch_can_finish_it(trained_run: Run, status: dict, words: str) -> None:
    run = create_run(trained_run.config())
    run.state_folder.mkdir()
    me = psutil.Process()
    run.update_status(pid=me.pid, pid_started=me.create_time(), **status)
    with pytest.raises(InputError, match=words):
        jobs.stop_after_epoch(run)
    assert not run.last_epoch_file.exists()
    run.update_status(state="running", seconds=None)
    jobs.stop_after_epoch(run)
    assert run.last_epoch_file.exists()


def test_a_killed_worker_leaves_a_model_that_loads_and_is_known_as_interrupted() -> None:
    run = begin(**LONG)
    until(lambda: run.model_file.exists())
    os.kill(run.status().pid, signal.SIGKILL)
    jobs.wait(run)
    assert run.status().state == "interrupted"
    import keras

    model = keras.saving.load_model(run.model_file, compile=False)
    assert model(np.zeros((1, 32, 32, 1), np.float32)).shape == (1, 10)
    json.loads((run.path / "status.json").read_text())


def test_terminate_saves_and_marks_interrupted() -> None:
    run = begin(**LONG)
    until(lambda: epochs_done(run) >= 1)
    os.kill(run.status().pid, signal.SIGTERM)
    assert jobs.wait(run, 30)
    assert run.status().state == "interrupted"
    assert run.model_file.exists()


def test_one_trains_while_the_others_wait_oldest_first_and_a_waiting_one_can_be_stopped() -> None:
    first, second, third = (begin(**LONG) for _ in range(3))
    until(lambda: first.status().state == "running")
    until(lambda: third.status().pid is not None)
    jobs.stop(second)
    jobs.wait(second)
    assert [run.status().state for run in (first, second, third)] == ["running", "stopped", "queued"]
    os.kill(first.status().pid, signal.SIGKILL)  # the lock goes with the process
    until(lambda: third.status().state == "running")
    assert sum(run.status().state == "running" for run in list_runs()) == 1
    os.kill(third.status().pid, signal.SIGKILL)
    jobs.wait(third)


def test_a_run_that_ends_between_two_looks_is_no_error(trained_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    status = trained_run.status().model_copy(update={"state": "running", "pid": 2**22 - 1})
    monkeypatch.setattr(Run, "status", lambda run: status)
    jobs.stop(trained_run)
    assert trained_run._status().state == "completed"


def test_a_damaged_run_does_not_keep_the_others_from_being_ended(tmp_path: Path) -> None:
    run = begin(**LONG)
    until(lambda: run.status().pid)
    damaged = list_runs()[0].path.parent / "20990101-000000-digits-lenet5-dead"
    damaged.mkdir()
    (damaged / "config.json").write_text("{}")
    (damaged / "status.json").write_text("{")
    jobs.interrupt_all()
    assert jobs.wait(run, 60) and run.status().state == "interrupted"
    assert Run(damaged).state() == "damaged"


def test_a_run_that_diverges_fails_in_words_and_shows_its_log() -> None:
    wishes = {"epochs": 3, "train_limit": 200, "optimizer": "sgd", "learning_rate": 100, "l2": 1}
    run = jobs.start(
        make_config("digits", "simple_cnn", wishes)
    )  # the penalty throws weights beyond zero, ever farther
    jobs.wait(run)
    status = run.status()
    assert status.state == "failed"
    assert "Lower the learning rate" in status.message
    assert "TrainingFailed" in run.log_tail()


def test_secrets_do_not_reach_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "MY_PASSWORD", "SOME_API_KEY", "OPENAI_KEY", "HF_HUB_PAT"):
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("KEYBOARD_PATH", "kept")
    assert child_environment()["KEYBOARD_PATH"] == "kept"
    assert "canary" not in child_environment().values()
    assert child_environment()["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


def test_progress_of_a_finished_run(trained_run: Run) -> None:
    progress = read_progress(trained_run)
    assert progress.share == 1
    assert (progress.epoch, progress.epochs) == (2, 2)
    assert progress.remaining_seconds is None
    assert progress.elapsed_seconds == pytest.approx(trained_run.status().finished - trained_run.status().started)


def test_publish_copies_what_serving_needs_and_no_more(
    trained_run: Run, tmp_path: "os.PathLike[str]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISION_APP_CHECKPOINTS", str(tmp_path))
    published = jobs.publish(trained_run, "mine")
    assert published.is_checkpoint
    assert not published.log_file.exists()
    assert published.report() == {**trained_run.report(), "model": "mine"}
    same = np.random.default_rng(0).integers(0, 255, (5, 32, 32, 1))
    assert np.array_equal(
        load_classifier(published).probabilities(same), load_classifier(trained_run).probabilities(same)
    )


def test_a_checkpoint_of_half_the_size_is_tested_anew(
    trained_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISION_APP_CHECKPOINTS", str(tmp_path))
    whole, half = jobs.publish(trained_run, "whole"), jobs.publish(trained_run, "half", half=True)
    for name in ("model.keras", "model.tflite"):
        assert (half.path / name).stat().st_size < 0.65 * (whole.path / name).stat().st_size
    before, after = whole.report(), half.report()
    assert before.keys() == after.keys() and after["model"] == "half"
    assert after["file_bytes"] == half.tflite_file.stat().st_size != before["file_bytes"]
    assert 0 < abs(after["loss"] - before["loss"]) < 1e-3 and after["count"] == before["count"]
    kept = ("health", "split_id", "training_seconds", "parameters", "classes")
    assert {name: after.get(name) for name in kept} == {name: before.get(name) for name in kept}


def test_publishing_leaves_nothing_of_the_checkpoint_before(
    trained_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISION_APP_CHECKPOINTS", str(tmp_path / "checkpoints"))
    other = Run(tmp_path / "runs" / "other")
    shutil.copytree(trained_run.path, other.path)
    jobs.publish(other, "mine")
    other.tflite_file.unlink()  # as on a machine without TensorFlow
    assert not jobs.publish(other, "mine").tflite_file.exists()
