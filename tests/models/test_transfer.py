"""Pretrained weights: they arrive in the right layers, and see pixels as they did when they were learned."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.fakes import random_pictures
from vision_app.errors import InputError
from vision_app.models.catalog import MODELS, build_model
from vision_app.training.networks import freeze

if TYPE_CHECKING:
    from keras import Model

SIDE = 96
# As keras.applications calls the networks of the table, and where it keeps what their weights expect of pixels.
FUNCTIONS = {
    "mobilenet_v2": ("MobileNetV2", "mobilenet_v2"),
    "vgg16": ("VGG16", "vgg16"),
    "vgg19": ("VGG19", "vgg19"),
    "resnet50": ("ResNet50", "resnet50"),
    "densenet121": ("DenseNet121", "densenet"),
    "efficientnet_b0": ("EfficientNetB0", "efficientnet"),
}


def as_published(name: str, path: Path, alpha: float = 0.35) -> "Model":
    """Write random weights to a file, and return Keras' own network that has them, as it is built for ImageNet."""
    from keras import applications, layers
    from keras.src.utils import file_utils

    function = getattr(applications, FUNCTIONS[name][0])
    options = {"include_top": False, "input_shape": (SIDE, SIDE, 3)}
    options |= {"alpha": alpha} if name == "mobilenet_v2" else {}
    source = function(weights=None, **options)
    randomize_layers(source)
    for layer in source.layers:
        if isinstance(layer, layers.Normalization):
            layer.set_weights([np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225]), np.array(0)])
    source.save_weights(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(file_utils, "get_file", lambda *_, **__: str(path))
        return function(weights="imagenet", **options)


def randomize_layers(network: "Model") -> None:
    """Give all weights values that neither vanish nor explode on the way."""
    generator = np.random.default_rng(0)
    for variable in network.weights:
        shape = variable.shape
        if len(shape) > 1:
            inputs = np.prod(shape[:2] if shape[-1] == 1 else shape[:-1])
            variable.assign(generator.normal(0, np.sqrt(2 / inputs), shape))
        elif variable.name in ("moving_variance", "gamma"):
            variable.assign(generator.uniform(0.8, 1.2, shape))
        else:
            variable.assign(generator.normal(0, 0.1, shape))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_features_are_those_of_keras_own_network(name: str, tmp_path: Path) -> None:
    import keras

    file, info = tmp_path / "w.weights.h5", MODELS[name]
    source = as_published(name, file)
    model = build_model(name, (SIDE, SIDE, 3), 5, pretrained=True)
    info.load_pretrained(model, file)
    pixels = random_pictures((2, SIDE, SIDE, 3)).astype(np.float32)
    prepared = getattr(keras.applications, FUNCTIONS[name][1]).preprocess_input(pixels.copy())
    expected = np.asarray(source(prepared, training=False))
    features = keras.Model(model.inputs, model.get_layer(info.backbone).output)
    found = np.asarray(features(pixels, training=False))
    assert expected.std() > 1e-3
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


def test_each_channel_of_a_grey_picture_is_scaled_as_of_a_colour_one() -> None:
    import keras

    for name in ("densenet121", "vgg16", "mobilenet_v2"):
        info = MODELS[name]
        with keras.StatelessScope(initialize_variables=False):
            colour, grey = (build_model(name, (SIDE, SIDE, channels), 5, pretrained=True) for channels in (3, 1))
        pixels = random_pictures((1, 8, 8, 1)).astype(np.float32)
        expected = (np.repeat(pixels, 3, -1) - info.pretrained_scaling.mean) / info.pretrained_scaling.deviation
        np.testing.assert_allclose(colour.get_layer("scaling")(np.repeat(pixels, 3, -1)), expected, atol=1e-4)
        last = next(layer for layer in reversed(grey.layers[:4]) if layer.name in ("three_channels", "channel_scaling"))
        found = keras.Model(grey.inputs, last.output)(np.pad(pixels, ((0, 0), (0, SIDE - 8), (0, SIDE - 8), (0, 0))))
        np.testing.assert_allclose(found[:, :8, :8], expected, atol=1e-4)


def test_only_the_head_is_trained(tmp_path: Path) -> None:
    model = build_model("mobilenet_v2", (64, 64, 3), 5, pretrained=True)
    assert len(model.trainable_weights) > 100
    freeze(model, MODELS["mobilenet_v2"])
    assert [weight.path for weight in model.trainable_weights] == [
        "dense/kernel", "dense/bias", "logits/kernel", "logits/bias",
    ]  # fmt: skip


def test_weights_of_another_width_or_none_at_all_are_told(tmp_path: Path) -> None:
    load = MODELS["mobilenet_v2"].load_pretrained
    as_published("mobilenet_v2", tmp_path / "w.weights.h5", alpha=0.5)
    model = build_model("mobilenet_v2", (64, 64, 3), 5)
    with pytest.raises(InputError, match=r"The weights in w\.weights\.h5 do not fit .*MobileNetV2 of the same width"):
        load(model, tmp_path / "w.weights.h5")
    (tmp_path / "x.weights.h5").write_bytes(b"no weights")
    with pytest.raises(InputError, match="do not fit"):
        load(model, tmp_path / "x.weights.h5")
    odd = build_model("mobilenet_v2", (64, 64, 3), 5, options={"alpha": 60})
    with pytest.raises(InputError, match="alpha 35, 50, 75"):
        load(odd, tmp_path / "w.weights.h5")


def test_weights_that_learned_from_other_pixel_values_are_refused(tmp_path: Path) -> None:
    from keras.applications import EfficientNetB0

    EfficientNetB0(include_top=False, input_shape=(SIDE, SIDE, 3), weights=None).save_weights(tmp_path / "w.weights.h5")
    model = build_model("efficientnet_b0", (32, 32, 3), 5)
    with pytest.raises(InputError, match="expect other pixel values than ImageNet's"):
        MODELS["efficientnet_b0"].load_pretrained(model, tmp_path / "w.weights.h5")


def test_heads_follow_where_the_weights_come_from() -> None:
    import keras

    def head(name: str, pretrained: bool) -> list[tuple[str, int | float]]:
        with keras.StatelessScope(initialize_variables=False):
            network = build_model(name, (32, 32, 3), 7, pretrained=pretrained)
        last = network.layers[network.layers.index(network.get_layer(MODELS[name].backbone)) + 1 : -1]
        kinds = {keras.layers.Dense: "units", keras.layers.Dropout: "rate"}
        return [(type(layer).__name__, getattr(layer, kinds.get(type(layer), ""), 0)) for layer in last]

    mean, wide, half = ("GlobalAveragePooling2D", 0), ("Dense", 4096), ("Dropout", 0.5)
    for name in ("vgg16", "vgg19"):
        assert head(name, pretrained=False) == [("Flatten", 0), wide, half, wide, half, ("Dense", 7)]
        assert head(name, pretrained=True) == [mean, ("Dropout", 0.0), ("Dense", 7)]
    assert head("resnet50", pretrained=True) == [mean, ("Dense", 512), half, ("Dense", 7)]
    assert head("resnet50", pretrained=False) == [mean, ("Dropout", 0.0), ("Dense", 7)]
    assert head("mobilenet_v2", pretrained=True) == [mean, ("Dense", 512), ("Dropout", 0.6), ("Dense", 7)]


def test_a_vgg_from_scratch_starts_as_he_says() -> None:
    network = build_model("vgg16", (16, 16, 3), 2)
    kernels = {layer.name: np.asarray(layer.kernel) for layer in network.layers if hasattr(layer, "kernel")}
    for name in ("block1_conv2", "block3_conv1", "block5_conv3", "dense1"):
        expected = np.sqrt(2 / np.prod(kernels[name].shape[:-1]))
        assert kernels[name].std() == pytest.approx(expected, rel=0.05), name


def test_the_width_decides_the_size() -> None:
    small, large = (build_model("mobilenet_v2", (64, 64, 3), 5, options={"alpha": alpha}) for alpha in (35, 50))
    assert large.count_params() > 1.2 * small.count_params()
