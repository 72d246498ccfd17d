"""Transfer in two stages: what is trained when, and that a run goes on from either as if nothing had happened."""

import html
from contextlib import suppress
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import pytest

from tests.fakes import random_pictures
from tests.training.test_state import AskedAfter, curve, trained
from vision_app.config import RunConfig
from vision_app.errors import InputError
from vision_app.models import catalog
from vision_app.models.catalog import MODELS
from vision_app.runs import create_run
from vision_app.training import networks
from vision_app.training import train as recipe
from vision_app.training.callbacks import TrainingFailed
from vision_app.training.plan import Plan, fit_budget, measure
from vision_app.training.recipe import make_config
from vision_app.training.schedules import rate_at
from vision_app.training.state import read_state
from vision_app.ui import train_view

GOING_ON = SimpleNamespace(wanted=None)
SETTINGS = {
    "weights": "imagenet", "epochs": 4, "fine_tune_epochs": 2, "train_limit": 200, "seed": 5, "monitor": "val_loss",
}  # fmt: skip


@pytest.fixture
def pretrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small network with batch norm in place of one that has weights: they are what its seed draws."""
    row = replace(
        MODELS["custom_cnn"], load_pretrained=lambda model, file: None, backbone="dropout5", unfreeze=5, recipe={}
    )
    monkeypatch.setitem(catalog.MODELS, "custom_cnn", row)
    monkeypatch.setattr(recipe, "pretrained_file", lambda *_: None)
    monkeypatch.setattr(recipe, "finish", lambda *_: None)  # its test, which other tests test


def make(**changes: Any) -> RunConfig:
    return make_config("digits", "custom_cnn", SETTINGS | changes)


def trained_layers(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers if layer.trainable_weights]


def test_the_second_stage_trains_the_last_layers_but_no_batch_norm(pretrained: None) -> None:
    config = make(fine_tune_layers=6, l2=1e-3)
    model, _ = networks.make_models(config, random_pictures((20, config.input_size, config.input_size, 1)))
    assert trained_layers(model) == ["dense1", "logits"]
    networks.begin_fine_tuning(model, config)
    # The last six: dropout4, conv5, leaky5, norm5, pool5, dropout5.
    assert trained_layers(model) == ["conv5", "dense1", "logits"]
    assert model.get_layer("conv5").kernel.regularizer is not None
    assert model.get_layer("conv4").kernel.regularizer is None
    networks.begin_fine_tuning(model, config.updated(fine_tune_layers=None))
    assert MODELS["custom_cnn"].unfreeze == 5 and "conv5" in trained_layers(model)


def test_frozen_layers_stand_still_until_their_stage(pretrained: None, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    write = recipe.SaveState.on_epoch_end

    def look(self: Any, epoch: int, logs: Any = None) -> None:
        values = [np.asarray(self.model.get_layer(name).get_weights()[0]) for name in ("conv1", "conv5", "logits")]
        norm = np.concatenate(self.model.get_layer("norm5").get_weights())
        seen.append([value.copy() for value in (*values, norm)])
        write(self, epoch, logs)

    monkeypatch.setattr(recipe.SaveState, "on_epoch_end", look)
    run = create_run(make())
    assert recipe.train(run, GOING_ON) == "completed"
    moved = [[bool((new != old).any()) for new, old in zip(seen[at + 1], seen[at], strict=True)] for at in range(3)]
    first, second = [False, False, True, False], [False, True, True, False]
    assert moved == [first, second, second]
    rates = [line["learning_rate"] for line in run.history() if line["kind"] == "epoch"]
    assert rates == pytest.approx([1e-3, 1e-3, 1e-4, 1e-4])
    steps = [line["step"] for line in run.history()]
    assert steps == sorted(steps) and steps[-1] == 4 * run.status().steps_per_epoch - 1


@pytest.mark.parametrize(
    ("done", "changes"),
    [
        (1, {"optimizer": "sgd", "schedule": "plateau"}),
        (2, {"schedule": "cosine", "ema": 0.9}),
        (3, {"schedule": "cosine", "ema": 0.9}),
    ],
)
def test_a_run_goes_on_from_either_stage_as_if_nothing_had_happened(
    pretrained: None, done: int, changes: dict[str, Any]
) -> None:
    config = make(**changes)
    whole, broken = create_run(config), create_run(config)
    assert recipe.train(whole, GOING_ON) == "completed"
    assert recipe.train(broken, AskedAfter(broken, done)) == "interrupted"
    assert read_state(broken).epoch == done
    keras.backend.clear_session()
    assert recipe.train(broken, GOING_ON) == "completed"
    assert [line["epoch"] for line in broken.history() if line["kind"] == "epoch"] == [1, 2, 3, 4]
    assert np.allclose(curve(broken), curve(whole), rtol=1e-5, atol=1e-6)
    assert max(np.abs(a - b).max() for a, b in zip(trained(broken), trained(whole), strict=True)) < 1e-5
    assert broken.status().best_epoch == whole.status().best_epoch


def test_the_best_model_is_kept_across_stages(pretrained: None) -> None:
    run = create_run(make(fine_tune_learning_rate=30.0, optimizer="sgd"))  # which ruins it
    with suppress(TrainingFailed):
        recipe.train(run, GOING_ON)
    assert run.status().best_epoch in (1, 2)


def test_early_stopping_waits_for_the_last_stage(pretrained: None) -> None:
    run = create_run(make(early_stopping=True, patience=1, min_delta=10.0, epochs=6, fine_tune_epochs=3))
    assert recipe.train(run, GOING_ON) == "completed"
    epochs = [line["epoch"] for line in run.history() if line["kind"] == "epoch"]
    assert epochs == [1, 2, 3, 4, 5]  # the first of its stage is an improvement, the second none


def test_each_stage_has_its_own_rate_and_schedule() -> None:
    config = RunConfig(
        weights="x", epochs=6, fine_tune_epochs=2, schedule="cosine", warmup_epochs=1, learning_rate=1.0,
        fine_tune_learning_rate=0.01,
    )  # fmt: skip
    rates = [rate_at(config, step, 10) for step in range(60)]
    assert rates[9] == pytest.approx(10 / 11) and rates[10] == 1.0 and 0 < rates[39] < 0.01
    assert rates[40] == pytest.approx(0.01) and rates[50] == pytest.approx(0.005) and rates[59] < 1e-4
    alone = config.updated(epochs=4, fine_tune_epochs=0)
    assert rates[:40] == [rate_at(alone, step, 10) for step in range(40)]


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"fine_tune_epochs": 4}, r"\(fine_tune_epochs\) must be below Epochs \(epochs\), here 4, got 4"),
        ({"weights": ""}, r"\(fine_tune_epochs\) need pretrained weights"),
        ({"warmup_epochs": 2}, r"must be below Epochs \(epochs\) before fine-tuning, here 2, got 2"),
        ({"fine_tune_layers": 0}, r"\(fine_tune_layers\) should be greater than or equal to 1"),
    ],
)
def test_what_cannot_be_is_refused(pretrained: None, changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        make(**changes)


@pytest.mark.parametrize(("epochs", "expected"), [(1, 0), (3, 1), (5, 1), (6, 5), (15, 5)])
def test_a_default_does_not_forbid_a_short_run(epochs: int, expected: int) -> None:
    assert make_config("digits", "resnet50", {"epochs": epochs}).fine_tune_epochs == expected
    assert make_config("digits", "resnet50", {"epochs": epochs, "weights": ""}).fine_tune_epochs == 0


def test_both_stages_are_measured_and_fitted_into_a_time(pretrained: None) -> None:
    plan = measure(make())
    assert plan.per_fine_tune_epoch > 0
    times = {"startup": 2, "testing": 1, "per_epoch": 10, "per_epoch_fixed": 0, "per_fine_tune_epoch": 30}
    plan = Plan(parameters=1, num_train=100, memory_bytes=1, device="CPU", **times)
    assert plan.seconds(5, 2) == 3 + 3 * 10 + 2 * 30
    changes, said = fit_budget(make(epochs=8, fine_tune_epochs=2), plan, (3 + 4 * 10 + 2 * 30 + 1) / 0.9)
    assert changes == {"epochs": 6, "fine_tune_epochs": 2} and said.startswith("6 epochs fit")


def test_the_curve_shows_where_fine_tuning_begins(pretrained: None) -> None:
    run = create_run(make())
    lines = [{"kind": "epoch", "epoch": at, "step": at, "val_loss": 1.0, "val_accuracy": 0.5} for at in (1, 2, 3)]
    lines += [{"kind": "batch", "epoch": at, "step": at, "loss": 1.0, "accuracy": 0.5} for at in (1, 2, 3, 4)]
    progress = SimpleNamespace(state="completed", chosen_epoch=3)
    for config, shown in ((run.config(), True), (run.config().updated(fine_tune_epochs=0), False)):
        drawn = html.unescape(train_view._chart("loss", "Loss", config, lines, progress, False, 0.0))
        assert ("fine-tuning from here" in drawn) is shown
        assert ('<line class="vw-axis" x1="50.00%" x2="50.00%"' in drawn) is shown
