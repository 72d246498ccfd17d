import json
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from vision_app.config import RunConfig
from vision_app.data.preprocess import preprocess
from vision_app.errors import InputError
from vision_app.predict import Prediction
from vision_app.ui import classify_view as view
from vision_app.ui.pictures import Source

HOSTILE = '<img src=x onerror="alert(1)">'
DIGITS = tuple("0123456789")
THINGS = ("airplane", "cat")


class FakeClassifier:
    """Always gives the same answer; an outside picture is inverted before it is received."""

    def __init__(self, name: str, dataset: str, classes: tuple[str, ...], label: str) -> None:
        self.name, self.label = name, label
        self.classes = classes
        self.config = RunConfig(dataset=dataset, classes=classes, input_size=8, channels=1)

    def receive(self, picture: np.ndarray) -> np.ndarray:
        return 255 - preprocess(picture[None], 8, 1)[0]

    def predict_received(self, image: np.ndarray) -> Prediction:
        rest = 0.2 / (len(self.classes) - 1)
        return Prediction(label=self.label, scores={name: 0.8 if name == self.label else rest for name in self.classes})


MODELS = {
    model.name: model
    for model in (
        FakeClassifier("mnist", "mnist", DIGITS, "7"),
        FakeClassifier("lenet", "mnist", DIGITS, "1"),
        FakeClassifier("copy", "mnist", DIGITS, "7"),
        FakeClassifier("cifar10", "cifar10", THINGS, "cat"),
        FakeClassifier("shapes", "shapes", ("circle", HOSTILE), HOSTILE),
    )
}


@pytest.fixture(autouse=True)
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = {name: SimpleNamespace(name=name, config=lambda model=model: model.config) for name, model in MODELS.items()}

    def resolve(name: str, paths: bool) -> SimpleNamespace:
        assert not paths
        if name not in runs:
            raise InputError(f"Unknown model '{name}'.")
        return runs[name]

    monkeypatch.setattr(view, "list_models", lambda: list(runs.values()))
    monkeypatch.setattr(view, "resolve", resolve)
    monkeypatch.setattr(view, "load_classifier", lambda run: MODELS[run.name])


PICTURE = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)


def test_an_outside_picture_is_made_to_look_like_the_datasets_own() -> None:
    (answer,) = view.classify(PICTURE, ["mnist"])
    assert np.array_equal(answer.received, 255 - preprocess(PICTURE[None], 8, 1)[0])


def test_a_datasets_own_test_image_is_received_as_in_the_evaluation() -> None:
    own, foreign = view.classify(PICTURE, ["mnist", "cifar10"], dataset="mnist")
    assert np.array_equal(own.received, preprocess(PICTURE[None], 8, 1)[0])
    assert np.array_equal(foreign.received, 255 - own.received)


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ([], "at least one model"),
        (["nope"], "Unknown model 'nope'"),
        (["../../etc"], "name of a model"),
        (["/etc/passwd"], "name of a model"),
        ([f"m{i}" for i in range(7)], "at most 6 models"),
    ],
)
def test_bad_choices_of_models_are_refused(names: list[str], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        view.classify(PICTURE, names)


def test_a_model_that_cannot_answer_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    load = view.load_classifier

    def fail_for_lenet(run: SimpleNamespace) -> FakeClassifier:
        if run.name == "lenet":
            raise InputError("nothing <stands> out")
        return load(run)

    monkeypatch.setattr(view, "load_classifier", fail_for_lenet)
    answers = view.classify(PICTURE, ["mnist", "lenet"])
    assert answers[1] == view.Refusal("lenet", "nothing <stands> out")
    text = view.answers_html(answers)
    assert "nothing &lt;stands&gt; out" in text and text.count("<article") == 2
    with pytest.raises(InputError, match="nothing"):
        view.classify(PICTURE, ["lenet"])


def test_a_model_named_twice_answers_once() -> None:
    assert len(view.classify(PICTURE, ["mnist", "mnist"])) == 1


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["mnist"], ""),
        (["mnist", "copy"], "Both models say 7."),
        (["mnist", "lenet"], "The models disagree: mnist says 7, lenet says 1."),
        (["mnist", "lenet", "copy"], "The models disagree: 2 of 3 say 7, lenet says 1."),
        (["mnist", "cifar10"], "These models know different classes, so their answers are about different things."),
    ],
)
def test_agreement_in_words(names: list[str], words: str) -> None:
    assert view.verdict(view.classify(PICTURE, names)) == words


def test_the_page_shows_answer_bars_and_received_image() -> None:
    text = view.answers_html(view.classify(PICTURE, ["mnist", "lenet"]))
    assert "7<small>, 80.0 %</small>" in text
    assert text.count("<li") == 20
    assert text.count("What the network received: 8 × 8, grey") == 2


def test_a_test_images_own_label_is_told() -> None:
    answers = view.classify(PICTURE, ["mnist", "copy"], dataset="mnist")
    assert ">The dataset says 1. Both models say 7.<" in view.answers_html(answers, truth="1")


def test_class_names_are_shown_as_text() -> None:
    assert HOSTILE not in view.answers_html(view.classify(PICTURE, ["shapes"]), truth=HOSTILE)


def test_a_file_is_answered_in_strict_json(tmp_path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(PICTURE).save(path)
    answer = json.loads(json.dumps(view.classify_file(str(path), ["mnist"]), allow_nan=False))
    assert [item["model"] for item in answer] == ["mnist"]
    assert answer[0]["label"] == "7"
    assert sum(answer[0]["scores"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("kind", "names", "expected"),
    [
        ("draw", ["cifar10", "digits", "mnist"], ["mnist"]),
        ("draw", ["cifar10", "digits"], ["digits"]),
        ("draw", ["my-run"], ["my-run"]),
        ("upload", ["cifar10", "mnist"], ["cifar10"]),
        ("webcam", ["mnist"], ["mnist"]),
        ("draw", [], []),
    ],
)
def test_the_model_to_begin_with(kind: str, names: list[str], expected: list[str]) -> None:
    assert view.default_models(kind, names) == expected


@pytest.mark.parametrize(
    ("after", "chosen", "automatic", "expected"),
    [
        ("upload", ["mnist"], ["mnist"], ["cifar10"]),
        ("draw", ["cifar10"], ["cifar10"], ["mnist"]),
        ("draw", ["shapes"], ["shapes"], ["mnist"]),  # chosen by the page for an example
        ("upload", ["mnist", "lenet"], ["mnist"], ["mnist", "lenet"]),
        ("upload", ["mnist"], [], ["mnist"]),
        ("examples", ["mnist"], ["mnist"], ["mnist"]),
        ("draw", ["deleted"], [], ["mnist"]),
        ("upload", [], [], ["cifar10"]),
    ],
)
def test_a_default_gives_way_and_a_choice_stays(after: str, chosen: list, automatic: list, expected: list) -> None:
    assert view.switch_models(after, chosen, automatic, list(MODELS)) == expected


@pytest.mark.parametrize(
    ("source", "chosen", "expected"),
    [
        (Source("cat", dataset="cifar10", index=0), ["mnist"], ["cifar10"]),
        (Source("7", dataset="mnist", index=0), ["lenet"], ["lenet"]),
        (Source("coat", dataset="fashion_mnist", index=0), ["mnist"], ["mnist"]),
        (Source("digit 7", path="digit_7.png"), ["cifar10"], ["mnist"]),
        (Source("shape star", path="shape_star.png"), ["mnist"], ["shapes"]),
        (Source("cat", path="cat.jpg"), ["mnist"], ["cifar10"]),
    ],
)
def test_an_example_is_answered_by_a_model_made_for_it(source: Source, chosen: list, expected: list) -> None:
    assert view.models_for(source, chosen, list(MODELS)) == expected


@pytest.mark.parametrize("kind", ["draw", "upload", "webcam", "examples"])
def test_empty_pages_say_what_to_do(kind: str) -> None:
    assert "vw-empty" in view.empty_html(kind, ["mnist"])
    assert "Train" in view.empty_html(kind, [])


def test_the_preview_names_file_and_size() -> None:
    text = view.preview_html(np.zeros((1080, 1920, 3), np.uint8), HOSTILE, PICTURE)
    assert "1,920 × 1,080 pixels" in text
    assert HOSTILE not in text
