"""The recipe's parts that need no training."""

from types import SimpleNamespace

import numpy as np
import pytest

from vision_app.runs import create_run
from vision_app.training import train as recipe
from vision_app.training.callbacks import Stopped
from vision_app.training.recipe import make_config
from vision_app.training.train import DownloadMessages, train


@pytest.mark.parametrize("count", [7, 400, 5001, 9999])
def test_pixels_are_measured_by_channel(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(count).integers(0, 256, (count, 4, 4, 3)).astype(np.uint8)
    images[..., 1] //= 2
    scaling = recipe._measure(images)
    exact = count <= 5000
    assert scaling.mean == pytest.approx(images.mean((0, 1, 2)), rel=1e-9 if exact else 0.01)
    assert scaling.deviation == pytest.approx(images.std((0, 1, 2)), rel=1e-9 if exact else 0.01)


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
