"""Pictures to try: the project's own examples, and test images of every dataset that is on this machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_app.data.datasets import find_dataset, list_datasets, load_split
from vision_app.data.fetching import is_available
from vision_app.data.preprocess import to_channels
from vision_app.data.reading import read_picture
from vision_app.errors import InputError

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
OWN = "examples"
ALL_CLASSES = "All classes"
PER_PAGE = 24


@dataclass(frozen=True)
class Source:
    """Where a picture comes from: a file, or an image of a dataset's test split."""

    name: str
    path: str | None = None
    dataset: str | None = None
    index: int | None = None


def read_source(source: Source) -> np.ndarray:
    """Return the picture as uint8 RGB (height, width, 3).

    Raises:
        InputError: the file is gone or cannot be read as a picture, or the dataset has no such image.
    """
    if source.dataset is None:
        if not Path(source.path).is_file():
            raise InputError(f"Expected the picture {source.name}, but its file is no longer kept; choose it again.")
        return read_picture(Path(source.path))
    images, _ = load_split(source.dataset, "test")
    return to_channels(images[source.index], 3)


def collections() -> list[tuple[str, str]]:
    """Return what can be looked through, as (title, value): our examples, then every dataset that needs no download."""
    own = [("Examples", OWN)] if example_files() else []
    return own + [(row.title, row.name) for row in list_datasets() if is_available(row)]


def class_names(collection: str) -> list[str]:
    """Return the classes of a collection to choose from, with "All classes" first."""
    return [ALL_CLASSES] if collection == OWN else [ALL_CLASSES, *find_dataset(collection).classes]


def example_files() -> list[Path]:
    """Return the example pictures by name."""
    if not EXAMPLES.is_dir():
        return []
    return sorted(path for path in EXAMPLES.iterdir() if path.suffix.lower() in SUFFIXES)


def page_of(collection: str, class_name: str = ALL_CLASSES, page: int = 0) -> list[Source]:
    """Return one page of a collection; pages go round.

    Args:
        collection: a value of `collections`.
        class_name: only this class, or all in turn.
        page: 0, 1, ...
    """
    if collection == OWN:
        return [Source(path.stem.replace("_", " "), path=str(path)) for path in example_files()]
    names = find_dataset(collection).classes
    _, labels = load_split(collection, "test")
    order = in_turn(labels) if class_name == ALL_CLASSES else np.flatnonzero(labels == _label(names, class_name))
    start = page * PER_PAGE % max(1, len(order))
    return [Source(names[labels[i]], dataset=collection, index=int(i)) for i in order[start : start + PER_PAGE]]


def in_turn(labels: np.ndarray) -> np.ndarray:
    """Return all indices so that the classes take turns: the first image of each class, the second of each, ..."""
    rank = np.zeros(len(labels), dtype=int)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        rank[members] = np.arange(len(members))
    return np.lexsort((labels, rank))


def _label(names: Sequence[str], class_name: str) -> int:
    if class_name not in names:
        raise InputError(f"Expected one of the classes {', '.join(names[:20])}, got '{class_name}'; choose another.")
    return list(names).index(class_name)
