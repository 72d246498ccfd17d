from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from vision_app.errors import InputError
from vision_app.ui.explain_view import PREDICTED, Chosen
from vision_app.ui.pictures import ALL_CLASSES, Source
from vision_app.ui.tabs import explain as tab

SKIPPED = gr.skip()
REST = (None, "digits", PREDICTED, "", "gradcam", 50)
SEVEN = Source("7", dataset="digits", index=5)


@pytest.fixture(autouse=True)
def explanations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Explain with the picture's name and shape; the model "damaged" cannot."""

    def explain_picture(picture: np.ndarray, source: Source, model: str, *asked: str) -> str:
        if model == "damaged":
            raise InputError("The model 'damaged' is damaged.")
        return f"{source.name} {picture.shape}"

    monkeypatch.setattr(tab.view, "explain_picture", explain_picture)
    monkeypatch.setattr(tab.view, "explained_html", lambda explained, opacity: f"{explained} at {opacity}")
    monkeypatch.setattr(tab.view, "warm_up", lambda: None)
    monkeypatch.setattr(tab.view, "is_ready", lambda: True)
    monkeypatch.setattr(tab.view, "class_choices", lambda model: [PREDICTED, "1", "2"])
    monkeypatch.setattr(tab.view, "layer_choices", lambda model, listed=False: [("own", ""), ("conv1", "conv1")])
    monkeypatch.setattr(tab.classify_view, "model_names", lambda: ["mnist", "digits"])
    monkeypatch.setattr(
        tab.classify_view, "models_for", lambda source, chosen, names: ["digits"] if source.dataset else chosen
    )


def test_explains_the_picture_of_the_open_source() -> None:
    chosen = Chosen("examples", {"examples": SEVEN})
    assert list(tab._explain(chosen, *REST)) == [("", "7 (8, 8, 3) at 0.5", "7 (8, 8, 3)")]


def test_the_first_time_says_what_takes_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tab.view, "is_ready", lambda: False)
    first, last = tab._explain(Chosen("examples", {"examples": SEVEN}), *REST)
    assert "Starting TensorFlow" in first[1] and last[1].startswith("7")


def test_without_a_picture_says_what_to_do() -> None:
    for chosen in (Chosen("upload", {"examples": SEVEN}), Chosen("draw")):
        [(status, results, drawn)] = tab._explain(chosen, *REST)
        assert (status, drawn) == ("", None) and "Choose a picture" in results


def test_what_cannot_be_explained_leaves_no_other_explanation_standing() -> None:
    chosen = Chosen("examples", {"examples": SEVEN})
    *_, (status, results, drawn) = tab._explain(chosen, None, "damaged", *REST[2:])
    assert 'role="alert"' in status and "Choose a picture" in results and drawn is None


def test_another_model_starts_from_what_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(tab.view, "explain_picture", lambda *given: asked.append(given[2:]) or "explained")
    chosen = Chosen("examples", {"examples": SEVEN})
    [(classes, layers, status, *_)] = tab._change_model(chosen, None, "mnist", "dog", "conv1", "gradcam", 50)
    assert (classes.value, layers.value, status) == (PREDICTED, "", "")
    list(tab._change_model(chosen, None, "mnist", "2", "conv1", "gradcam", 50))
    assert asked == [("mnist", PREDICTED, "", "gradcam"), ("mnist", "2", "", "gradcam")]


def test_the_pad_is_only_heard_when_it_is_open() -> None:
    assert list(tab._explain_drawing(Chosen("examples", {"examples": SEVEN}), *REST)) == [(SKIPPED,) * 3]
    assert "Choose" in next(tab._explain_drawing(Chosen("draw"), *REST))[1]


def test_another_kind_of_source_is_explained_once() -> None:
    chosen = Chosen("upload", {"examples": SEVEN})
    [(now, status, results, _)] = tab._open_source("examples", chosen, *REST)
    assert (now.kind, status, results) == ("examples", "", "7 (8, 8, 3) at 0.5")


def test_opacity_draws_again_without_explaining() -> None:
    assert tab._draw("7 explained", 30) == "7 explained at 0.3"
    assert tab._draw(None, 30) == SKIPPED


def test_an_upload_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "cat.png"
    Image.new("RGB", (30, 20)).save(path)
    file, preview, chosen, status = tab._upload(str(path), Chosen("upload"))
    assert (file, status) == (None, "") and "30 × 20" in preview
    assert chosen.sources["upload"] == Source("cat.png", path=str(path))


def test_a_broken_upload_leaves_everything_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    file, preview, chosen, status = tab._upload(str(tmp_path / "broken.png"), Chosen())
    assert file is None and preview == chosen == SKIPPED and "broken.png" in status


def test_a_click_takes_a_model_made_for_the_picture() -> None:
    event = SimpleNamespace(_data={"index": 0})
    rest = ("1", "conv1", "gradcam", 50, event)
    [(chosen, model, class_name, layer, _, results, _)] = tab._pick([SEVEN], Chosen(), None, "mnist", *rest)
    assert (chosen.sources["examples"], model, class_name.value, layer.value) == (SEVEN, "digits", PREDICTED, "")
    assert results == "7 (8, 8, 3) at 0.5"
    [(_, _, class_name, layer, *_)] = tab._pick([SEVEN], Chosen(), None, "digits", *rest)
    assert class_name == layer == SKIPPED  # a choice stays while the model does


def opened(query: dict[str, str], shown: tuple = ()) -> tuple:
    return tab._open(list(shown), Chosen(), None, None, ALL_CLASSES, 0, SimpleNamespace(query_params=query))


def test_opening_lists_pictures() -> None:
    collection, thumbs, shown, chosen, model, *_ = opened({})
    assert "<button" in thumbs and shown and chosen == Chosen() and model.value == "mnist"
    assert collection.value in [value for _, value in collection.choices]


def test_the_address_is_followed() -> None:
    collection, _, shown, chosen, model, *_ = opened({"dataset": "digits", "image": "5"})
    assert chosen.sources["examples"] == Source("5", dataset="digits", index=5)
    assert (collection.value, model.value, shown[0].dataset) == ("digits", "digits", "digits")
    assert opened({"model": "digits"})[4].value == "digits"


@pytest.mark.parametrize(
    "query", [{"dataset": "x", "image": "1"}, {"dataset": "digits", "image": "359"}, {"image": "-1"}]
)
def test_nonsense_in_the_address_is_left_out(query: dict[str, str]) -> None:
    assert opened(query)[3] == Chosen()


def test_coming_back_keeps_what_is_shown() -> None:
    *kept, model, _, _ = opened({}, shown=(SEVEN,))
    assert kept == [SKIPPED] * 4 and model.value == "mnist"


def test_endpoint_asks_for_a_picture() -> None:
    with pytest.raises(gr.Error, match="Expected a picture file"):
        tab.explain(None, "digits")
