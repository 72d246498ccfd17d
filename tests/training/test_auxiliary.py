"""Further classifiers in training: what the network learns from them, and what it says of itself."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from tests.fakes import random_pictures
from tests.training.test_state import AskedAfter, curve, trained
from vision_app.models.catalog import MODELS, build_model
from vision_app.runs import create_run
from vision_app.training import networks, plan
from vision_app.training import train as recipe
from vision_app.training.auxiliary import WEIGHT, Assisted
from vision_app.training.callbacks import KeepBest
from vision_app.training.networks import make_models
from vision_app.training.recipe import make_config


def head(model: keras.Model, num_classes: int) -> list[keras.KerasTensor]:
    """Return the answer of a further classifier after LeNet's first pooling, as a row of MODELS does."""
    x = keras.layers.Flatten(name="head_flatten")(model.get_layer("s2").output)
    x = keras.layers.Dropout(0.5, name="head_dropout")(x)
    return [keras.layers.Dense(num_classes, name="head_logits")(x)]


@pytest.fixture
def assisted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A LeNet-5 with a further classifier: small enough to be trained here."""
    monkeypatch.setitem(MODELS, "lenet5", replace(MODELS["lenet5"], auxiliary=head))


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> float:
    shifted = logits - logits.max(1, keepdims=True)
    return float(np.mean(np.log(np.exp(shifted).sum(1)) - shifted[np.arange(len(labels)), labels]))


def two_answers() -> tuple[Assisted, np.ndarray, np.ndarray]:
    """Return a network of two linear answers to the same image, and some images and labels."""
    keras.utils.set_random_seed(3)
    image = keras.Input((2, 2, 1))
    x = keras.layers.Flatten()(image)
    logits = keras.layers.Dense(3, name="logits", kernel_regularizer=keras.regularizers.L2(0.1))(x)
    model = Assisted(image, logits, [keras.layers.Dense(3, name="further")(x)])
    model.compile(
        keras.optimizers.SGD(0.5), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"]
    )
    generator = np.random.default_rng(0)
    return model, generator.normal(size=(10, 2, 2, 1)).astype(np.float32), generator.integers(0, 3, 10)


def test_one_step_follows_both_losses_and_reports_the_networks_own() -> None:
    model, images, labels = two_answers()
    flat = images.reshape(10, 4)
    kernels = {name: model.get_layer(name).kernel.numpy() for name in ("logits", "further")}
    logs = model.train_on_batch(images, labels, return_dict=True)
    own = flat @ kernels["logits"]
    assert set(logs) == {"loss", "accuracy"}
    assert logs["loss"] == pytest.approx(cross_entropy(own, labels) + 0.1 * (kernels["logits"] ** 2).sum(), rel=1e-5)
    assert logs["accuracy"] == pytest.approx(np.mean(own.argmax(1) == labels))
    for name, weight, penalty in (("logits", 1.0, 0.1), ("further", WEIGHT, 0.0)):
        answer = np.exp(flat @ kernels[name])
        answer /= answer.sum(1, keepdims=True)
        gradient = weight * flat.T @ (answer - np.eye(3)[labels]) / 10 + 2 * penalty * kernels[name]
        assert np.allclose(model.get_layer(name).kernel.numpy(), kernels[name] - 0.5 * gradient, atol=1e-6)


def test_it_answers_and_is_judged_as_the_network_alone() -> None:
    model, images, labels = two_answers()
    logits = images.reshape(10, 4) @ model.get_layer("logits").kernel.numpy()
    penalty = 0.1 * float((model.get_layer("logits").kernel.numpy() ** 2).sum())
    assert np.allclose(model.predict(images, verbose=0), logits, atol=1e-6)
    assert isinstance(model(images, training=True), list)
    found = model.evaluate(images, labels, batch_size=4, verbose=0, return_dict=True)
    assert set(found) == {"loss", "accuracy"}
    assert found["loss"] == pytest.approx(cross_entropy(logits, labels) + penalty, rel=1e-5)
    model.optimizer.learning_rate = 0.0
    whole = model.fit(images, labels, batch_size=4, shuffle=False, verbose=0, validation_data=(images, labels)).history
    assert whole["loss"][0] == pytest.approx(whole["val_loss"][0], rel=1e-5)  # batches of 4, 4 and 2 are weighed right


def test_a_resumed_run_equals_one_that_was_never_interrupted(assisted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "finish", lambda *_: None)  # the test of the best model is tested elsewhere
    changes = {"l2": 1e-4, "label_smoothing": 0.1, "mixed_precision": True, "schedule": "cosine"}
    config = make_config("digits", "lenet5", {"epochs": 3, "train_limit": 200, "seed": 5, **changes})
    whole, broken = create_run(config), create_run(config)
    assert recipe.train(whole, SimpleNamespace(wanted=None)) == "completed"
    assert recipe.train(broken, AskedAfter(broken, 1)) == "interrupted"
    assert recipe.train(broken, SimpleNamespace(wanted=None)) == "completed"
    assert np.allclose(curve(broken), curve(whole), rtol=1e-5, atol=1e-6)
    assert max(np.abs(a - b).max() for a, b in zip(trained(broken), trained(whole), strict=True)) < 1e-5


def test_what_is_saved_is_the_network_alone_with_what_it_learned(assisted: None) -> None:
    config = make_config("digits", "lenet5", {"learning_rate": 0.01, "epochs": 1})
    images = random_pictures((40, config.input_size, config.input_size, 1))
    model, serving = make_models(config, images)
    assert isinstance(model, Assisted)
    model.fit(images.astype(np.float32), np.arange(40) % 10, verbose=0)
    run = create_run(config)
    keeper = KeepBest(run, serving, "val_loss")
    keeper.set_model(model)
    keeper.save()
    saved = keras.saving.load_model(run.model_file, compile=False)
    assert [layer.name for layer in saved.layers] == [
        layer.name for layer in build_model("lenet5", (16, 16, 1), 10).layers
    ]
    logits = model.predict(images, verbose=0)
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    expected = exponentials / exponentials.sum(1, keepdims=True)
    assert np.allclose(saved.predict(images, verbose=0), expected, atol=1e-6)


def test_frozen_weights_are_trained_without_further_classifiers(
    assisted: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "some.h5").write_bytes(b"")
    row = replace(MODELS["lenet5"], load_pretrained=lambda model, file: None, backbone="c3")
    monkeypatch.setitem(MODELS, "lenet5", row)
    config = make_config("digits", "lenet5", {"weights": str(tmp_path / "some.h5")})
    model, _ = networks.make_models(config, random_pictures((4, config.input_size, config.input_size, 1)))
    assert not isinstance(model, Assisted)


def test_the_estimate_counts_the_network_alone(assisted: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "ENOUGH_SECONDS", 0)
    found = plan.measure(make_config("digits", "lenet5", {"epochs": 2, "train_limit": 200}))
    assert found.parameters == MODELS["lenet5"].parameters and found.per_epoch > 0
