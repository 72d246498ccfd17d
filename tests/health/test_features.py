"""Descriptions of images: against Keras' own answer, and against direct computation."""

from pathlib import Path

import numpy as np
import pytest

from vision_app.data.datasets import load_split
from vision_app.errors import InputError
from vision_app.health.features import extract_features, flat_gradients, gradients, predict_features

MODEL = Path(__file__).parents[2] / "checkpoints" / "digits" / "model.keras"


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    return load_split("digits", "test")[0][:70]


def test_network_features_lead_to_the_networks_own_probabilities(digits: np.ndarray) -> None:
    import keras

    model = keras.saving.load_model(MODEL, compile=False)
    size, channels = model.input_shape[1], model.input_shape[3]
    from vision_app.data.preprocess import preprocess

    features, probabilities = predict_features(digits, MODEL, batch_size=32)
    kernel, bias = model.get_layer("logits").get_weights()
    logits = features @ kernel + bias
    softmax = np.exp(logits - logits.max(1, keepdims=True))
    expected = np.asarray(model(preprocess(digits, size, channels).astype(np.float32)))
    np.testing.assert_allclose(softmax / softmax.sum(1, keepdims=True), expected, atol=1e-4)
    np.testing.assert_allclose(probabilities, expected, atol=1e-4)


def test_batches_do_not_change_the_features(digits: np.ndarray) -> None:
    seen = []
    small = extract_features(digits, MODEL, lambda share, _: seen.append(share), batch_size=16)
    np.testing.assert_allclose(small, extract_features(digits, MODEL), atol=1e-4)
    assert seen[-1] == 1 and seen == sorted(seen)


def test_colour_images_are_brought_to_what_the_network_takes(digits: np.ndarray) -> None:
    grown = np.repeat(digits[:3], 3, 3)
    np.testing.assert_allclose(extract_features(grown, MODEL), extract_features(digits[:3], MODEL), atol=1e-2)


def test_without_a_network_edges_and_colours_describe(digits: np.ndarray) -> None:
    features = extract_features(digits)
    assert features.shape == (70, 368) and features.dtype == np.float32 and np.isfinite(features).all()
    assert extract_features(digits[:0]).shape == (0, 368)


def test_gradients_of_the_mirror_image_follow_from_those_of_the_image() -> None:
    images = np.random.default_rng(0).uniform(0, 255, (4, 32, 32)).astype(np.float32)
    direct = flat_gradients(gradients(np.ascontiguousarray(images[:, :, ::-1])))
    np.testing.assert_allclose(flat_gradients(gradients(images), mirrored=True), direct, atol=1e-4)


def test_vertical_edges_point_across() -> None:
    image = np.tile(np.arange(32, dtype=np.float32) * 8, (32, 1))
    maps = gradients(image[None])[0, :, 2:6, 2:6]
    assert np.allclose(maps[1], maps[0], rtol=0.01) and np.allclose(maps[2], 0, atol=1e-3)
    assert np.allclose(gradients(image.T[None])[0, 1, 2:6, 2:6], -maps[0], rtol=0.01)


def test_a_missing_or_wrong_model_is_named(tmp_path: Path, digits: np.ndarray) -> None:
    with pytest.raises(InputError, match="no file"):
        extract_features(digits, tmp_path / "none.keras")
    (tmp_path / "bad.keras").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"bad\.keras"):
        extract_features(digits, tmp_path / "bad.keras")
