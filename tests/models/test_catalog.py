"""The table of networks, every row of it: what it builds is what it says."""

import inspect
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.fakes import random_pictures, randomize
from vision_app.config import RunConfig
from vision_app.errors import InputError
from vision_app.models.catalog import MODELS, build_model, find_model
from vision_app.models.parts import Scaling

if TYPE_CHECKING:
    from keras import Model

EACH = pytest.mark.parametrize("name", MODELS)


def build_small(name: str, channels: int = 3, num_classes: int = 4, scaling: Scaling | None = None) -> "Model":
    """Build a network for its smallest pictures."""
    size = MODELS[name].smallest
    return build_model(name, (size, size, channels), num_classes, scaling)


def random_images(network: "Model", count: int = 5) -> np.ndarray:
    """Return raw pixel values as a network takes them."""
    return random_pictures((count, *network.input_shape[1:])).astype(np.float32)


def patterns(network: "Model", labels: np.ndarray) -> np.ndarray:
    """Return pictures that are dark, bright, or striped across or down, by label."""
    pictures = np.random.default_rng(0).uniform(0, 40, (len(labels), *network.input_shape[1:])).astype(np.float32)
    pictures[labels == 1] += 200
    pictures[labels == 2, ::3] += 200
    pictures[labels == 3, :, ::3] += 200
    return pictures


@EACH
def test_rows_are_complete(name: str) -> None:
    info = MODELS[name]
    assert info.name == name and info.title and info.description.endswith(".") and info.paper
    assert info.smallest <= info.default_size <= info.largest
    RunConfig(model=name, **info.recipe)


@EACH
def test_parameters_are_counted_right(name: str) -> None:
    info = MODELS[name]
    network = build_model(name, (info.default_size, info.default_size, info.channels), 10)
    assert network.count_params() == info.parameters
    assert network.name == name


@EACH
@pytest.mark.parametrize("channels", [1, 3])
def test_every_network_takes_its_smallest_pictures(name: str, channels: int) -> None:
    network = build_small(name, channels)
    randomize(network)
    size = MODELS[name].smallest
    assert network.input_shape == (None, size, size, channels)
    probabilities = network.predict(random_images(network), verbose=0)
    assert probabilities.shape == (5, 4) and probabilities.dtype == np.float32
    assert np.isfinite(probabilities).all() and (probabilities >= 0).all()
    assert probabilities.sum(1) == pytest.approx(1, abs=1e-5)
    assert np.ptp(probabilities, axis=0).max() > 1e-3


@EACH
def test_the_explained_layer_still_knows_where(name: str) -> None:
    shape = build_small(name).get_layer(MODELS[name].cam_layer).output.shape
    assert len(shape) == 4 and shape[1] > 1 and shape[2] > 1


@EACH
def test_networks_end_in_logits_and_probabilities(name: str) -> None:
    import keras

    network = build_small(name)
    randomize(network)
    assert [layer.name for layer in network.layers[-2:]] == ["logits", "probabilities"]
    both = keras.Model(network.inputs, [network.get_layer("logits").output, network.output])
    logits, probabilities = both.predict(random_images(network), verbose=0)
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(probabilities, exponentials / exponentials.sum(1, keepdims=True), atol=1e-6)


@EACH
@pytest.mark.parametrize(
    ("channels", "mean", "deviation"), [(1, (33.0,), (78.0,)), (3, (125.0, 123.0, 114.0), (63.0, 62.0, 67.0))]
)
def test_networks_take_raw_pixels_and_scale_them(
    name: str, channels: int, mean: tuple[float, ...], deviation: tuple[float, ...]
) -> None:
    network = build_small(name, channels, scaling=Scaling(mean, deviation))
    images = random_images(network)
    first = network.layers[1]
    assert first.name == "scaling"
    np.testing.assert_allclose(first(images), (images - mean) / deviation, atol=1e-4)
    plain = build_small(name, channels).layers[1]
    own = images / 127.5 - 1 if MODELS[name].load_pretrained else images / 255
    np.testing.assert_allclose(plain(images), own, atol=1e-6)


@EACH
def test_saved_networks_answer_the_same(name: str, tmp_path: Path) -> None:
    import keras

    network = build_small(name, scaling=Scaling((125.0, 123.0, 114.0), (63.0, 62.0, 67.0)))
    randomize(network)
    network.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    images = random_images(network)
    assert np.array_equal(network.predict(images, verbose=0), again.predict(images, verbose=0))


@EACH
def test_networks_learn(name: str) -> None:
    import keras

    keras.utils.set_random_seed(0)
    network = build_small(name, channels=1)
    labels = np.arange(16) % 4
    images = patterns(network, labels)
    if MODELS[name].initialize:
        MODELS[name].initialize(network, images)
    network.compile(keras.optimizers.Adam(2e-3), "sparse_categorical_crossentropy")
    losses = [float(network.train_on_batch(images, labels)) for _ in range(15)]
    assert np.isfinite(losses).all()
    assert np.mean(losses[-3:]) < 0.8 * np.mean(losses[:3])


@EACH
@pytest.mark.parametrize("wrong", ["smaller", "larger", "two channels", "four channels"])
def test_other_inputs_are_refused(name: str, wrong: str) -> None:
    info = MODELS[name]
    shape, message = {
        "smaller": (
            (info.smallest - 1, info.smallest - 1, 3),
            f"{info.smallest} to .*got {info.smallest - 1}; set input",
        ),
        "larger": ((info.largest + 1, info.largest + 1, 3), f"to {info.largest} .*got {info.largest + 1}; set input"),
        "two channels": ((info.default_size, info.default_size, 2), r"1 \(grey\) or 3 \(colour\) channels, got 2"),
        "four channels": ((info.default_size, info.default_size, 4), "got 4"),
    }[wrong]
    with pytest.raises(InputError, match=message):
        build_model(name, shape, 10)


@EACH
def test_options(name: str) -> None:
    info = MODELS[name]
    shape = (info.default_size, info.default_size, info.channels)
    with pytest.raises(InputError, match=f"{info.title} has no option 'wings'. Known: "):
        build_model(name, shape, 10, options={"wings": 2})
    assert set(info.options) == set(inspect.signature(info.build).parameters) - {
        "shape", "num_classes", "scaling", "dropout",
    }  # fmt: skip
    for option, (low, high) in info.options.items():
        for value in (low - 1, high + 1, low + 0.5, True, "two"):
            with pytest.raises(
                InputError, match=f"{option} must be a whole number from {low} to {high}, got {value!r}"
            ):
                build_model(name, shape, 10, options={option: value})


@EACH
@pytest.mark.parametrize("rate", [0.0, 0.75])
def test_dropout_is_set_where_there_is_one(name: str, rate: float) -> None:
    shape = (MODELS[name].default_size, MODELS[name].default_size, 1)
    network = build_model(name, shape, 3, dropout=rate)
    rates = {layer.rate for layer in network.layers if hasattr(layer, "rate")}
    assert max(rates, default=None) == (rate if MODELS[name].takes_dropout else None)  # others are shares of it


def test_blocks_deepen_the_residual_network() -> None:
    shallow, deep = (
        build_model("resnet_small", (16, 16, 1), 2, options={"blocks_per_group": blocks}) for blocks in (1, 3)
    )
    count = [sum("conv" in layer.name for layer in network.layers) for network in (shallow, deep)]
    assert count == [8, 24]
    assert {MODELS["resnet_small"].cam_layer} <= {layer.name for layer in deep.layers}


@EACH
def test_the_input_size_is_the_pictures_own_where_it_can_be(name: str) -> None:
    info = MODELS[name]
    assert info.input_size_for(info.smallest) == info.smallest
    assert info.input_size_for(info.smallest - 1) == info.input_size_for(info.largest + 1) == info.default_size


def test_classes_and_names() -> None:
    with pytest.raises(InputError, match="at least 2 classes, got 1"):
        build_model("lenet5", (32, 32, 1), 1)
    with pytest.raises(InputError, match=r"Unknown model 'lenet'.*Did you mean 'lenet5'"):
        find_model("lenet")
