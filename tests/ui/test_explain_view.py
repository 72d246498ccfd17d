from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.fakes import make_run
from vision_app.data.datasets import load_split
from vision_app.errors import InputError
from vision_app.explain.catalog import Explanation
from vision_app.figures import overlay
from vision_app.predict import Prediction
from vision_app.runs import Run
from vision_app.ui import explain_view as view
from vision_app.ui.classify_view import Answer
from vision_app.ui.explain_view import Chosen, Explained
from vision_app.ui.pictures import Source, read_source

DIGIT = Source("7", dataset="digits", index=5)


def explained(label: str = "b", empty: bool = False, source: Source = Source("digit_7.png", path="x")) -> Explained:
    """An explanation made by hand: "a" is predicted."""
    heatmap = np.zeros((4, 4), np.float32)
    heatmap[1, 2] = 0 if empty else 1
    image = np.full((4, 4, 1), 100, np.uint8)
    answer = Answer("mnist", Prediction(label="a", scores={"a": 0.75, "b": 0.25}), image)
    return Explained(source, answer, Explanation(heatmap, label, "ab".index(label), "conv2", "gradcam", empty))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    make_run(folder / "one")
    return folder


@pytest.fixture
def run(models: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("VISION_APP_CHECKPOINTS", str(models))
    return Run(models / "one")


def test_alternative_text_says_the_result() -> None:
    shown = view.explained_html(explained(), 0.5)
    assert 'alt="Grad-CAM of digit_7.png for class b"' in shown
    assert shown.count("<img") == 3 and shown.count("vw-crisp") == 3
    assert 'role="img" aria-label="Colour bar' in shown


def test_says_probability_and_prediction() -> None:
    other = view.explained_html(explained("b"), 0.5)
    assert "<strong>b</strong><span>, 25.0 %" in other and "Predicted: a, 75.0 %" in other
    predicted = view.explained_html(explained("a"), 0.5)
    assert "<strong>a</strong><span>, 75.0 %" in predicted and "Predicted:" not in predicted


def test_an_empty_map_is_said() -> None:
    shown = view.explained_html(explained(empty=True), 0.5)
    assert "The map is empty: nothing in layer conv2 speaks for class b" in shown
    assert "Try the predicted class or another layer." in shown
    assert "Try another layer." in view.explained_html(explained("a", empty=True), 0.5)
    assert "vw-alert" not in view.explained_html(explained(), 0.5)


def test_opacity_changes_only_the_overlay() -> None:
    shown = {share: view.explained_html(explained(), share).split("<figure>") for share in (0.2, 0.8)}
    assert shown[0.2][:3] == shown[0.8][:3]
    assert shown[0.2][3] != shown[0.8][3]


def test_names_are_escaped() -> None:
    assert "<script>" not in view.explained_html(explained(source=Source("<script>.png", path="x")), 0.5)


def test_the_address_of_a_test_image_is_told() -> None:
    assert 'data-dataset="digits" data-image="5"' in view.explained_html(explained(source=DIGIT), 0.5)
    assert "data-image" not in view.explained_html(explained(), 0.5)


def test_a_test_image_is_explained_as_the_network_receives_it(run: Run) -> None:
    result = view.explain_picture(read_source(DIGIT), DIGIT, run.name)
    size = run.config().input_size
    assert result.answer.received.shape == (size, size, 1)
    if size == 8:
        assert np.array_equal(result.answer.received, load_split("digits", "test")[0][5])
    assert result.explanation.label == result.answer.prediction.label
    assert result.explanation.heatmap.shape == (size, size)
    assert result.source.name == "Digits 8 x 8 test image 5"


def test_chosen_class_and_layer(run: Run) -> None:
    names = [name for _, name in view.layer_choices(run.name, listed=True)]
    assert names[0] == "" and "c1" in names
    result = view.explain_picture(read_source(DIGIT), DIGIT, run.name, "3", "c1")
    assert (result.explanation.label, result.explanation.layer) == ("3", "c1")
    assert view.class_choices(run.name) == [view.PREDICTED, *"0123456789"]
    assert view.layer_choices(run.name) == [("c3 (the model's own)", "")]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"model": None}, "at least one model"),
        ({"model": "none"}, "none"),
        ({"model": "../one"}, "name of a model"),
        ({"class_name": "cat"}, "no class 'cat'"),
        ({"layer": "conv99"}, "conv99"),
        ({"method": "magic"}, "Known: gradcam"),
    ],
)
def test_refuses(run: Run, asked: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        view.explain_picture(read_source(DIGIT), DIGIT, **{"model": run.name, **asked})


def test_a_picture_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "digit_7.png"
    Image.fromarray(255 - read_source(DIGIT).repeat(20, 0).repeat(20, 1)).save(path)
    picture, said = view.explain_file(str(path), run.name, "", "")
    assert picture.dtype == np.uint8 and picture.shape[2] == 3 and min(picture.shape[:2]) >= view.SMALLEST_FILE
    assert said["description"].startswith(f"Grad-CAM of digit_7.png for class {said['predicted']}")
    assert said["probability"] == max(said["scores"].values())
    assert (said["model"], said["layer"], said["method"]) == ("one", "c3", "gradcam")


def test_a_saved_overlay_keeps_its_pixels() -> None:
    result = explained()
    picture = view.overlay_picture(result, 0.5)
    assert picture.shape == (256, 256, 3)
    assert np.array_equal(picture[::64, ::64], overlay(result.answer.received, result.explanation.heatmap, 0.5))


def test_chosen_pictures_are_kept_by_kind() -> None:
    chosen = Chosen().with_source("upload", DIGIT)
    assert chosen == replace(Chosen(), sources={"upload": DIGIT})
    assert chosen.with_source("examples", DIGIT).sources.keys() == {"upload", "examples"}


def test_empty_states_say_what_to_do() -> None:
    assert "Choose a picture" in view.empty_html("mnist")
    assert "Train one" in view.empty_html(None)
    assert "seconds" in view.waiting_html()
