from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from vision_app.errors import InputError
from vision_app.ui.pictures import Source
from vision_app.ui.tabs import classify as tab

SKIPPED = gr.skip()


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answer with the names of the models; one of them is damaged."""

    def classify(picture: np.ndarray, models: list[str], dataset: str | None = None) -> list[str]:
        if "damaged" in models:
            raise InputError("The model 'damaged' is damaged.")
        return models

    monkeypatch.setattr(tab.view, "classify", classify)
    monkeypatch.setattr(tab.view, "answers_html", lambda answers, truth=None: f"{'+'.join(answers)} {truth}")
    monkeypatch.setattr(tab.view, "model_names", lambda: ["cifar10", "mnist"])


@pytest.fixture
def photo(tmp_path: Path) -> str:
    path = tmp_path / "cat.png"
    Image.new("RGB", (30, 20), "red").save(path)
    return str(path)


def test_an_upload_is_answered_shown_and_remembered(photo: str) -> None:
    file, preview, chosen, results, problem = tab._upload(photo, ["cifar10"], {})
    assert file is None  # the next one can be dropped at once
    assert "30 × 20 pixels" in preview
    assert chosen["upload"] == Source("cat.png", path=photo)
    assert (results, problem) == ("cifar10 None", "")


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_a_broken_upload_leaves_everything_as_it_was(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    file, preview, chosen, results, problem = tab._upload(str(path), ["cifar10"], {"upload": Source("old", path="old")})
    assert file is None
    assert preview == chosen == results == SKIPPED
    assert 'role="alert"' in problem
    assert "broken.png" in problem


def test_a_damaged_model_keeps_the_last_answer(photo: str) -> None:
    *_, results, problem = tab._upload(photo, ["damaged"], {})
    assert results == SKIPPED
    assert "damaged" in problem


def test_an_empty_pad_asks_to_draw() -> None:
    assert "Draw a digit" in tab._draw("", ["mnist"])[0]


def test_new_models_answer_to_the_picture_of_the_open_source(photo: str) -> None:
    chosen = {"upload": Source("cat.png", path=photo), "examples": Source("7", dataset="digits", index=0)}
    assert tab._again("upload", "", chosen, ["mnist"]) == ("mnist None", "")
    assert tab._again("examples", "", chosen, ["mnist"]) == ("mnist 7", "")
    assert "Take a photo" in tab._again("webcam", "", chosen, ["mnist"])[0]


def test_a_photo_that_is_removed_is_forgotten(photo: str) -> None:
    chosen, results, _ = tab._photograph(photo, ["cifar10"], {})
    assert results == "cifar10 None"
    chosen, results, _ = tab._photograph(None, ["cifar10"], chosen)
    assert chosen == {}
    assert "Take a photo" in results


def test_a_click_on_no_picture_is_refused() -> None:
    models, automatic, chosen, results, problem = tab._pick([], ["mnist"], [], {}, SimpleNamespace(_data={"index": 0}))
    assert models == automatic == chosen == results == SKIPPED
    assert "click on a picture" in problem


def test_the_address_chooses_the_models_once() -> None:
    address = SimpleNamespace(query_params={"model": "cifar10,mnist,nope"})
    asked, automatic, is_open = tab._refresh("draw", ["mnist"], ["mnist"], False, address)
    assert (asked.value, automatic, is_open) == (["cifar10", "mnist"], ["mnist"], True)
    again, automatic, _ = tab._refresh("draw", ["mnist"], ["mnist"], True, address)
    assert again.choices and automatic == SKIPPED
    assert "value" not in again._constructor_args[0]  # a person may have chosen others
    nonsense = SimpleNamespace(query_params={"model": "nope"})
    assert tab._refresh("draw", [], [], False, nonsense)[0].value == ["mnist"]


def test_what_the_page_chose_for_an_example_gives_way_to_the_next_source() -> None:
    event = SimpleNamespace(_data={"index": 0})
    source = Source("airplane", dataset="cifar10", index=0)
    models, automatic, chosen, *_ = tab._pick([source], ["mnist"], ["mnist"], {}, event)
    assert models == automatic == ["cifar10"]
    assert tab._open_source("draw", "", chosen, models, automatic)[:2] == (["mnist"], ["mnist"])
    assert tab._open_source("draw", "", chosen, ["cifar10"], [])[0] == ["cifar10"]  # chosen by a person


def test_the_endpoint_wants_a_picture() -> None:
    with pytest.raises(gr.Error, match="picture file"):
        tab.classify(None, ["mnist"])
