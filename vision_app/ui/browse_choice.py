"""Which pictures of a dataset are shown: by split, class, finding, file name, and whether a model is right about them."""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from vision_app.data.dataset import Dataset
from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.download import Progress
from vision_app.data.fetching import is_available
from vision_app.data.images import FileImages
from vision_app.errors import InputError
from vision_app.evaluate_run import predict_published
from vision_app.health.embedding import LAYOUTS, Region
from vision_app.health.findings import Item
from vision_app.health.jobs import read_map, read_report
from vision_app.ui.classify_view import find_model
from vision_app.ui.pictures import ALL_CLASSES

ALL_SPLITS = "all"
EVERYTHING = ""
RIGHT, WRONG = "right", "wrong"


_ANSWERS: dict[tuple[Any, ...], np.ndarray] = {}
KEPT_ANSWERS = 12


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
        verdict: only images that the model gets RIGHT or WRONG; EVERYTHING: all.
        model: whose answers decide that.
        region: only images within this rectangle of a map, as `parse_region` reads it; empty: all.
    """

    dataset: str
    split: str = "test"
    class_name: str = ALL_CLASSES
    finding: str = EVERYTHING
    search: str = ""
    verdict: str = EVERYTHING
    model: str | None = None
    region: str = ""

    def with_split(self, split: str) -> "Choice":
        """Return the same of another split."""
        return replace(self, split=split)


def find_places(choice: Choice, progress: Progress | None = None) -> list[Place]:
    """Return the pictures that are asked for, in their published order or, of a finding, the most suspicious first.

    Args:
        progress: called while a model is asked about every image of a split, which happens once.

    Raises:
        InputError: an unknown dataset, split or class, or damaged files.
    """
    row = find_dataset(choice.dataset)
    if not is_available(row):
        return []
    splits = tuple(row.counts) if choice.split == ALL_SPLITS else (choice.split,)
    if choice.finding:
        places = [Place(item.split, item.index) for item in items_of(choice) if item.split in splits]
        found = [place for place in places if _fits(row, choice, place)]
    else:
        found = [Place(split, int(index)) for split in splits for index in _positions(row, split, choice)]
    if choice.region:
        inside = _inside(row.name, choice.region)
        found = [place for place in found if place in inside]
    if not choice.verdict:
        return found
    if not choice.model:
        raise InputError("Expected a model that is right or wrong, got none; train one on this dataset first.")
    wanted = choice.verdict == RIGHT
    right = {split: is_right(choice.model, row.name, split, progress) for split in splits}
    return [place for place in found if right[place.split][place.index] == wanted]


def parse_region(text: str) -> tuple[str, Region] | None:
    """Read a rectangle of a map, "tsne:0.1,0.2,0.3,0.4" for left, bottom, right, top as shares; None for no text.

    Raises:
        InputError: the text is no such thing.
    """
    if not text:
        return None
    layout, _, rest = text.partition(":")
    try:
        left, bottom, right, top = (float(part) for part in rest.split(","))
    except ValueError:
        left = bottom = right = top = -1.0
    if layout not in LAYOUTS or not 0 <= left <= right <= 1 or not 0 <= bottom <= top <= 1:
        raise InputError(f"Expected a region of a map such as tsne:0.1,0.2,0.3,0.4, got '{text[:60]}'; draw it anew.")
    return layout, (left, bottom, right, top)


def _inside(name: str, region: str) -> set[Place]:
    embedding = read_map(name)
    if embedding is None:
        raise InputError("The map of this dataset is gone; check the dataset again, or show all pictures.")
    return {Place(place.split, place.index) for place in embedding.inside(*parse_region(region))}


def is_right(model: str, dataset: str, split: str, progress: Progress | None = None) -> np.ndarray:
    """Return whether a model gives each image of a published split its published class, bool (n,); asked once."""
    run, labels = find_model(model), load_split(dataset, split)[1]
    changed = run.model_file.stat().st_mtime_ns if run.model_file.exists() else 0
    key = (run.path, changed, dataset, split, len(labels))
    if key not in _ANSWERS:
        _ANSWERS[key] = predict_published(run, dataset, split, progress) == labels
        while len(_ANSWERS) > KEPT_ANSWERS:
            del _ANSWERS[next(iter(_ANSWERS))]
    return _ANSWERS[key]


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
