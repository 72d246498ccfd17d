"""Dividing one's own dataset from the page."""

from pathlib import Path

import pytest

from tests.data.photos import encoded, scene, write_folder
from vision_app.data import own
from vision_app.data.datasets import find_dataset
from vision_app.errors import InputError
from vision_app.ui.browse_divide import divide


@pytest.fixture
def folder(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(own, "_OPENED", {})
    files = {
        f"{colour}/{number:02}.png": encoded(scene(100 * label + number))
        for label, colour in enumerate(("red", "green"))
        for number in range(20)
    }
    return str(write_folder(tmp_path / "set", files))


@pytest.mark.parametrize("together", [True, False])
def test_a_set_is_divided_as_asked(folder: str, together: bool) -> None:
    said = divide(folder, 0.5, 0.2, 0.3, 4, "3", "", together)
    assert "train 20, validation 8, test 12" in said
    assert find_dataset(folder).counts == {"train": 20, "validation": 8, "test": 12}
    assert "train 10, test 10" in divide(folder, 0.5, 0, 0.5, 4, "", "10", together)


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ((0.5, 0.2, 0.2, 0, "3", ""), "must sum to 1"),
        ((0.5, None, 0.5, 0, "3", ""), "got an empty field"),
        ((0.5, 0.2, 0.3, 0, "few", ""), "Expected the fewest images a class as a whole number above 0, got 'few'"),
        ((0.5, 0.2, 0.3, 0, "3", "0"), "Expected the most images a class"),
        ((0.5, 0.2, 0.3, 0, "30", ""), "too few: green 20, red 20"),
    ],
)
def test_what_cannot_be_leaves_the_division_as_it_is(folder: str, asked: tuple, complaint: str) -> None:
    divide(folder, 0.5, 0.2, 0.3, 4, "3", "", False)
    with pytest.raises(InputError, match=complaint):
        divide(folder, *asked, False)
    assert find_dataset(folder).counts == {"train": 20, "validation": 8, "test": 12}


def test_a_published_set_stays_as_published() -> None:
    with pytest.raises(InputError, match="is divided as published"):
        divide("digits", 0.5, 0.2, 0.3, 0, "3", "", False)
