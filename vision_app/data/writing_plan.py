"""What is written of a dataset, and where: the pictures as its corrections leave them, in the order of the list."""

import io
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from PIL import Image

from vision_app.data.dataset import Part
from vision_app.data.datasets import SPLITS
from vision_app.data.images import FileImages, Images
from vision_app.data.patch import patched
from vision_app.data.safe_names import safe_name, unique_name
from vision_app.data.sources.listing import is_picture
from vision_app.edits import Patch
from vision_app.errors import InputError

SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif"}  # others are their format's name


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to write: which it is, where it goes, and the number of its changed copy, 0 for itself."""

    published: str
    index: int
    split: str
    label: int
    path: str
    copy: int


def plan_pictures(
    parts: dict[str, Part], edits: Patch, classes: tuple[str, ...], folders: tuple[str, ...], copies: int
) -> list[Picture]:
    """Return what is written, in the order of the list: each split as its corrections leave it, then what moved to it.

    Args:
        parts: images and labels by published split.
        edits: the corrections.
        classes: class names.
        folders: the name of each class's folder.
        copies: how many times as many training images, themselves included.
    """
    found: dict[str, list[tuple[str, int, int]]] = {split: [] for split in SPLITS}
    moved: dict[str, list[tuple[str, int, int]]] = {split: [] for split in SPLITS}
    for published, (_, labels) in parts.items():
        stays, labels, leaves = patched(published, labels, classes, edits)
        found[published] += [(published, int(index), int(labels[index])) for index in stays]
        for to, indices in leaves.items():
            moved[to] += [(published, int(index), int(labels[index])) for index in indices]
    return [
        picture
        for split in SPLITS
        for picture in _named(split, found[split] + moved[split], parts, folders, copies if split == "train" else 1)
    ]


def _named(
    split: str, members: list[tuple[str, int, int]], parts: dict[str, Part], folders: tuple[str, ...], copies: int
) -> Iterator[Picture]:
    """Yield the pictures of a split with their paths: numbered by class, or as their files are called."""
    taken: dict[int, set[str]] = {label: set() for _, _, label in members}
    numbers = dict.fromkeys(taken, 0)
    names = []
    for published, index, label in members:
        numbers[label] += 1
        stem, suffix = _file_name(parts[published][0], index, numbers[label])
        names.append(unique_name(stem, suffix, taken[label]))
    for (published, index, label), name in zip(members, names, strict=True):
        before = f"{split}/{folders[label]}"
        yield Picture(published, index, split, label, f"{before}/{name}", 0)
        for copy in range(1, copies):
            own = unique_name(f"{PurePosixPath(name).stem}_a{copy}", ".png", taken[label])
            yield Picture(published, index, split, label, f"{before}/{own}", copy)


def _file_name(images: Images, index: int, number: int) -> tuple[str, str]:
    """Return stem and suffix of a picture's file; one whose name does not say that it is a picture gets a suffix."""
    if not isinstance(images, FileImages):
        return f"{number:05}", ".png"
    name = PurePosixPath(images.names[index].replace("\\", "/"))
    if is_picture(name.name):
        return safe_name(name.stem), name.suffix
    with suppress(InputError, OSError), Image.open(io.BytesIO(images.files.read(images.names[index]))) as image:
        return safe_name(name.name), SUFFIXES.get(image.format, f".{image.format.lower()}")
    return safe_name(name.name), ".png"  # cannot be read, so nothing of this name will be written
