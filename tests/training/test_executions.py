"""Several steps handed to Keras at once: measured, and without a trace in what is learned."""

import time
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from vision_app.config import RunConfig
from vision_app.runs import Run, create_run
from vision_app.training import executions, train
from vision_app.training.executions import MOST_STEPS, steps_at_once
from vision_app.training.feed import evaluation_batch
from vision_app.training.recipe import make_config

IMAGES = np.zeros((300, 8, 8, 1), np.uint8)


def slow_model(seconds: float, beside: float = 0.0) -> Any:
    """Return what takes so long to answer an image, and so long beside, however many there are."""
    return lambda images, training: time.sleep(beside + seconds * len(images[0]))


@pytest.mark.parametrize(
    ("seconds", "beside", "batch_size", "steps_per_epoch", "expected"),
    [
        (0, 0, 32, 1000, {MOST_STEPS}),
        (0, 0, 32, 20, {5}),
        (0, 0, 32, 3, {1}),
        (0.00025, 0, 32, 1000, {3, 4}),  # 24 ms a step
        (0.0016, 0, 32, 1000, {1}),
        (0.00025, 0, 100, 1000, {1}),
        (0.0001, 0.02, 32, 1000, set(range(5, 15))),  # 9.6 ms a step; with what is beside it, 70 ms
        (0, 0.02, 32, 1000, {MOST_STEPS}),
    ],
)
def test_so_many_steps_at_once_as_nobody_notices(
    seconds: float, beside: float, batch_size: int, steps_per_epoch: int, expected: set[int]
) -> None:
    config = RunConfig(batch_size=batch_size)
    assert steps_at_once(slow_model(seconds, beside), IMAGES, steps_per_epoch, config) in expected


def test_large_pictures_are_timed_few_at_once() -> None:
    asked: list[int] = []
    large = np.zeros((100, 384, 384, 1), np.uint8)
    steps_at_once(lambda images, training: asked.append(len(images[0])), large, 1000, RunConfig(batch_size=32))
    assert max(asked) == evaluation_batch(384) == 13


def test_a_handful_of_images_is_enough() -> None:
    config = RunConfig(batch_size=32)
    assert steps_at_once(slow_model(0.001), IMAGES[:10], 1000, config) in {2, 3}  # 30 ms a step


def test_a_rate_that_a_callback_lowers_is_looked_at_before_every_step() -> None:
    assert steps_at_once(slow_model(0), IMAGES, 1000, RunConfig(schedule="plateau")) == 1


def trained(run: Run) -> list[np.ndarray]:
    return keras.saving.load_model(run.model_file, compile=False).get_weights()


def test_what_is_learned_does_not_depend_on_how_many_steps_are_done_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    changes = {"epochs": 2, "train_limit": 700, "schedule": "cosine", "warmup_epochs": 0.5, "dropout": 0.3, "ema": 0.9}
    config = make_config("digits", "simple_cnn", changes)  # 19 steps an epoch: not a multiple of 4
    results = []
    for steps in (1, 4):
        monkeypatch.setattr(train, "steps_at_once", lambda *_, steps=steps: steps)
        run = create_run(config)
        assert train.train(run, SimpleNamespace(wanted=None)) == "completed"
        epochs = [line for line in run.history() if line["kind"] == "epoch"]
        curve = [line[name] for line in epochs for name in ("step", "loss", "val_loss", "learning_rate")]
        results.append((curve, trained(run)))
    assert results[0][0] == pytest.approx(results[1][0], rel=1e-4)
    assert max(np.abs(one - other).max() for one, other in zip(results[0][1], results[1][1], strict=True)) < 1e-5


def test_only_tensorflow_is_handed_several_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(executions.keras.backend, "backend", lambda: "jax")
    assert steps_at_once(slow_model(0), IMAGES, 1000, RunConfig()) == 1
