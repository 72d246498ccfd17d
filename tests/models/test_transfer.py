"""Pretrained weights: they arrive in the right layers, and stay frozen."""

from pathlib import Path

import numpy as np
import pytest

from tests.fakes import random_pictures, randomize
from vision_app.errors import InputError
from vision_app.models.catalog import build_model
from vision_app.models.transfer import load_mobilenet_v2


def saved_weights(path: Path, alpha: float = 0.35) -> "object":
    """Write random weights of Keras' own network, without its top, and return it."""
    from keras.applications import MobileNetV2

    source = MobileNetV2(input_shape=(96, 96, 3), alpha=alpha, include_top=False, weights=None)
    randomize_layers(source)
    source.save_weights(path)
    return source


def randomize_layers(network: "object") -> None:
    generator = np.random.default_rng(0)
    for layer in network.layers:
        values = [np.abs(generator.normal(0.5, 0.2, weight.shape)) + 0.1 for weight in layer.get_weights()]
        layer.set_weights(values)


@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_those_of_keras_own_network(tmp_path: Path, channels: int) -> None:
    import keras

    source = saved_weights(tmp_path / "w.weights.h5")
    model = build_model("mobilenet_v2", (96, 96, channels), 5)
    load_mobilenet_v2(model, tmp_path / "w.weights.h5")
    pixels = random_pictures((2, 96, 96, channels)).astype(np.float32)
    inputs = keras.applications.mobilenet_v2.preprocess_input(np.repeat(pixels, 4 - channels, -1)[..., :3].copy())
    expected = source.predict(inputs, verbose=0)
    ours = keras.Model(model.inputs, model.get_layer("out_relu").output).predict(pixels, verbose=0)
    assert np.abs(ours - expected).max() <= 1e-4 * np.abs(expected).max()


def test_only_the_head_is_trained(tmp_path: Path) -> None:
    saved_weights(tmp_path / "w.weights.h5")
    model = build_model("mobilenet_v2", (64, 64, 3), 5)
    assert len(model.trainable_weights) > 100
    load_mobilenet_v2(model, tmp_path / "w.weights.h5")
    assert [weight.path for weight in model.trainable_weights] == [
        "dense/kernel", "dense/bias", "logits/kernel", "logits/bias",
    ]  # fmt: skip


def test_weights_of_another_width_or_none_at_all_are_told(tmp_path: Path) -> None:
    saved_weights(tmp_path / "w.weights.h5", alpha=0.5)
    model = build_model("mobilenet_v2", (64, 64, 3), 5)
    with pytest.raises(InputError, match=r"The weights in w\.weights\.h5 do not fit"):
        load_mobilenet_v2(model, tmp_path / "w.weights.h5")
    (tmp_path / "x.weights.h5").write_bytes(b"no weights")
    with pytest.raises(InputError, match="do not fit"):
        load_mobilenet_v2(model, tmp_path / "x.weights.h5")
    odd = build_model("mobilenet_v2", (64, 64, 3), 5, options={"alpha": 60})
    with pytest.raises(InputError, match="alpha 35, 50, 75"):
        load_mobilenet_v2(odd, tmp_path / "w.weights.h5")


def test_the_width_decides_the_size() -> None:
    small, large = (build_model("mobilenet_v2", (64, 64, 3), 5, options={"alpha": alpha}) for alpha in (35, 50))
    randomize(small)
    assert large.count_params() > 1.2 * small.count_params()
