"""Which pictures are asked for: split, class, finding and file name together."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.data.photos import class_folders, write_folder
from vision_app.data import own
from vision_app.data.datasets import load_split
from vision_app.errors import InputError
from vision_app.health.findings import Finding, HealthReport, Item, Place
from vision_app.ui import browse_choice
from vision_app.ui.browse_choice import ALL_SPLITS, Choice, find_places, item_at
from vision_app.ui.pictures import ALL_CLASSES


@pytest.fixture
def folder(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(own, "_OPENED", {})
    return str(write_folder(tmp_path / "set", class_folders(20)))


def test_by_file_name(folder: str) -> None:
    found = find_places(Choice(folder, ALL_SPLITS, search="RED/00"))[:]
    names = sorted(load_split(folder, place.split)[0].names[place.index] for place in found)
    assert names == [f"red/{number:03}.png" for number in range(10)]
    assert len(find_places(Choice(folder, "test", "red"))) == 3
    with pytest.raises(InputError, match="no file names to search in"):
        find_places(Choice("digits", search="x"))[:]


def test_by_finding_in_its_own_order(monkeypatch: pytest.MonkeyPatch) -> None:
    items = (
        Item(split="test", index=5, score=0.9, detail="first"),
        Item(split="train", index=7, score=0.8, partner=Place(split="test", index=5)),
        Item(split="test", index=1, score=0.7),
    )
    finding = Finding(kind="near_duplicate", count=3, items=items)
    report = HealthReport(dataset="digits", seconds=1, counts={}, findings=(finding,))
    monkeypatch.setattr(browse_choice, "read_report", lambda name: report)
    choice = Choice("digits", ALL_SPLITS, finding="near_duplicate")
    assert find_places(choice)[:] == [("test", 5), ("train", 7), ("test", 1)]
    assert find_places(replace(choice, split="test"))[:] == [("test", 5), ("test", 1)]
    label = str(load_split("digits", "train")[1][7])
    of_class = find_places(Choice("digits", "train", label, "near_duplicate"))[:]
    assert of_class == [("train", 7)]
    assert item_at(choice, browse_choice.Place("test", 5)).detail == "first"
    assert item_at(choice, browse_choice.Place("test", 6)) is None
    assert item_at(Choice("digits"), browse_choice.Place("test", 5)) is None
    assert find_places(Choice("digits", ALL_SPLITS, finding="blur"))[:] == []


def test_a_finding_of_no_report_is_empty(data_folder: Path) -> None:
    assert find_places(Choice("digits", "test", ALL_CLASSES, "blur"))[:] == []
