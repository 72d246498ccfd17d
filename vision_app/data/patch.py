"""Corrections to a dataset in a file beside it: the originals are never changed, and every correction can be undone."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from vision_app.data.dataset import Dataset
from vision_app.data.download import data_root, put
from vision_app.edits import Edit, Patch
from vision_app.errors import InputError


def patch_file(dataset: Dataset) -> Path:
    """Return where a dataset's corrections are: beside a folder or file, else in the data folder."""
    if dataset.place is None:
        return data_root() / "patches" / f"{dataset.name}.patch.json"
    return corrections_of(dataset.place)


def corrections_of(place: Path) -> Path:
    """Return where the corrections of the set at a place are."""
    return place.with_name(f"{place.name}.patch.json")


def has_corrections(file: Path) -> bool:
    """Whether a file holds corrections; one that cannot be read counts as if it did."""
    try:
        return bool(json.loads(file.read_text(encoding="utf-8"))["edits"])
    except FileNotFoundError:
        return False
    except (OSError, ValueError, KeyError, TypeError):
        return True


def read_patch(dataset: Dataset) -> Patch:
    """Return a dataset's corrections; none if there is no file.

    Raises:
        InputError: the file is damaged, or does not fit the dataset.
    """
    file = patch_file(dataset)
    try:
        return parse_patch(file.read_text(encoding="utf-8"), dataset, file.name)
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"Cannot read the corrections in {file}; correct or delete the file.") from error


def known_patch(dataset: Dataset) -> Patch:
    """Return a dataset's corrections, or none where their file cannot be used; `read_patch` says why."""
    try:
        return read_patch(dataset)
    except InputError:
        return ()


def parse_patch(text: str, dataset: Dataset, name: str) -> Patch:
    """Read the text of a patch file and check that it fits the dataset.

    Raises:
        InputError: it is no patch file, or names images, classes or splits that the dataset does not have.
    """
    try:
        values = json.loads(text)
        edits = tuple(Edit(**edit) for edit in values["edits"])
    except (ValueError, KeyError, TypeError, RecursionError, ValidationError) as error:
        raise InputError(
            f"Expected corrections as this app writes them in {name}; correct or delete the file."
        ) from error
    if edits and values.get("identity", dataset.identity) != dataset.identity:
        raise InputError(
            f"The corrections in {name} were made for other files of {dataset.title}, or another division; undo them all, or "
            "delete the file."
        )
    seen = set()
    for edit in edits:
        _check(edit, dataset, name)
        if (edit.split, edit.index, edit.action) in seen:
            raise InputError(
                f"{name} has two corrections of one kind for image {edit.index:,} of {edit.split}; keep one."
            )
        seen.add((edit.split, edit.index, edit.action))
    return edits


def write_patch(dataset: Dataset, edits: Iterable[Edit]) -> Path:
    """Replace a dataset's corrections; of several of one action for one image the last counts.

    Raises:
        InputError: a correction does not fit, or the place beside the dataset cannot be written to.
    """
    last = {(edit.split, edit.index, edit.action): edit for edit in edits}
    file = patch_file(dataset)
    for edit in last.values():
        _check(edit, dataset, file.name)
    try:
        put(file, patch_text(dataset, tuple(last.values())).encode())
    except OSError as error:
        raise InputError(f"Cannot write the corrections to {file} ({error.strerror}).") from error
    return file


def patch_text(dataset: Dataset, edits: Patch) -> str:
    """Return a patch file's text."""
    rows = [edit.model_dump(exclude_defaults=True) for edit in edits]
    of = {"dataset": dataset.name} | ({"identity": dataset.identity} if dataset.identity else {})
    return json.dumps({**of, "edits": rows}, indent=1)


def patched(
    split: str, labels: np.ndarray, classes: Sequence[str], edits: Patch
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return what becomes of a split.

    Args:
        split: its name.
        labels: the published classes, shape (n,).
        classes: names in label order.
        edits: all corrections of the dataset.

    Returns:
        Positions that stay in the split, the corrected labels of all, and positions that leave for another split, by its name.
    """
    corrected, stays = labels.copy(), np.ones(len(labels), bool)
    leaves: dict[str, list[int]] = {}
    excluded = {edit.index for edit in edits if edit.split == split and edit.action == "exclude"}
    for edit in edits:
        if edit.split != split or edit.index >= len(labels):
            continue
        if edit.action == "relabel":
            corrected[edit.index] = classes.index(edit.label)
        else:
            stays[edit.index] = False
            if edit.action == "move" and edit.index not in excluded:
                leaves.setdefault(edit.to, []).append(edit.index)
    return np.flatnonzero(stays), corrected, {to: np.array(sorted(indices)) for to, indices in leaves.items()}


def _check(edit: Edit, dataset: Dataset, name: str) -> None:
    count = dataset.counts.get(edit.split, 0)
    if edit.index >= count:
        raise InputError(
            f"{name} corrects image {edit.index:,} of {edit.split}, but {dataset.title} has {count:,} there."
        )
    if edit.action == "relabel" and edit.label not in dataset.classes:
        raise InputError(f"{name} gives an image the class '{edit.label}', which {dataset.title} does not have.")
    if edit.action == "move" and (edit.to is None or edit.to == edit.split):
        raise InputError(f"{name} moves an image of {edit.split} nowhere else.")
