"""How the network begins, against the statistics that its whitening promises."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from vision_app.data.sources import shapes
from vision_app.models.catalog import build_model
from vision_app.models.fast import PATCH, begin
from vision_app.models.parts import Scaling


def covariance_of_patches(images: np.ndarray, outputs: np.ndarray) -> np.ndarray:
    """Return the covariance of the layer's answers to the patches at even places."""
    assert outputs.shape[1] == images.shape[1] - PATCH + 1
    return np.cov(outputs[:, ::PATCH, ::PATCH].reshape(-1, outputs.shape[-1]), rowvar=False)


@pytest.mark.parametrize("channels", [1, 3])
def test_whitened_patches_are_uncorrelated_and_of_equal_variance(channels: int) -> None:
    images = shapes.generate(150, 0)[0][..., :channels]
    mean, deviation = images.mean((0, 1, 2)), images.std((0, 1, 2))
    network = build_model("fast_cnn", (48, 48, channels), 8, Scaling(tuple(mean), tuple(deviation)))
    begin(network, images)
    scaled = ((images - mean) / deviation).astype(np.float32)
    outputs = np.asarray(network.get_layer("whitening")(scaled))
    half = PATCH * PATCH * channels
    covariance = covariance_of_patches(images, outputs[..., :half])
    assert np.abs(covariance - np.eye(half)).max() < 0.25
    assert np.abs(covariance - np.diag(np.diag(covariance))).max() < 1e-3
    assert np.abs(outputs[..., half:] + outputs[..., :half]).max() < 1e-3
    raw = np.cov(scaled[:, ::2, ::2].reshape(-1, channels), scaled[:, 1::2, ::2].reshape(-1, channels), rowvar=False)
    assert np.abs(raw - np.diag(np.diag(raw))).max() > 0.8


def test_whitening_is_not_trained() -> None:
    network = build_model("fast_cnn", (18, 18, 1), 2)
    images = np.random.default_rng(0).integers(0, 256, (20, 18, 18, 1), np.uint8)
    begin(network, images)
    before = network.get_layer("whitening").get_weights()[0]
    network.compile("sgd", "sparse_categorical_crossentropy")
    network.train_on_batch(images.astype(np.float32), np.arange(20) % 2)
    assert np.array_equal(network.get_layer("whitening").get_weights()[0], before)
    assert not any("whitening" in variable.path for variable in network.trainable_weights)


def test_pictures_of_one_colour_can_be_whitened() -> None:
    network = build_model("fast_cnn", (18, 18, 3), 2)
    begin(network, np.full((4, 18, 18, 3), 90, np.uint8))
    assert np.isfinite(network.get_layer("whitening").get_weights()[0]).all()


@pytest.mark.parametrize("width", [8, 64])
def test_convolutions_begin_by_handing_their_inputs_on(width: int) -> None:
    network = build_model("fast_cnn", (18, 18, 3), 2, options={"width": width})
    begin(network, np.random.default_rng(0).integers(0, 256, (20, 18, 18, 3), np.uint8))
    for name in ("group1_conv1", "group2_conv2"):
        layer = network.get_layer(name)
        inputs, filters = layer.kernel.shape[2:]
        maps = np.random.default_rng(1).normal(size=(1, 6, 6, inputs)).astype(np.float32)
        copies = min(inputs, filters)
        np.testing.assert_allclose(np.asarray(layer(maps))[..., :copies], maps[..., :copies], atol=1e-5)
        assert np.abs(layer.get_weights()[0][..., copies:]).sum() > 0 or copies == filters


def test_three_convolutions_a_group_with_a_shortcut() -> None:
    width, wide = 8, 24
    network = build_model("fast_cnn", (18, 18, 3), 2, options={"width": width, "depth": 3})
    begin(network, np.random.default_rng(0).integers(0, 256, (20, 18, 18, 3), np.uint8))
    kernels = 9 * (24 * width + 2 * width**2 + width * wide + 2 * wide**2 + 3 * wide**2)
    norms = 3 * 3 * (width + wide + wide)  # shift, mean and variance of three layers a group
    assert network.count_params() == 12 * 24 + kernels + norms + 2 * wide + 2
    names = ("group2_gelu1", "group2_norm3", "group2")
    inside = keras.Model(network.inputs, [network.get_layer(name).output for name in names])
    first, last, output = (ops.convert_to_numpy(x) for x in inside(np.full((1, 18, 18, 3), 200.0, np.float32)))
    total = (first + last).astype(np.float64)
    erf = np.vectorize(math.erf)
    np.testing.assert_allclose(output, total * (1 + erf(total / math.sqrt(2))) / 2, atol=1e-5)
    kernel = network.get_layer("group3_conv3").get_weights()[0]
    np.testing.assert_array_equal(kernel, np.pad(np.eye(wide)[None, None], [(1, 1), (1, 1), (0, 0), (0, 0)]))
