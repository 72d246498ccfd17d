"""Which pictures of a dataset are shown: by split, class, finding, file name, and whether a model is right about them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from vision_app.data.dataset import Dataset
from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.fetching import is_available
from vision_app.data.images import FileImages
from vision_app.errors import InputError
from vision_app.health.findings import Item
from vision_app.health.jobs import read_report
from vision_app.ui.pictures import ALL_CLASSES

ALL_SPLITS = "all"
EVERYTHING = ""


class Place(NamedTuple):
    """An image by its place in the published split."""

    split: str
    index: int


@dataclass(frozen=True)
class Choice:
    """What is asked for.

    Args:
        dataset: its name.
        split: "train", "validation", "test", or ALL_SPLITS.
        class_name: only this class, or ALL_CLASSES.
        finding: only what this check of the health report found, most suspicious first; EVERYTHING: all pictures.
        search: only files with this in their name.
    """

    dataset: str
    split: str = "test"
    class_name: str = ALL_CLASSES
    finding: str = EVERYTHING
    search: str = ""

    def with_split(self, split: str) -> "Choice":
        """Return the same of another split."""
        return replace(self, split=split)


def find_places(choice: Choice) -> list[Place]:
    """Return the pictures that are asked for, in their published order or, of a finding, the most suspicious first.

    Raises:
        InputError: an unknown dataset, split or class, or damaged files.
    """
    row = find_dataset(choice.dataset)
    if not is_available(row):
        return []
    splits = tuple(row.counts) if choice.split == ALL_SPLITS else (choice.split,)
    if choice.finding:
        places = [Place(item.split, item.index) for item in items_of(choice) if item.split in splits]
        return [place for place in places if _fits(row, choice, place)]
    found = []
    for split in splits:
        found += [Place(split, int(index)) for index in _positions(row, split, choice)]
    return found


def items_of(choice: Choice) -> tuple[Item, ...]:
    """Return what a check found, or nothing when there is no report."""
    report = read_report(choice.dataset)
    finding = report.find(choice.finding) if report else None
    return finding.items if finding else ()


def item_at(choice: Choice, place: Place) -> Item | None:
    """Return what the chosen check says of one picture, or None."""
    return _by_place(items_of(choice)).get(place) if choice.finding else None


@lru_cache(maxsize=4)
def _by_place(items: tuple[Item, ...]) -> dict[Place, Item]:
    return {Place(item.split, item.index): item for item in reversed(items)}


def _positions(row: Dataset, split: str, choice: Choice) -> np.ndarray:
    images, labels = load_split(row.name, split)
    chosen = np.ones(len(labels), bool)
    if choice.class_name != ALL_CLASSES:
        chosen = labels == _label(row, choice.class_name)
    if choice.search:
        if not isinstance(images, FileImages):
            raise InputError(f"The pictures of {row.title} have no file names to search in; clear the search.")
        wanted = choice.search.lower()
        chosen = chosen & np.array([wanted in name.lower() for name in images.names])
    return np.flatnonzero(chosen)


def _fits(row: Dataset, choice: Choice, place: Place) -> bool:
    images, labels = load_split(row.name, place.split)
    if choice.class_name != ALL_CLASSES and labels[place.index] != _label(row, choice.class_name):
        return False
    named = isinstance(images, FileImages)
    return not choice.search or (named and choice.search.lower() in images.names[place.index].lower())


def _label(row: Dataset, class_name: str) -> int:
    if class_name not in row.classes:
        raise InputError(f"{row.title} has no class '{class_name}'; choose one of {', '.join(row.classes[:20])}.")
    return row.classes.index(class_name)
