"""Explanations against cases worked out by hand, and against a second implementation without automatic gradients."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.explain.small_runs import one_layer, save_run
from tests.fakes import randomize
from vision_app.errors import InputError
from vision_app.explain.catalog import EXPLAINERS, default_layer, explain, list_layers
from vision_app.explain.gradients import make_differentiator
from vision_app.models.catalog import MODELS, build_model
from vision_app.runs import Run

# One filter passes the image on, the other its negative, which ReLU makes 0: class 0 likes the first, class 1 does not.
PASS_ON = np.array([1.0, -1.0]).reshape(1, 1, 1, 2)
LIKES = np.array([[2.0, -3.0], [5.0, 1.0]])


@pytest.fixture(scope="module")
def pass_on(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return save_run(tmp_path_factory.mktemp("explain") / "pass-on", one_layer(PASS_ON, 0, LIKES, 6), classes=("a", "b"))


@pytest.fixture
def picture() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (6, 6, 1)).astype(np.uint8)


def test_hand_computed(pass_on: Run, picture: np.ndarray) -> None:
    # The logit is 2 x mean(image), so each position weighs 2 / 36 and the map is the image itself, scaled to 1.
    explanation = explain(pass_on, picture, class_index=0)
    assert np.allclose(explanation.heatmap, picture[..., 0] / picture.max(), atol=1e-6)
    assert explanation.heatmap.dtype == np.float32
    assert (explanation.label, explanation.class_index) == ("a", 0)
    assert (explanation.layer, explanation.method) == ("conv2", "gradcam")
    assert not explanation.is_empty


def test_empty_map_is_flagged(pass_on: Run, picture: np.ndarray) -> None:
    explanation = explain(pass_on, picture, class_index=1)
    assert explanation.is_empty and not explanation.heatmap.any() and explanation.heatmap.shape == (6, 6)


def test_predicted_class_by_default(pass_on: Run, picture: np.ndarray) -> None:
    assert explain(pass_on, picture).label == "a"


def test_reads_logits_not_probabilities(tmp_path: Path, picture: np.ndarray) -> None:
    # With weights so large the probability is exactly 1 and its gradient 0; the logit's gradient only scales.
    run = save_run(tmp_path / "saturated", one_layer(PASS_ON, 0, 1000 * LIKES, 6), classes=("a", "b"))
    assert np.allclose(explain(run, picture, 0).heatmap, picture[..., 0] / picture.max(), atol=1e-5)


def test_finds_planted_evidence(tmp_path: Path) -> None:
    # The filter answers only where a whole 3 x 3 square is bright, and class 0 counts its answers.
    detector = one_layer(np.full((3, 3, 1, 1), 1 / 9), -200, np.array([[1.0, -1.0]]), 16)
    run = save_run(tmp_path / "detector", detector, classes=("square", "none"))
    for top, left in ((1, 1), (10, 3), (4, 12)):
        picture = np.full((16, 16, 1), 40, np.uint8)
        picture[top : top + 3, left : left + 3] = 255
        heatmap = explain(run, picture, 0).heatmap
        assert np.unravel_index(heatmap.argmax(), heatmap.shape) == (top + 1, left + 1)
        assert heatmap[top : top + 3, left : left + 3].sum() > 0.99 * heatmap.sum()


def convolve(x: np.ndarray, kernel: np.ndarray, bias: np.ndarray) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape[:2], axis=(0, 1))
    return np.maximum(np.einsum("hwcij,ijco->hwo", windows, kernel) + bias, 0)


def pool(x: np.ndarray) -> np.ndarray:
    height, width = (side // 2 * 2 for side in x.shape[:2])
    return x[:height, :width].reshape(height // 2, 2, width // 2, 2, -1).max((1, 3))


def test_agrees_with_differences_in_numpy(tmp_path: Path) -> None:
    model = build_model("simple_cnn", (14, 14, 1), 3)
    randomize(model, seed=2)  # weights with which something speaks for each class
    run = save_run(tmp_path / "simple", model)
    weights = {layer.name: [w.astype(np.float64) for w in layer.get_weights()] for layer in model.layers}
    image = np.random.default_rng(1).integers(0, 256, (14, 14, 1)).astype(np.uint8)

    def logits(activations: np.ndarray) -> np.ndarray:
        hidden = np.maximum(pool(activations).reshape(-1) @ weights["dense1"][0] + weights["dense1"][1], 0)
        return hidden @ weights["logits"][0] + weights["logits"][1]

    activations = convolve(pool(convolve(image / 255, *weights["conv1"])), *weights["conv2"])
    height, width, filters = activations.shape
    step = 1e-5
    changes = [  # raising a whole filter changes a logit by the sum of its gradients
        (logits(activations + shift) - logits(activations - shift)) / (2 * step) for shift in np.eye(filters) * step
    ]
    for label, alphas in enumerate(np.array(changes).T / (height * width)):
        coarse = np.maximum(activations @ alphas, 0).astype(np.float32)
        expected = np.asarray(Image.fromarray(coarse).resize((14, 14), Image.Resampling.BILINEAR))
        assert expected.any()
        assert np.allclose(explain(run, image, label).heatmap, expected / expected.max(), atol=2e-4)


@pytest.mark.parametrize("name", MODELS)
def test_every_network(name: str, tmp_path: Path) -> None:
    info = MODELS[name]
    model = build_model(name, (info.smallest, info.smallest, info.channels), 3)
    run = save_run(tmp_path / name, model, name)
    assert default_layer(run) in list_layers(run)
    shape = (info.smallest, info.smallest, info.channels)
    explanation = explain(run, np.random.default_rng(2).integers(0, 256, shape).astype(np.uint8), 1)
    assert explanation.heatmap.shape == shape[:2] and explanation.heatmap.dtype == np.float32
    assert np.isfinite(explanation.heatmap).all() and explanation.heatmap.min() >= 0
    assert explanation.is_empty or explanation.heatmap.max() == pytest.approx(1)
    assert (explanation.label, explanation.layer) == ("b", info.cam_layer)
    layers = list_layers(run)  # a layer beside a shortcut does not carry everything, and cannot be explained
    for layer in layers[:: max(1, len(layers) // 5)]:
        make_differentiator(model, layer)


@pytest.mark.parametrize("method", EXPLAINERS)
def test_every_method(method: str, pass_on: Run, picture: np.ndarray) -> None:
    heatmap = explain(pass_on, picture, 0, method=method).heatmap
    assert heatmap.shape == (6, 6) and heatmap.min() >= 0 and heatmap.max() == pytest.approx(1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"layer": "conv9"}, "conv2"),
        ({"layer": "average"}, "conv2"),
        ({"class_index": 2}, "2 classes"),
        ({"class_index": -1}, "Class -1"),
        ({"method": "grandcam"}, "Did you mean 'gradcam'"),
    ],
)
def test_refuses(pass_on: Run, picture: np.ndarray, wrong: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        explain(pass_on, picture, **wrong)


def test_refuses_a_run_without_a_model(pass_on: Run, picture: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text((pass_on.path / "config.json").read_text())
    with pytest.raises(InputError, match="no model yet"):
        explain(Run(tmp_path), picture)


def test_a_new_model_file_is_read_anew(tmp_path: Path, picture: np.ndarray) -> None:
    run = save_run(tmp_path / "run", one_layer(PASS_ON, 0, LIKES, 6), classes=("a", "b"))
    assert explain(run, picture, 1).is_empty
    one_layer(PASS_ON, 0, -LIKES, 6).save(run.model_file)
    assert not explain(run, picture, 1).is_empty
