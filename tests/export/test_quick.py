"""The quickest network that gives the same answers, rounded where that pays."""

import keras
import numpy as np
import pytest

from vision_app.export import quick
from vision_app.export.quick import MANY, quickest
from vision_app.models.catalog import build_model

IMAGES = np.random.default_rng(0).integers(0, 256, (32, 16, 16, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def _processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any processor, and none beside it, is one that computes in 16 bits."""
    monkeypatch.setattr(quick, "is_of_use", lambda: True)
    monkeypatch.setattr(quick, "cpu_features", lambda: {"avx512_bf16"})


@pytest.fixture(scope="module")
def model() -> keras.Model:
    keras.utils.set_random_seed(3)
    network = build_model("resnet_small", (16, 16, 3), 4)
    return keras.Model(network.inputs, [network.get_layer("logits").input, network.outputs[0]])


def time_as(monkeypatch: pytest.MonkeyPatch, exact: float, rounded: float) -> None:
    """Have networks of 32 and of 16 bits take so long."""
    monkeypatch.setattr(
        quick, "_seconds", lambda made, _: exact if made.get_layer("logits").compute_dtype == "float32" else rounded
    )


@pytest.mark.parametrize(("count", "rounded"), [(MANY - 1, 0.1), (MANY, 0.9)])
def test_nothing_is_rounded_where_it_does_not_pay(
    count: int, rounded: float, model: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    time_as(monkeypatch, 1.0, rounded)
    found = quickest(model, IMAGES, count)
    assert "FusedBatchNormalization" in {type(layer).__name__ for layer in found.layers}
    for mine, own in zip(found.predict_on_batch(IMAGES), model.predict_on_batch(IMAGES), strict=True):
        np.testing.assert_allclose(mine, own, rtol=1e-4, atol=1e-5)


def test_16_bits_answer_nearly_the_same(model: keras.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    time_as(monkeypatch, 1.0, 0.5)
    found = quickest(model, IMAGES, MANY)
    assert found.get_layer("logits").compute_dtype == "bfloat16"
    features, probabilities = (np.float32(part) for part in found.predict_on_batch(IMAGES))
    own, exact = model.predict_on_batch(IMAGES)
    assert 0 < np.abs(probabilities - exact).max() < 0.03
    angles = (features * own).sum(1) / np.linalg.norm(features, axis=1) / np.linalg.norm(own, axis=1)
    assert angles.min() > 0.999
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-5)  # the last step keeps 32 bits


def test_16_bits_are_not_even_tried_where_they_are_emulated(
    model: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "cpu_features", lambda: {"avx2"})
    monkeypatch.setattr(quick, "_in_16_bits", lambda _: pytest.fail("it was tried"))
    assert quickest(model, IMAGES, MANY).get_layer("logits").compute_dtype == "float32"


def test_where_it_is_of_no_use_the_model_stays(model: keras.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "is_of_use", lambda: False)
    assert quickest(model, IMAGES, MANY) is model
