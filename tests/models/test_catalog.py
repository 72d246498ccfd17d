"""The table of networks, every row of it: what it builds is what it says."""

import functools
import inspect
import math
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
COLOUR = Scaling((125.0, 123.0, 114.0), (63.0, 62.0, 67.0))
# Made for photos of 224 pixels, and costly to build: what they only need to be read for is done on one network each.
DEEP = ("resnet18", *(name for name, row in MODELS.items() if row.backbone))


def build_small(name: str, channels: int = 3, num_classes: int = 4, scaling: Scaling | None = None) -> "Model":
    """Build a network for its smallest pictures, as its recipe starts it."""
    size, pretrained = MODELS[name].smallest, MODELS[name].starts_pretrained
    return build_model(name, (size, size, channels), num_classes, scaling, pretrained=pretrained)


@functools.cache
def randomized(name: str, channels: int) -> "Model":
    """Return a network with weights as after training, grey ones with the usual scaling; for reading only."""
    network = build_small(name, channels, scaling=COLOUR if channels == 3 else None)
    randomize(network)
    return network


def empty(name: str, shape: tuple[int, int, int], num_classes: int, **choices: object) -> "Model":
    """Build a network without drawing its weights, to look at its layers."""
    import keras

    with keras.StatelessScope(initialize_variables=False):
        return build_model(name, shape, num_classes, **choices)


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
    shape = (info.default_size, info.default_size, info.channels)
    network = empty(name, shape, 10, pretrained=info.starts_pretrained)
    assert network.count_params() == info.parameters
    assert network.name == name


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("vgg16", 138_357_544),
        ("vgg19", 143_667_240),
        ("resnet50", 25_583_592),
        ("densenet121", 7_978_856),
        ("efficientnet_b0", 5_288_548),
        ("resnet18", 11_689_512),
    ],
)
def test_with_the_papers_head_parameters_are_those_published(name: str, published: int) -> None:
    network = empty(name, (224, 224, 3), 1000)
    assert sum(math.prod(weight.shape) for weight in network.trainable_weights) == published


@EACH
@pytest.mark.parametrize("channels", [1, 3])
def test_every_network_takes_its_smallest_pictures(name: str, channels: int) -> None:
    network, size = randomized(name, channels), MODELS[name].smallest
    assert network.input_shape == (None, size, size, channels)
    probabilities = np.asarray(network(random_images(network), training=False))
    assert probabilities.shape == (5, 4) and probabilities.dtype == np.float32
    assert np.isfinite(probabilities).all() and (probabilities >= 0).all()
    assert probabilities.sum(1) == pytest.approx(1, abs=1e-5)
    assert np.ptp(probabilities, axis=0).max() > 1e-3


@EACH
def test_the_explained_layer_still_knows_where(name: str) -> None:
    shape = randomized(name, 1).get_layer(MODELS[name].cam_layer).output.shape
    least = 4 if name in DEEP else 2
    assert len(shape) == 4 and shape[1] >= least and shape[2] >= least


@pytest.mark.parametrize("name", [name for name, row in MODELS.items() if row.enlarges_below])
def test_small_pictures_are_enlarged_inside_as_the_row_says(name: str) -> None:
    limit = MODELS[name].enlarges_below
    for size in (limit - 1, limit):
        network = empty(name, (size, size, 3), 2, pretrained=True)
        assert ("enlarged" in [layer.name for layer in network.layers]) == (size < limit)


@pytest.mark.parametrize("name", DEEP)
@pytest.mark.parametrize("size", [32, 64])
def test_deep_networks_keep_a_map_of_small_pictures(name: str, size: int) -> None:
    shape = empty(name, (size, size, 3), 4, pretrained=True).get_layer(MODELS[name].cam_layer).output.shape
    assert 4 <= shape[1] <= 8


@EACH
def test_networks_end_in_logits_and_probabilities(name: str) -> None:
    import keras

    network = randomized(name, 1)
    assert [layer.name for layer in network.layers[-2:]] == ["logits", "probabilities"]
    both = keras.Model(network.inputs, [network.get_layer("logits").output, network.output])
    logits, probabilities = map(np.asarray, both(random_images(network), training=False))
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(probabilities, exponentials / exponentials.sum(1, keepdims=True), atol=1e-6)


@EACH
def test_networks_take_raw_pixels_and_scale_them(name: str) -> None:
    grey, colour = randomized(name, 1), randomized(name, 3)
    images = random_images(colour)
    assert grey.layers[1].name == colour.layers[1].name == "scaling"
    np.testing.assert_allclose(colour.layers[1](images), (images - COLOUR.mean) / COLOUR.deviation, atol=1e-4)
    own = MODELS[name].pretrained_scaling if MODELS[name].starts_pretrained else Scaling()
    expected = (images[..., :1] - np.mean(own.mean)) / np.mean(own.deviation)
    np.testing.assert_allclose(grey.layers[1](images[..., :1]), expected, atol=1e-4)


@EACH
def test_a_measured_grey_scaling_is_taken(name: str) -> None:
    size = MODELS[name].smallest
    first = empty(name, (size, size, 1), 4, scaling=Scaling((33.0,), (78.0,))).layers[1]
    assert first.name == "scaling"
    np.testing.assert_allclose(first(np.array([[33.0, 111.0, 255.0]])), [[0, 1, 222 / 78]], atol=1e-6)


@EACH
def test_saved_networks_answer_the_same(name: str, tmp_path: Path) -> None:
    import keras

    network = randomized(name, 3)
    network.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    images = random_images(network)
    assert np.array_equal(network(images, training=False), again(images, training=False))


@pytest.mark.parametrize("name", DEEP)
def test_deep_networks_take_a_step(name: str) -> None:
    import keras

    keras.utils.set_random_seed(0)
    network = build_small(name, channels=1)
    labels = np.arange(4)
    images = patterns(network, labels)
    network.compile(keras.optimizers.SGD(1e-3), "sparse_categorical_crossentropy", run_eagerly=True)  # for one step
    before = [np.asarray(weight) for weight in network.trainable_weights]
    assert np.isfinite(network.train_on_batch(images, labels))
    moved = [
        float(np.abs(np.asarray(new) - old).max()) for new, old in zip(network.trainable_weights, before, strict=True)
    ]
    assert np.mean(np.array(moved) > 0) > 0.9


@pytest.mark.parametrize("name", [name for name in MODELS if name not in DEEP])
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
        "shape", "num_classes", "scaling", "dropout", "batch_norm", "pretrained",
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
    network = empty(name, shape, 3, dropout=rate, pretrained=MODELS[name].starts_pretrained)
    rates = {layer.rate for layer in network.layers if layer.name.startswith("dropout")}
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
    assert info.input_size_for(info.smallest - 1) == info.default_size
    assert info.input_size_for(info.largest + 1) == max(info.photo_size, info.default_size) <= info.largest


def test_classes_and_names() -> None:
    with pytest.raises(InputError, match="at least 2 classes, got 1"):
        build_model("lenet5", (32, 32, 1), 1)
    with pytest.raises(InputError, match=r"Unknown model 'lenet'.*Did you mean 'lenet5'"):
        find_model("lenet")


@EACH
def test_a_second_network_gives_its_weights_by_the_same_names(name: str) -> None:
    size = MODELS[name].smallest
    one, other = (empty(name, (size, size, 3), 4) for _ in range(2))  # as a run in 16 bits builds two
    names = [[layer.name for layer in network.layers if layer.variables] for network in (one, other)]
    assert names[0] == names[1]
