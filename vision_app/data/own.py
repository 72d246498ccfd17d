"""Datasets that a person brings: a folder or zip of class folders, a CSV, a .npz, .npy files, or one of the Hub."""

import hashlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vision_app.data.dataset import Dataset, Part
from vision_app.data.download import Progress
from vision_app.data.images import FileImages, Files, FolderFiles, Images, ZipFiles
from vision_app.data.patch import corrections_of, has_corrections
from vision_app.data.sources import archives, arrays, folders, hub, minc, tables
from vision_app.data.sources.listing import Listing, list_class_folders
from vision_app.data.splits import SplitRule, make_splits
from vision_app.data.stored_splits import Division, division_file, read_division, write_division
from vision_app.errors import InputError

SAMPLE = 24  # pictures that tell whether all are of one size, or grey
AGAIN_SECONDS = 5.0  # how long an opened set is taken as it was
KINDS = ".zip, .csv, .npz, or a folder"
_OPENED: dict[Path, tuple[float, object, Dataset]] = {}
_LOCK = threading.RLock()


def is_reference(text: str) -> bool:
    """Whether a text names a place on the disk or on the Hub, and not a row of a table."""
    return (
        "/" in text
        or "\\" in text
        or text.startswith((".", "~", "hub:"))
        or text.lower().endswith((".zip", ".csv", ".npz"))
    )


def open_own(reference: str, progress: Progress | None = None) -> Dataset:
    """Return the dataset at a path or of the Hub.

    What its publisher divided stays so; the rest is divided 70 : 15 : 15, stratified and seeded, or as `split` was asked to.

    Args:
        reference: path of a folder, zip, CSV or .npz, or "hub:owner/name[@revision]".
        progress: called while a large folder is listed or a dataset of the Hub is fetched.

    Raises:
        InputError: nothing there, or no dataset; the message says what was expected.
    """
    path = _place(reference, progress)  # outside of the lock: a download must not hold up who wants another set
    with _LOCK:
        opened, token, dataset = _OPENED.get(path, (0.0, None, None))
        if dataset and time.monotonic() - opened < AGAIN_SECONDS:
            return dataset
        content = _content(path, progress)
        current = (content.token, read_division(path))
        if dataset is None or current != token:
            dataset = _describe(path, content, read_division(path))
        _OPENED[path] = (time.monotonic(), current, dataset)
        return dataset


def published_parts(reference: str) -> tuple[tuple[str, ...], dict[str, Part]]:
    """Return classes and parts as they were published; a set that nobody divided has only "all"."""
    content = _content(_place(reference, None), None)
    return content.classes, content.parts()


def divide_own(
    reference: str,
    rule: SplitRule,
    force: bool = False,
    progress: Progress | None = None,
    group: Callable[[Images, Progress | None], np.ndarray] | None = None,
) -> tuple[dict[str, int], Path]:
    """Divide the set at a path and keep the division; return how many images each split has, and the file.

    Args:
        reference: path of a folder, zip, CSV or .npz, or "hub:owner/name[@revision]".
        rule: shares, seed and limits.
        force: replace a division that is published, or was made before.
        progress: called while a large folder is listed, a dataset of the Hub is fetched, or images are grouped.
        group: gives each of all images a number (n,); images of one number stay on one side.

    Raises:
        InputError: nothing there, impossible shares, too few images, or there is a division and no `force`.
    """
    path = _place(reference, progress)
    content = _content(path, progress)
    parts = content.parts()
    made = division_file(path).exists()
    if not force and (made or len(parts) > 1):
        found = ", ".join(f"{name} {len(labels):,}" for name, (_, labels) in parts.items())
        what = "was divided before" if made else f"is divided as published ({found})"
        name = reference if hub.is_hub(reference) else path.name
        raise InputError(f"{name} {what}, and that is kept; --force replaces it.")
    if has_corrections(corrections_of(path)):
        raise InputError(
            f"The corrections in {corrections_of(path).name} name images by their place in the present division; undo them "
            "all in the Browse tab, or delete the file, and divide again."
        )
    images, labels = join(parts)
    positions = make_splits(labels, content.classes, rule, group(images, progress) if group else None)
    file = write_division(path, rule, positions, len(labels))
    with _LOCK:
        _OPENED.pop(path, None)  # else it would be taken as it was for some seconds
    return {split: len(chosen) for split, chosen in positions.items()}, file


def _place(reference: str, progress: Progress | None) -> Path:
    """Return where a set is on this machine; one of the Hub is fetched first."""
    if hub.is_hub(reference):
        return hub.fetch(reference, progress)
    try:
        return Path(os.path.abspath(Path(reference).expanduser()))  # without "..": one set, one name
    except (RuntimeError, ValueError) as error:  # a home of nobody, a zero byte
        raise InputError(f"There is no dataset at {reference[:200]!r}; expected {KINDS}.") from error


@dataclass(frozen=True)
class _Content:
    """What a place holds: what tells a change, the classes, and the parts as published."""

    token: object
    classes: tuple[str, ...]
    parts: Callable[[], dict[str, Part]]
    left_out: dict[str, int]


def _content(path: Path, progress: Progress | None) -> _Content:
    try:
        path.stat()
    except OSError as error:
        raise InputError(f"There is no dataset at {str(path)[:300]} ({error.strerror}); expected {KINDS}.") from error
    if hub.is_fetched(path):
        return _listed(*hub.list_fetched(path))
    if path.is_dir():
        if minc.is_published(path):
            return _listed(minc.list_published(path), FolderFiles(path))
        names = folders.list_files(path, progress)
        if not names and any(path.glob("*.npy")):
            return _stored(path)
        return _listed(list_class_folders(names, path.name), FolderFiles(path))
    if not path.is_file():
        raise InputError(f"There is no dataset at {path}; expected {KINDS}.")
    match path.suffix.lower():
        case ".zip":
            return _listed(list_class_folders(archives.list_members(path), path.name), ZipFiles(path))
        case ".csv":
            return _listed(tables.list_table(path), FolderFiles(path.parent))
        case ".npz":
            return _stored(path)
    raise InputError(f"Cannot read {path.name} as a dataset; expected {KINDS}.")


def _listed(listing: Listing, files: Files) -> _Content:
    names = {split: part[0] for split, part in listing.splits.items()}
    labels = {split: part[1].tobytes() for split, part in listing.splits.items()}
    parts = {split: (FileImages(files, part[0]), part[1]) for split, part in listing.splits.items()}
    # Of a zip also its size and time: one that was replaced holds other pictures under the same names.
    return _Content((listing.classes, names, labels, files.state(())), listing.classes, lambda: parts, listing.left_out)


def _stored(path: Path) -> _Content:
    files = [path] if path.is_file() else sorted(path.glob("*.npy"))
    token = tuple((file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    classes, parts = arrays.load_arrays(path)
    return _Content(token, classes, lambda: parts, {})


def _describe(path: Path, content: _Content, division: Division | None) -> Dataset:
    parts = divide(content.classes, content.parts(), division)
    state = repr((content.token, content.classes, division and division.split_of))
    images = parts["train"][0]
    shape = _common_shape(images)
    dataset = Dataset(
        name=str(path),
        title=path.stem if path.is_file() else path.name,
        description="",
        classes=content.classes,
        image_shape=shape,
        num_train=len(parts["train"][1]),
        num_validation=len(parts["validation"][1]) if "validation" in parts else 0,
        num_test=len(parts["test"][1]),
        licence="yours",
        citation="",
        homepage="",
        read=lambda split: parts[split],
        upload_style="photo",
        augmentation={"flip": 0.5} if shape is None or shape[2] == 3 else {},
        left_out=content.left_out,
        place=path,
        identity=hashlib.sha256(state.encode(errors="surrogateescape")).hexdigest()[:16],
    )
    return replace(dataset, **hub.facts(path)) if hub.is_fetched(path) else dataset


def divide(classes: tuple[str, ...], parts: dict[str, Part], division: Division | None) -> dict[str, Part]:
    """Return train and test, and validation where there is one; what is published stays unless a division replaces it.

    Raises:
        InputError: a class has too few images to be divided.
    """
    if division is None and "train" in parts and len(parts) > 1:
        if "test" not in parts:  # what decides which model is better must be set aside from training in any case
            return {"train": parts["train"], "test": parts["validation"]}
        return parts
    images, labels = join(parts)
    positions = division.positions(len(labels)) if division else make_splits(labels, classes, SplitRule())
    return {split: (images[chosen], labels[chosen]) for split, chosen in positions.items()}


def join(parts: dict[str, Part]) -> Part:
    """Return all parts as one, in their order."""
    first, *rest = parts.values()
    images: Images = first[0]
    for more, _ in rest:
        if not isinstance(images, FileImages) and more.shape[1:] != images.shape[1:]:
            raise InputError(
                f"Expected images of one shape in all parts to divide them anew, got {images.shape[1:]} and {more.shape[1:]}."
            )
        images = images + more if isinstance(images, FileImages) else np.concatenate([images, more])
    return images, np.concatenate([labels for _, labels in parts.values()])


def _common_shape(images: Images) -> tuple[int, int, int] | None:
    """Return the shape that a sample of the pictures has, or None where they differ; grey ones have one channel."""
    if not isinstance(images, FileImages):
        return images.shape[1:]
    shapes, grey = set(), True
    for index in np.unique(np.linspace(0, len(images) - 1, SAMPLE).astype(int)):
        try:
            picture = images[int(index)]
        except InputError:
            continue  # the health report tells
        shapes.add(picture.shape[:2])
        grey = grey and bool((picture == picture[..., :1]).all())
    if len(shapes) != 1:
        return None
    return (*shapes.pop(), 1 if grey else 3)
