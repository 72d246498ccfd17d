from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.fakes import make_run
from vision_app.data.datasets import DATASETS, load_split
from vision_app.errors import InputError
from vision_app.ui import browse_view as view
from vision_app.ui.browse_choice import ALL_SPLITS, Choice, Place
from vision_app.ui.browse_view import GalleryPage

DIGITS = Choice("digits")


def test_states_of_datasets(data_folder: Path) -> None:
    choices = {name: title for title, name in view.dataset_choices()}
    assert choices["digits"] == "Digits 8 x 8 (embedded)"
    assert choices["cifar10"] == "CIFAR-10 (download 170 MB)"
    (data_folder / "mnist.npz").touch()
    assert view.state_of(DATASETS["mnist"]) == "on disk"


def test_facts_tell_what_it_is_and_whose() -> None:
    facts = view.facts_html("cifar10")
    for fact in (
        "60,000 images",
        "10 classes",
        "32 × 32 pixels, colour",
        "none stated",
        "Krizhevsky",
        "cs.toronto.edu",
    ):
        assert fact in facts


def test_facts_are_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = '<script>"alert(1)"</script>'
    row = replace(DATASETS["digits"], description=hostile, licence=hostile, citation=hostile, homepage=hostile)
    monkeypatch.setitem(DATASETS, "digits", row)
    assert "<script>" not in view.facts_html("digits")


def test_pages_cover_the_split_once() -> None:
    labels = load_split("digits", "test")[1]
    first = view.find_page(DIGITS, 1)
    assert (first.num_pages, first.count) == (6, len(labels))
    seen = [place for number in range(1, 7) for place in view.find_page(DIGITS, number).places]
    assert seen == [Place("test", index) for index in range(len(labels))]


def test_all_splits_come_one_after_the_other() -> None:
    page = view.find_page(Choice("digits", ALL_SPLITS), 1)
    assert page.count == 1797 and page.places[0] == Place("train", 0)
    assert view.find_page(Choice("digits", ALL_SPLITS), 30).places[-1] == Place("test", 358)


@pytest.mark.parametrize(("asked", "given"), [(-5, 1), (0, 1), (3, 3), (7, 6), (10**9, 6)])
def test_pages_stay_within_the_split(asked: int, given: int) -> None:
    page = view.find_page(DIGITS, asked)
    assert page.number == given and page.places


def test_only_one_class() -> None:
    labels = load_split("digits", "train")[1]
    page = view.find_page(Choice("digits", "train", "7"), 1)
    assert page.count == (labels == 7).sum()
    assert all(place.split == "train" and labels[place.index] == 7 for place in page.places)


@pytest.mark.parametrize(
    ("asked", "message"), [(("digits", "test", "cat"), "no class 'cat'"), (("digits", "x", "1"), "split")]
)
def test_refuses_what_there_is_not(asked: tuple[str, str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        view.find_page(Choice(*asked), 1)


def test_gallery_marks_the_selected_picture() -> None:
    page = view.find_page(DIGITS, 2)
    shown = view.gallery_html(page, selected=Place("test", 62))
    assert shown.count("<button") == 60 and shown.count('aria-pressed="true"') == 1
    assert shown.index('data-index="2" aria-pressed="true"')
    assert 'aria-pressed="true"' not in view.gallery_html(page, selected=Place("test", 5))
    assert "Page <strong>2</strong> of 6" in view.position_html(page)


def test_a_missing_dataset_is_not_fetched_by_looking(data_folder: Path) -> None:
    page = view.find_page(Choice("cifar10"), 3)
    assert page == GalleryPage(Choice("cifar10"), (), 1, 1, 0)
    assert "CIFAR-10 is not on this machine" in view.gallery_html(page)
    assert "170 MB" in view.gallery_html(page)
    assert list(data_folder.iterdir()) == []


def test_selected_picture_without_a_model() -> None:
    label = load_split("digits", "train")[1][12]
    shown = view.selected_html(DIGITS, Place("train", 12))
    assert f'alt="No. 12 of the train split of Digits 8 x 8, counted from 0: {label}"' in shown
    assert "No. 12 of the train split (counted from 0)" in shown
    assert "8 × 8 pixels, grey" in shown and "tab=explain" not in shown and 'data-image="train-12"' in shown


def test_selected_picture_with_a_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_APP_CHECKPOINTS", str(tmp_path / "none"))
    run = make_run(tmp_path / "runs" / "one")
    make_run(tmp_path / "runs" / "two", "simple_cnn", "shapes", tflite=False)
    assert view.model_choices("digits") == [run.name]
    assert "?tab=explain&amp;dataset=digits&amp;image=3" in view.selected_html(DIGITS, Place("test", 3))
    assert view.NO_MODEL in view.answer_html(DIGITS, Place("test", 3), None)
    shown = view.answer_html(DIGITS, Place("test", 3), run.name)
    assert shown.count("vw-fill") == 10 and "one says" in shown
    assert ("right" in shown) != ("wrong, the label is" in shown)


@pytest.mark.parametrize("index", [-1, 359])
def test_selected_picture_must_exist(index: int) -> None:
    with pytest.raises(InputError, match="from 0 to 358"):
        view.selected_html(DIGITS, Place("test", index))


def test_images_are_counted_from_0() -> None:
    there = [view.has_image("digits", Place("test", index)) for index in (0, 358, 359, -1)]
    assert there == [True, True, False, False] and view.has_image("digits", Place("train", 359))


def test_nothing_selected() -> None:
    assert "Click on a picture" in view.selected_html(DIGITS, None)
    assert view.answer_html(DIGITS, None, "mnist") == ""


def test_gallery_keeps_pixels() -> None:
    import base64
    import io
    import re

    from PIL import Image

    shown = view.gallery_html(view.find_page(DIGITS, 1))
    data = base64.b64decode(re.search(r"base64,([^\"]+)", shown)[1])
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), load_split("digits", "test")[0][0, ..., 0])
    assert "vw-crisp" in shown
