"""Which pictures of a dataset are shown: by split, class, finding, file name, and whether a model is right about them."""

from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Found:
    """Pictures in the order in which they are shown; their places are only made for those that are looked at.

    Args:
        splits: names of the published splits.
        parts: which of the splits each picture is in, int (n,).
        indices: its number there, int (n,).
    """

    splits: tuple[str, ...]
    parts: np.ndarray
    indices: np.ndarray

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, chosen: slice) -> list[Place]:
        pairs = zip(self.parts[chosen].tolist(), self.indices[chosen].tolist(), strict=True)
        return [Place(self.splits[part], index) for part, index in pairs]

    def keep(self, values: Mapping[str, np.ndarray]) -> "Found":
        """Return those for which the values (bool, one array a split) are true."""
        kept = np.zeros(len(self), bool)
        for part, split in enumerate(self.splits):
            here = self.parts == part
            kept[here] = values[split][self.indices[here]]
        return Found(self.splits, self.parts[kept], self.indices[kept])


def find_places(choice: Choice, progress: Progress | None = None) -> Found:
    """Return the pictures that are asked for, in their published order or, of a finding, the most suspicious first.

    Args:
        progress: called while a model is asked about every image of a split, which happens once.

    Raises:
        InputError: an unknown dataset, split or class, or damaged files.
    """
    row = find_dataset(choice.dataset)
    splits = tuple(row.counts) if choice.split == ALL_SPLITS else (choice.split,)
    if not set(splits) <= set(row.counts):
        raise InputError(f"{row.title} has no split '{choice.split}'; choose one of {', '.join(row.counts)}.")
    if not is_available(row):
        return Found(splits, np.empty(0, int), np.empty(0, int))
    found = _of_finding(choice, splits) if choice.finding else _all(row.name, splits)
    if choice.class_name != ALL_CLASSES or choice.search:
        found = found.keep({split: _fits(row, split, choice) for split in splits})
    if choice.region:
        found = found.keep({split: _inside(row, split, choice.region) for split in splits})
    if not choice.verdict:
        return found
    if not choice.model:
        raise InputError("Expected a model that is right or wrong, got none; train one on this dataset first.")
    wanted = choice.verdict == RIGHT
    return found.keep({split: is_right(choice.model, row.name, split, progress) == wanted for split in splits})


def _all(name: str, splits: tuple[str, ...]) -> Found:
    counts = [len(load_split(name, split)[1]) for split in splits]
    indices = np.concatenate([np.arange(count) for count in counts])
    return Found(splits, np.repeat(np.arange(len(splits)), counts), indices)


def _of_finding(choice: Choice, splits: tuple[str, ...]) -> Found:
    items = [item for item in items_of(choice) if item.split in splits]
    parts = [splits.index(item.split) for item in items]
    return Found(splits, np.array(parts, int), np.array([item.index for item in items], int))


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


def _inside(row: Dataset, split: str, region: str) -> np.ndarray:
    """Return whether each image of a split lies within a region of the map, bool (n,)."""
    embedding = read_map(row.name)
    if embedding is None:
        raise InputError("The map of this dataset is gone; check the dataset again, or show all pictures.")
    inside = np.zeros(row.counts[split], bool)
    inside[[index for name, index in embedding.inside(*parse_region(region)) if name == split]] = True
    return inside


def is_right(model: str, dataset: str, split: str, progress: Progress | None = None) -> np.ndarray:
    """Return whether a model gives each image of a published split its published class, bool (n,); asked once."""
    run, labels = find_model(model), load_split(dataset, split)[1]
    changed = run.model_file.stat().st_mtime_ns if run.model_file.exists() else 0
    key = (run.path, changed, dataset, split, len(labels), find_dataset(dataset).identity)
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


def _fits(row: Dataset, split: str, choice: Choice) -> np.ndarray:
    """Return whether each image of a split is of the class, and its file of the name, bool (n,)."""
    images, labels = load_split(row.name, split)
    chosen = np.ones(len(labels), bool)
    if choice.class_name != ALL_CLASSES:
        chosen = labels == _label(row, choice.class_name)
    if choice.search:
        if not isinstance(images, FileImages):
            raise InputError(f"The pictures of {row.title} have no file names to search in; clear the search.")
        wanted = choice.search.lower()
        chosen = chosen & np.array([wanted in name.lower() for name in images.names])
    return chosen


def _label(row: Dataset, class_name: str) -> int:
    if class_name not in row.classes:
        raise InputError(f"{row.title} has no class '{class_name}'; choose one of {', '.join(row.classes[:20])}.")
    return row.classes.index(class_name)
