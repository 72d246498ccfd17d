from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from tests.data.photos import class_folders, write_folder
from vision_app.data import own
from vision_app.data.datasets import DATASETS, find_dataset
from vision_app.data.patch import read_patch
from vision_app.edits import Edit
from vision_app.health import jobs
from vision_app.health.embedding import Embedding
from vision_app.ui import browse_choice, browse_map
from vision_app.ui.browse_add import add_dataset
from vision_app.ui.browse_choice import Choice, Place
from vision_app.ui.browse_layout import BrowseParts, build_parts
from vision_app.ui.pictures import ALL_CLASSES
from vision_app.ui.tabs import browse as tab

SKIPPED = gr.skip()


def opened(query: dict[str, str], shown: object = None) -> tuple:
    request = SimpleNamespace(query_params=query)
    return tab._open(shown, "digits", "test", ALL_CLASSES, "", "", "", None, "", request)


def named(values: tuple) -> SimpleNamespace:
    """Name what opening the tab, or choosing another dataset, gives: the filters and the gallery."""
    split, class_name, finding, search, region, _, facts, fetch, start, _, model, verdict, *rest = values
    moves, (page, thumbs, position, selected, enlarged, answer, *_) = rest[:4], rest[4:]
    names = (
        "split", "class_name", "finding", "search", "region", "facts", "fetch", "start", "model", "verdict", "page", "thumbs",
        "position",
    )  # fmt: skip
    found = (split, class_name, finding, search, region, facts, fetch, start, model, verdict, page, thumbs, position)
    return SimpleNamespace(
        **dict(zip(names, found, strict=True)), moves=moves, selected=selected, enlarged=enlarged, answer=answer
    )


def test_opens_on_the_first_dataset() -> None:
    dataset, *rest = opened({})
    found = named(rest)
    assert dataset.value == next(iter(DATASETS)) == found.page.choice.dataset
    assert (found.split.value, found.class_name.value, found.page.number, found.selected) == (
        "test",
        ALL_CLASSES,
        1,
        None,
    )
    assert "1,797 images" in found.facts and found.fetch.visible is False and found.search.visible is False
    assert found.thumbs.count("<button") == 60 and "of 6" in found.position


def test_the_address_is_followed() -> None:
    query = {"dataset": "digits", "split": "train", "class": "3", "sheet": "2", "image": "train-70"}
    dataset, *rest = opened(query)
    found = named(rest)
    assert (dataset.value, found.split.value, found.class_name.value) == ("digits", "train", "3")
    assert (found.page.number, found.page.choice.split, found.selected) == (2, "train", Place("train", 70))
    assert 'data-image="train-70"' in found.enlarged


@pytest.mark.parametrize(
    "query",
    [
        {"dataset": "none"},
        {"split": "x"},
        {"class": "<b>"},
        {"finding": "near_duplicate"},
        {"search": "x"},
        {"sheet": "-1"},
        {"sheet": "9" * 40},
        {"image": "x"},
        {"image": "359"},
        {"image": "nowhere-5"},
        {"image": "99999"},
    ],
)
def test_nonsense_in_the_address_is_left_out(query: dict[str, str]) -> None:
    _, *rest = opened(query)
    found = named(rest)
    assert (found.page.choice, found.page.number, found.selected) == (Choice("digits"), 1, None)
    assert found.thumbs.count("<button") == 60 and found.enlarged == tab.view.NO_SELECTION


def test_an_image_of_the_other_split_may_be_further_on() -> None:
    assert named(opened({"split": "train", "image": "359"})[1:]).selected == Place("train", 359)


def test_coming_back_keeps_what_is_shown() -> None:
    page = tab.view.find_page(Choice("digits", "train", "3"), 2)
    choices, *rest = opened({"dataset": "shapes"}, shown=page)
    assert choices.choices and rest.count(SKIPPED) == 10 + 4 + 3 + 10
    assert len(opened({}, page)) == len(opened({}))


def test_another_dataset_begins_anew(data_folder: Path) -> None:
    found = named(tab._change_dataset("cifar10", "validation"))
    assert found.class_name.choices[1] == ("airplane", "airplane") and found.class_name.value == ALL_CLASSES
    assert "60,000" in found.facts and found.fetch.visible and found.start.value == "Download 170 MB"
    assert (found.split.value, found.model.visible, found.page.places, found.selected) == ("test", False, (), None)


def test_page_buttons() -> None:
    asked = ("digits", "test", ALL_CLASSES, "", "", "", None)
    page = tab.view.find_page(Choice(*asked), 3)
    numbers = [tab._mover(step)(page, *asked)[4].number for step in tab.view.STEPS]
    assert numbers == [1, 2, 4, 6]


@pytest.mark.parametrize(("number", "possible"), [(1, "0011"), (3, "1111"), (6, "1100")])
def test_page_buttons_that_lead_nowhere_are_off(number: int, possible: str) -> None:
    moves = tab.updates.gallery(tab.view.find_page(Choice("digits"), number))[:4]
    assert [move.interactive for move in moves] == [letter == "1" for letter in possible]


def test_moving_on_drops_the_selection() -> None:
    page = tab.view.find_page(Choice("digits"), 1)
    selected, enlarged = tab._mover(1)(page, "digits", "test", ALL_CLASSES, "", "", "", None)[7:9]
    assert selected is None and enlarged == tab.view.NO_SELECTION


def test_a_click_enlarges_and_offers_corrections(data_folder: Path) -> None:
    page = tab.view.find_page(Choice("digits", "test", "4"), 1)
    picture = tab._select(page, SimpleNamespace(_data={"index": 2}))
    place, enlarged, answer, neighbours, row, exclude, accept, label, move, undo = picture
    assert neighbours == "" and [value for _, value in move.choices] == ["train"]
    assert (place, answer) == (page.places[2], "") and f'data-image="test-{place.index}"' in enlarged
    assert row.visible and exclude.interactive and not accept.visible and not undo.interactive
    assert [value for _, value in label.choices] == list("0123456789")


def test_a_picture_is_corrected_and_that_is_undone(data_folder: Path) -> None:
    digits = find_dataset("digits")
    page = tab.view.find_page(Choice("digits", "test", "4"), 1)
    place = page.places[2]
    thumbs, _, enlarged, *_ = tab._fixer("exclude")(page, place)
    assert read_patch(digits) == (Edit(action="exclude", split="test", index=place.index),)
    assert "(corrected)" in thumbs and "Published as 4;" in enlarged and "left out" in enlarged
    tab._fixer("move")(page, place, "train")
    assert read_patch(digits)[-1] == Edit(action="move", split="test", index=place.index, to="train")
    *_, patch, undo_all, download = tab._fixer("relabel")(page, place, "9")
    assert "3 corrections" in patch and undo_all.interactive and download.interactive
    tab._fixer("undo")(page, place)
    assert read_patch(digits) == ()
    tab._fixer("relabel")(page, place, "9")
    assert "No corrections" in tab._undo_all(page, place)[-3] and read_patch(digits) == ()
    with pytest.raises(gr.Error, match="click on one"):
        tab._fixer("exclude")(page, None)


def test_a_region_of_the_map_fills_the_gallery(monkeypatch: pytest.MonkeyPatch) -> None:
    found = Embedding(
        splits=("train", "test"),
        parts=np.uint8([0, 1, 1]),
        indices=np.int32([7, 3, 4]),
        vectors=np.eye(3, dtype=np.float32),
        maps={"tsne": np.float32([[0.1, 0.1], [0.2, 0.2], [0.9, 0.9]])},
    )
    monkeypatch.setattr(jobs, "read_map", lambda name: found)
    for module in (browse_choice, browse_map, tab.view):
        monkeypatch.setattr(module, "read_map", lambda name: found)
    drawn = SimpleNamespace(_data={"dataset": "digits", "layout": "tsne", "region": [0, 0, 0.5, 0.5]})
    split, class_name, finding, _, region, row, verdict, *rest = tab._limit("digits", "digits", drawn)
    assert (split.value, class_name.value, finding.value, verdict) == ("all", ALL_CLASSES, "", "")
    assert region == "tsne:0.0000,0.0000,0.5000,0.5000" and row.visible
    assert rest[4].places == (Place("train", 7), Place("test", 3))
    again = named(opened({"split": "all", "region": region})[1:])
    assert again.page.places == rest[4].places and again.region == region
    assert named(opened({"region": "tsne:9"})[1:]).page.count == 359
    region, row, *rest = tab._unlimit("digits", "test", ALL_CLASSES, "", "", "", None, region)
    assert region == "" and not row.visible and rest[4].count == 359
    clicked_on = SimpleNamespace(_data={"dataset": "digits", "index": 2})
    card, thumbs, place, *_ = tab._select_point(rest[4], clicked_on)
    assert place == Place("test", 4) and "No. 4 of test" in card and 'aria-pressed="true"' in thumbs
    thumbs, place, *_ = tab._select_neighbour(rest[4], Place("test", 4), SimpleNamespace(_data={"index": 0}))
    assert place in (Place("train", 7), Place("test", 3))
    assert tab._draw_map("digits", "umap", "class", "")[0] == {}  # and not the map of the set before


def test_a_click_on_nothing_is_refused() -> None:
    page = tab.view.find_page(Choice("digits", "test", "4"), 1)
    with pytest.raises(gr.Error):
        tab._select(page, SimpleNamespace(_data={"index": 60}))


def test_a_model_that_cannot_answer_is_said_beside_the_picture() -> None:
    page = tab.view.find_page(Choice("digits"), 1)
    shown = tab._answer(page, Place("test", 0), "gone")
    assert 'role="alert"' in shown and "gone" in shown
    assert tab._answer(None, None, None) == tab._answer(page, None, "gone") == ""


def test_only_pictures_that_a_model_gets_wrong() -> None:
    asked = ("digits", "test", ALL_CLASSES, "", "", "wrong", "digits")
    verdict, *rest = tab._judge(*asked, progress=lambda share, words: None)
    page = rest[4]
    errors = 359 - round(0.9972 * 359)
    assert verdict == "wrong" and page.count == errors
    right = tab.view.find_page(Choice(*asked[:5], "right", "digits"), 1)
    assert right.count == 359 - errors
    found = named(opened({"dataset": "digits", "verdict": "wrong", "model": "digits"})[1:])
    assert (found.verdict.value, found.model.value, found.page.count) == ("wrong", "digits", errors)
    assert named(opened({"verdict": "wrong", "model": "none"})[1:]).page.count == 359
    with pytest.raises(gr.Error, match="Expected a model"):
        tab._judge(*asked[:6], None)


def test_what_begins_anew_has_a_value_for_every_widget(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = add_dataset(None, str(write_folder(tmp_path / "set", class_folders(20))), "Set")
    expected = len(tab._anew(build_parts_alone()))
    said, *rest = tab._divide(name, "test", 0.5, 0.2, 0.3, 1, "3", "", False)
    assert "train 30" in said and len(rest) == expected
    assert "60 images" in named(rest).facts and named(rest).page.count == 18
    kept, *rest = tab._remove(name, "test", "")
    assert kept == SKIPPED and rest == [SKIPPED] * expected
    chosen, *rest = tab._remove(name, "test", "yes")
    assert chosen.value == "digits" and len(rest) == expected
    assert name not in [value for _, value in chosen.choices]


def build_parts_alone() -> BrowseParts:
    with gr.Blocks():
        return build_parts()


def test_corrections_that_do_not_fit_are_told_and_lock_nothing(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "set", class_folders(20))
    name = add_dataset(None, str(folder), "Set")
    page = tab.view.find_page(Choice(name, "train"), 1)
    tab._fixer("exclude")(page, page.places[0])
    with pytest.raises(gr.Error, match="undo them all in the Browse tab"):
        tab._divide(name, "test", 0.5, 0.2, 0.3, 1, "3", "", False)
    (folder / "red" / "more.png").write_bytes((folder / "red" / "001.png").read_bytes())
    own._OPENED.clear()
    found = tab._change_dataset(name, "train")
    assert "were made for other files of" in found[-3] and "(corrected)" not in named(found).thumbs
    assert found[-2].interactive and not found[-1].interactive
    tab._undo_all(page, None)
    assert "No corrections" in tab._change_dataset(name, "train")[-3]
