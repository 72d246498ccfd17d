from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from vision_app.data.datasets import DATASETS
from vision_app.ui.pictures import ALL_CLASSES
from vision_app.ui.tabs import browse as tab

SKIPPED = gr.skip()


def opened(query: dict[str, str], shown: object = None) -> tuple:
    request = SimpleNamespace(query_params=query)
    return tab._open(shown, "digits", "test", ALL_CLASSES, None, request)


def test_opens_on_the_first_dataset() -> None:
    dataset, split, class_name, facts, fetch, *_, page, gallery, position, selected, _, _ = opened({})
    assert dataset.value == next(iter(DATASETS)) == page.dataset
    assert (split, class_name.value, page.number, selected) == ("test", ALL_CLASSES, 1, None)
    assert "1,797 images" in facts and fetch.visible is False
    assert gallery.count("<button") == 60 and "of 6" in position


def test_the_address_is_followed() -> None:
    query = {"dataset": "digits", "split": "train", "class": "3", "sheet": "2", "image": "70"}
    dataset, split, class_name, *_, page, _, _, selected, enlarged, _ = opened(query)
    assert (dataset.value, split, class_name.value) == ("digits", "train", "3")
    assert (page.number, page.split, selected) == (2, "train", 70)
    assert 'data-image="70"' in enlarged


@pytest.mark.parametrize(
    "query",
    [
        {"dataset": "none"},
        {"split": "x"},
        {"class": "<b>"},
        {"sheet": "-1"},
        {"sheet": "9" * 40},
        {"image": "x"},
        {"image": "359"},
        {"image": "99999"},
    ],
)
def test_nonsense_in_the_address_is_left_out(query: dict[str, str]) -> None:
    *_, page, gallery, _, selected, enlarged, _ = opened(query)
    assert (page.dataset, page.split, page.number, selected) == ("digits", "test", 1, None)
    assert gallery.count("<button") == 60 and enlarged == tab.view.NO_SELECTION


def test_an_image_of_the_other_split_may_be_further_on() -> None:
    assert opened({"split": "train", "image": "359"})[-3] == 359


def test_coming_back_keeps_what_is_shown() -> None:
    page = tab.view.find_page("digits", "train", "3", 2)
    choices, *rest = opened({"dataset": "shapes"}, shown=page)
    assert choices.choices and rest.count(SKIPPED) == 15


def test_another_dataset_begins_anew(data_folder: Path) -> None:
    class_name, facts, fetch, start, status, model, *_, page, _, _, selected, _, _ = tab._change_dataset(
        "cifar10", "test"
    )
    assert class_name.choices[1] == ("airplane", "airplane") and class_name.value == ALL_CLASSES
    assert "60,000" in facts and fetch.visible and start.value == "Download 170 MB"
    assert (status, model.visible, page.indices, selected) == ("", False, (), None)


def test_page_buttons() -> None:
    page = tab.view.find_page("digits", "test", ALL_CLASSES, 3)
    asked = (page, "digits", "test", ALL_CLASSES)
    numbers = [tab._mover(step)(*asked)[4].number for step in tab.view.STEPS]
    assert numbers == [1, 2, 4, 6]


@pytest.mark.parametrize(("number", "possible"), [(1, "0011"), (3, "1111"), (6, "1100")])
def test_page_buttons_that_lead_nowhere_are_off(number: int, possible: str) -> None:
    moves = tab._gallery(tab.view.find_page("digits", "test", ALL_CLASSES, number))[:4]
    assert [move.interactive for move in moves] == [letter == "1" for letter in possible]


def test_moving_on_drops_the_selection() -> None:
    page = tab.view.find_page("digits", "test", ALL_CLASSES, 1)
    *_, selected, enlarged, _ = tab._mover(1)(page, "digits", "test", ALL_CLASSES)
    assert selected is None and enlarged == tab.view.NO_SELECTION


def test_a_click_enlarges() -> None:
    page = tab.view.find_page("digits", "test", "4", 1)
    index, enlarged, answer = tab._select(page, SimpleNamespace(_data={"index": 2}))
    assert (index, answer) == (page.indices[2], "") and f'data-image="{index}"' in enlarged


def test_a_click_on_nothing_is_refused() -> None:
    page = tab.view.find_page("digits", "test", "4", 1)
    with pytest.raises(gr.Error):
        tab._select(page, SimpleNamespace(_data={"index": 60}))


def test_a_model_that_cannot_answer_is_said_beside_the_picture() -> None:
    page = tab.view.find_page("digits", "test", ALL_CLASSES, 1)
    shown = tab._answer(page, 0, "gone")
    assert 'role="alert"' in shown and "gone" in shown
    assert tab._answer(None, None, None) == tab._answer(page, None, "gone") == ""
