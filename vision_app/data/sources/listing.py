"""From the names of picture files to classes and splits: what every source of files has in common."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import numpy as np

from vision_app.errors import InputError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SYSTEM_FOLDERS = ("__macosx", "__pycache__", "@eadir", "$recycle.bin")
ORDER = ("all", "train", "validation", "test")
SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
    "eval": "test",
}


@dataclass(frozen=True)
class Listing:
    """The pictures of a dataset by name, divided as their publisher divided them.

    Args:
        classes: class names in label order.
        splits: split name -> file names and labels (n,); a set that its publisher did not divide has only "all".
        left_out: how many files were left out, by reason.
    """

    classes: tuple[str, ...]
    splits: dict[str, tuple[tuple[str, ...], np.ndarray]]
    left_out: dict[str, int] = field(default_factory=dict)


def is_picture(name: str) -> bool:
    """Whether a file's name says that it is a picture and no hidden or system file."""
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith(".") or part.lower() in SYSTEM_FOLDERS for part in parts)
    return not hidden and name.lower().endswith(SUFFIXES)


def list_class_folders(names: Iterable[str], where: str) -> Listing:
    """Read classes and splits off the folders that pictures lie in.

    `class/picture.jpg`, or `train/class/picture.jpg` with train, val, valid, validation or test; one folder around all of
    it does not matter, and deeper folders belong to the class above them.

    Args:
        names: relative paths with "/", of any files.
        where: the folder or archive, for messages.

    Raises:
        InputError: there are no pictures, or no two classes.
    """
    pictures = sorted(name for name in names if is_picture(name))
    if not pictures:
        raise InputError(f"Expected pictures in folders named after their classes, got none in {where}.")
    paths = _without_wrapper([tuple(name.split("/")) for name in pictures])
    placed = _placed(paths)
    classes = tuple(sorted({path[0] for split, path in placed if split and len(path) > 1}))
    if len(classes) < 2:
        found = f"only '{classes[0]}'" if classes else f"{len(pictures):,} pictures outside of any class folder"
        raise InputError(f"Expected at least two folders named after classes in {where}, got {found}.")
    labels = {name: number for number, name in enumerate(classes)}
    splits = {}
    for split in ORDER:
        members = [
            (name, labels[path[0]])
            for name, (own, path) in zip(pictures, placed, strict=True)
            if own == split and len(path) > 1
        ]
        if members:
            splits[split] = (tuple(name for name, _ in members), np.array([label for _, label in members], np.int64))
    outside = sum(split == "" or len(path) == 1 for split, path in placed)
    return Listing(classes, splits, {"outside of any class folder": outside} if outside else {})


def _placed(paths: list[tuple[str, ...]]) -> list[tuple[str, tuple[str, ...]]]:
    """Return each picture's split and its path below that; what lies beside the folders of the splits is in none."""
    with_classes = {SPLIT_NAMES.get(path[0].lower(), "") for path in paths if len(path) > 2}
    is_divided = "train" in with_classes and "" not in with_classes
    if not is_divided and not all(path[0].lower() in SPLIT_NAMES for path in paths):
        return [("all", path) for path in paths]
    return [(SPLIT_NAMES.get(path[0].lower(), ""), path[1:] if len(path) > 1 else path) for path in paths]


def list_rows(rows: Sequence[tuple[str, str, str]], where: str) -> Listing:
    """Read classes and splits off a table.

    Args:
        rows: (file name, class name, split name or "") of each picture.
        where: the table, for messages.

    Raises:
        InputError: no rows, fewer than two classes, or an unknown split.
    """
    classes = tuple(sorted({label for _, label, _ in rows}))
    if len(classes) < 2:
        raise InputError(f"Expected at least two classes in {where}, got {', '.join(classes) or 'no rows'}.")
    unknown = sorted({split for _, _, split in rows if split and split.lower() not in SPLIT_NAMES})
    if unknown:
        raise InputError(f"Expected the splits train, validation and test in {where}, got '{unknown[0]}'.")
    labels = {name: number for number, name in enumerate(classes)}
    divided = any(split for _, _, split in rows)
    missing = [name for name, _, split in rows if divided and not split]
    if missing:
        raise InputError(
            f"Expected a split in every row of {where} or in none, got {len(missing):,} rows without, such as that of {missing[0]}."
        )
    splits: dict[str, list[tuple[str, int]]] = {}
    for name, label, split in rows:
        splits.setdefault(SPLIT_NAMES[split.lower()] if divided else "all", []).append((name, labels[label]))
    return Listing(
        classes,
        {
            split: (tuple(name for name, _ in members), np.array([label for _, label in members], np.int64))
            for split, members in sorted(splits.items(), key=lambda item: ORDER.index(item[0]))
        },
    )


def _without_wrapper(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Take off folders that everything lies in, as archives have them; a class or split is none."""
    while len({path[0] for path in paths}) == 1 and any(len(path) > 2 for path in paths):
        if paths[0][0].lower() in SPLIT_NAMES and len(Counter(path[1] for path in paths)) > 1:
            break
        paths = [path[1:] if len(path) > 1 else path for path in paths]
    return paths
