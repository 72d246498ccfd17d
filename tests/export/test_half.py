"""Files of half the size answer as the whole ones do, whoever reads them."""

import io
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from tests.export.test_tflite import run_tflite
from tests.fakes import random_pictures, randomize
from vision_app.errors import InputError
from vision_app.export.half import LARGE, halve_keras, halve_tflite
from vision_app.export.tflite import convert
from vision_app.models.catalog import build_model
from vision_app.models.parts import Scaling

NETWORKS = ("fast_cnn", "resnet_small", "lenet5")


def make(name: str, size: int = 28, channels: int = 1) -> keras.Model:
    network = build_model(name, (size, size, channels), 7, Scaling((33.3,) * channels, (78.1,) * channels))
    randomize(network)
    return network


def saved(network: keras.Model, path: Path) -> bytes:
    network.save(path)
    return path.read_bytes()


@pytest.mark.parametrize("name", NETWORKS)
def test_keras_reads_the_rounded_weights_into_a_network_of_32_bits(name: str, tmp_path: Path) -> None:
    network = make(name)
    whole = saved(network, tmp_path / "whole.keras")
    half = halve_keras(whole)
    assert len(half) < 0.65 * len(whole)
    (tmp_path / "half.keras").write_bytes(half)
    read = keras.saving.load_model(tmp_path / "half.keras", compile=False)
    assert read.to_json() == network.to_json()
    for old, new in zip(network.weights, read.weights, strict=True):
        before, after = (keras.ops.convert_to_numpy(weight) for weight in (old, new))
        expected = before if before.size < LARGE else np.float32(np.float16(before))
        assert new.dtype == "float32" and np.array_equal(after, expected)
    assert any(weight.shape and np.prod(weight.shape) >= LARGE for weight in network.weights)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_served_file_answers_as_the_whole_one(name: str) -> None:
    network = make(name)
    whole = convert(network)
    half = halve_tflite(whole)
    assert len(half) < 0.65 * len(whole) and half[4:8] == b"TFL3"
    for count in (1, 9):
        images = random_pictures((count, 28, 28, 1)).astype(np.float32)
        expected, answers = run_tflite(whole, images), run_tflite(half, images)
        assert 0 < np.abs(answers - expected).max() < 3e-3
        np.testing.assert_allclose(answers.sum(1), 1, atol=1e-5)


def test_weights_that_are_in_16_bits_already_stay_as_they_are(tmp_path: Path) -> None:
    network = keras.Sequential(
        [keras.Input((40,)), keras.layers.Dense(40, dtype=keras.DTypePolicy("bfloat16")), keras.layers.Dense(40)]
    )
    half = halve_keras(saved(network, tmp_path / "whole.keras"))
    (tmp_path / "half.keras").write_bytes(half)
    read = keras.saving.load_model(tmp_path / "half.keras", compile=False)
    assert [weight.dtype for weight in read.weights] == ["bfloat16"] * 2 + ["float32"] * 2
    before, after = (keras.ops.convert_to_numpy(model.weights[0]) for model in (network, read))
    assert np.array_equal(np.float32(before), np.float32(after))


def test_halving_twice_changes_nothing(tmp_path: Path) -> None:
    network = make("lenet5")
    half = halve_keras(saved(network, tmp_path / "model.keras"))
    assert weights_of(halve_keras(half)) == weights_of(half)
    served = halve_tflite(convert(network))
    images = random_pictures((4, 28, 28, 1)).astype(np.float32)
    assert np.array_equal(run_tflite(halve_tflite(served), images), run_tflite(served, images))


def weights_of(content: bytes) -> dict[str, tuple[str, bytes]]:
    found = {}

    def note(name: str, item: h5py.Group | h5py.Dataset) -> None:
        if isinstance(item, h5py.Dataset):
            found[name] = str(item.dtype), item[()].tobytes()

    with zipfile.ZipFile(io.BytesIO(content)) as archive, archive.open("model.weights.h5") as file:
        h5py.File(io.BytesIO(file.read())).visititems(note)
    return found


@pytest.mark.parametrize("value", [1e5, np.nan, -np.inf])
def test_weights_that_16_bits_cannot_hold_are_refused(value: float, tmp_path: Path) -> None:
    network = make("lenet5")
    layer = next(layer for layer in network.layers if layer.weights and layer.weights[0].shape[0] > 100)
    kernel, *rest = layer.get_weights()
    kernel[0, 0] = value
    layer.set_weights([kernel, *rest])
    with pytest.raises(InputError, match="no number, or too large for 16 bits"):
        halve_keras(saved(network, tmp_path / "model.keras"))
    with pytest.raises(InputError, match="no number, or too large for 16 bits"):
        halve_tflite(convert(network))
