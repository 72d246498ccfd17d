"""The recipe's parts that need no training."""

import json
from types import SimpleNamespace

import pytest

from vision_app.runs import create_run
from vision_app.training import train as recipe
from vision_app.training.callbacks import Stopped
from vision_app.training.recipe import make_config
from vision_app.training.train import DownloadMessages, train


def test_a_download_ends_when_the_run_is_asked_to_end() -> None:
    run = create_run(make_config("digits", "simple_cnn", {}))
    asked = SimpleNamespace(wanted=None)
    say = DownloadMessages(run, asked)
    say.said_at = -10.0
    say(0.1, "Downloading mnist.npz: 1 of 11 MB")
    assert run.status().message == "Downloading mnist.npz: 1 of 11 MB"
    asked.wanted = "stopped"
    with pytest.raises(Stopped, match="stopped"):
        say(0.2, "more")


def test_a_run_that_is_stopped_while_it_downloads_ends_in_that_state(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(config: object, progress: DownloadMessages) -> None:
        progress(0.5, "half")

    monkeypatch.setattr(recipe, "ready_training", load)
    run = create_run(make_config("digits", "simple_cnn", {}))
    assert train(run, SimpleNamespace(wanted="interrupted")) == "interrupted"
    assert not run.model_file.exists()


def test_a_run_that_the_app_ends_while_it_is_tested_is_tested_when_it_goes_on() -> None:
    run = create_run(make_config("digits", "lenet5", {"epochs": 2, "train_limit": 200}))

    class AppEnds:
        @property
        def wanted(self) -> str | None:
            return "interrupted" if run.status().message == "Testing the best model" else None

    assert train(run, AppEnds()) == "interrupted"
    assert run.report() is None and run.model_file.exists()
    learned = run.history()
    assert train(run, SimpleNamespace(wanted=None)) == "completed"
    assert run.report()["count"] == 359 and run.history() == learned


def test_a_model_that_cannot_be_converted_does_not_cost_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    def fail(model: object) -> bytes:
        raise RuntimeError("no such operation")

    monkeypatch.setattr(recipe, "convert", fail)
    run = create_run(make_config("digits", "lenet5", {"epochs": 1, "train_limit": 200}))
    assert train(run, SimpleNamespace(wanted=None)) == "completed"
    report = run.report()
    assert not run.tflite_file.exists() and report["file_bytes"] == run.model_file.stat().st_size
    assert "no such operation" in capsys.readouterr().err


def test_a_run_with_mixup_learns_and_counts_the_larger_part() -> None:
    settings = {"epochs": 3, "train_limit": 600, "augmentation": "mixup", "label_smoothing": 0.05, "batch_size": 32}
    config = make_config("digits", "lenet5", settings)
    run = create_run(config)
    assert train(run, SimpleNamespace(wanted=None)) == "completed"
    epochs = [line for line in map(json.loads, run.history_file.read_text().splitlines()) if line["kind"] == "epoch"]
    assert len(epochs) == 3 and epochs[-1]["loss"] < epochs[0]["loss"]
    assert epochs[-1]["val_accuracy"] > 0.6 and 0.4 < epochs[-1]["accuracy"] < 1
    assert run.report()["accuracy"] > 0.6
