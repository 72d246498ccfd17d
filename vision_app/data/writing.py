"""A dataset written out as files: split/class/00001.png and a list of them, in a folder or a zip; the reverse of reading.

Published files keep their bytes; arrays become PNG. An interrupted writing goes on where it was: a picture is compared
with what is there, and only what differs is written.
"""

import csv
import hashlib
import io
import json
import re
import secrets
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from filelock import FileLock, Timeout
from PIL import Image

from vision_app.data.augment import Augmenter, make_augmenter, resolve_strengths
from vision_app.data.dataset import Dataset, Part
from vision_app.data.datasets import SPLITS, find_dataset, load_split
from vision_app.data.download import Progress, data_root, put
from vision_app.data.images import FileImages, Images
from vision_app.data.patch import patch_text, patched, read_patch
from vision_app.data.reading import read_picture
from vision_app.data.sources.listing import SYSTEM_FOLDERS, is_picture
from vision_app.device import num_cores
from vision_app.edits import Patch
from vision_app.errors import InputError

RECEIPT = ".vision-workbench.json"  # says that this app wrote the folder or zip, and from what
LIST = "labels.csv"
CHUNK = 64  # pictures that are made at a time
MAX_COPIES = 100
MAX_NAME = 120  # bytes of a file or folder name; Windows allows 260 characters for a whole path
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)
EARLIEST = (1980, 1, 1, 0, 0, 0)  # every member's time, so that equal content gives equal zips
SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif"}  # others are their format's name


@dataclass(frozen=True)
class Written:
    """What was written.

    Args:
        path: the folder or zip.
        splits: pictures by split, changed copies included.
        num_written: pictures that were not there yet.
        num_kept: pictures that were there already.
        num_broken: pictures left out because they cannot be read.
        num_excluded: pictures left out by the dataset's corrections.
        folders: class names whose folder has another name, with that name.
    """

    path: Path
    splits: dict[str, int]
    num_written: int
    num_kept: int
    num_broken: int
    num_excluded: int
    folders: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Picture:
    """One picture to write: which it is, where it goes, and the number of its changed copy, 0 for itself."""

    published: str
    index: int
    split: str
    label: int
    path: str
    copy: int


def write_dataset(
    name: str,
    target: str | Path,
    progress: Progress | None = None,
    *,
    augmentation: dict[str, float] | None = None,
    copies: int = 0,
    seed: int = 0,
) -> Written:
    """Write a dataset, with its corrections, as class folders below its splits and a list `labels.csv`.

    Args:
        name: as for `find_dataset`.
        target: a folder that is new, empty, or was written by the same call before; or a zip, by its name.
        progress: called with the share done and a sentence.
        augmentation: strengths by name; with `copies`, changed copies of the training images are written too.
        copies: how many times as many training images; 0 or 1: only the images themselves.
        seed: of the changes; the same call writes the same bytes.

    Raises:
        InputError: there is something else at the target, it cannot be written, or the wishes are impossible.
    """
    augmenter = _check_copies(augmentation or {}, copies, seed)
    path = Path(target).expanduser().absolute()
    dataset = find_dataset(name, progress)
    _check_target(path, dataset)
    edits = read_patch(dataset)
    parts = {split: load_split(name, split, progress) for split in dataset.counts}
    strengths = augmenter.strengths if augmenter else {}
    recipe = {
        "dataset": dataset.name,
        "augmentation": strengths,
        "copies": max(1, copies),
        "seed": seed if augmenter else 0,
    }
    recipe["content"] = _fingerprint(dataset, parts, edits)
    folders = safe_names(dataset.classes)
    pictures = _plan(parts, edits, dataset.classes, folders, max(1, copies))
    writer = _Writer(dataset.classes, parts, pictures, augmenter, seed, progress)
    with _errors_in_words(path), _alone(path):
        write = _write_zip if path.suffix.lower() == ".zip" else _write_folder
        written = write(path, recipe, writer)
    excluded = sum(len(labels) for _, labels in parts.values()) - sum(not picture.copy for picture in pictures)
    renamed = {own: folder for own, folder in zip(dataset.classes, folders, strict=True) if own != folder}
    return replace(written, num_excluded=excluded, folders=renamed)


def safe_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return a folder name for each class that every system takes, no two alike even where case does not count."""
    made: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(dict.fromkeys(names), key=lambda name: _safe(name) != name):  # names that can stay come first
        made[name] = _unique(_safe(name), "", taken)
    return tuple(made[name] for name in names)


def _safe(name: str) -> str:
    """Return a name without what a system forbids, hides or shortens."""
    safe = FORBIDDEN.sub("_", name).strip().lstrip(".").rstrip(". ") or "_"
    if RESERVED.fullmatch(safe) or safe.lower() in SYSTEM_FOLDERS:
        safe = f"_{safe}"
    if len(safe.encode()) > MAX_NAME:
        digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
        safe = safe.encode()[: MAX_NAME - 9].decode(errors="ignore").rstrip(". ") + f"-{digest}"
    return safe


def _unique(stem: str, suffix: str, taken: set[str]) -> str:
    """Return a name that is not taken yet, with a number if need be, and take it."""
    name, number = stem + suffix, 1
    while (key := unicodedata.normalize("NFC", name).casefold()) in taken:
        number += 1
        name = f"{stem}_{number}{suffix}"
    taken.add(key)
    return name


def _check_copies(augmentation: dict[str, float], copies: int, seed: int) -> Augmenter | None:
    """Return the augmenter, if changed copies are wanted."""
    if not 0 <= copies <= MAX_COPIES:
        raise InputError(f"The copies must be 0 to {MAX_COPIES}, got {copies}.")
    if seed < 0:
        raise InputError(f"The seed must be 0 or more, got {seed}.")
    strengths = {name: strength for name, strength in resolve_strengths(augmentation).items() if strength}
    if "mixup" in strengths:
        raise InputError("Mixup averages classes, and a class folder holds one; leave it out of the augmentation.")
    if bool(strengths) != (copies > 1):
        raise InputError(
            f"Changed copies need both an augmentation and at least 2 copies, got {', '.join(strengths) or 'none'} "
            f"and {copies}."
        )
    return make_augmenter(strengths) if copies > 1 else None


def _check_target(path: Path, dataset: Dataset) -> None:
    place = dataset.place
    if place and (path == place or path.is_relative_to(place) or place.is_relative_to(path)):
        raise InputError(f"{path} and the dataset {place} lie within each other; choose a folder elsewhere.")
    if path.suffix.lower() == ".zip" and path.is_dir():
        raise InputError(f"Expected a zip to write, got the folder {path}; choose another name.")
    if path.suffix.lower() != ".zip" and path.exists() and not path.is_dir():
        raise InputError(f"Expected a folder or a .zip to write, got the file {path}; choose another name.")


def _fingerprint(dataset: Dataset, parts: dict[str, Part], edits: Patch) -> str:
    """Return what tells whether a started writing is of the same pictures, labels and corrections."""
    digest = hashlib.sha256(json.dumps([dataset.classes, patch_text(dataset, edits)]).encode())
    for split, (images, labels) in parts.items():
        digest.update(f"{split} {len(labels)}".encode())
        digest.update(np.ascontiguousarray(labels, "<i8"))
        if isinstance(images, FileImages):  # anew, because an opened set remembers how its files were
            digest.update(FileImages(images.files, images.names).key.encode())
        else:
            digest.update(np.ascontiguousarray(images))
    return digest.hexdigest()[:32]


def _plan(
    parts: dict[str, Part], edits: Patch, classes: tuple[str, ...], folders: tuple[str, ...], copies: int
) -> list[_Picture]:
    """Return what is written, in the order of the list: each split as its corrections leave it, then what moved to it."""
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
) -> Iterator[_Picture]:
    """Yield the pictures of a split with their paths: numbered by class, or as their files are called."""
    taken: dict[int, set[str]] = {label: set() for _, _, label in members}
    numbers = dict.fromkeys(taken, 0)
    names = []
    for published, index, label in members:
        numbers[label] += 1
        stem, suffix = _file_name(parts[published][0], index, numbers[label])
        names.append(_unique(stem, suffix, taken[label]))
    for (published, index, label), name in zip(members, names, strict=True):
        before = f"{split}/{folders[label]}"
        yield _Picture(published, index, split, label, f"{before}/{name}", 0)
        for copy in range(1, copies):
            own = _unique(f"{PurePosixPath(name).stem}_a{copy}", ".png", taken[label])
            yield _Picture(published, index, split, label, f"{before}/{own}", copy)


def _file_name(images: Images, index: int, number: int) -> tuple[str, str]:
    """Return stem and suffix of a picture's file; one whose name does not say that it is a picture gets a suffix."""
    if not isinstance(images, FileImages):
        return f"{number:05}", ".png"
    name = PurePosixPath(images.names[index].replace("\\", "/"))
    if is_picture(name.name):
        return _safe(name.stem), name.suffix
    with suppress(InputError, OSError), Image.open(io.BytesIO(images.files.read(images.names[index]))) as image:
        return _safe(name.name), SUFFIXES.get(image.format, f".{image.format.lower()}")
    return _safe(name.name), ".png"  # cannot be read, so nothing of this name will be written


@dataclass(frozen=True)
class _Folder:
    """Files below a folder; one that is there with the right content stays."""

    root: Path

    def holds(self, path: str, content: bytes) -> bool:
        """Whether a file is there with this content."""
        file = self.root / path
        with suppress(OSError):
            return file.stat().st_size == len(content) and file.read_bytes() == content
        return False

    def store(self, path: str, content: bytes) -> bool:
        """Write a file, whole or not at all, unless it is there; return whether it was written."""
        if self.holds(path, content):
            return False
        put(self.root / path, content)
        return True


@dataclass(frozen=True)
class _Zip:
    """Members of a zip; pictures are compressed already."""

    archive: zipfile.ZipFile

    def holds(self, path: str, content: bytes) -> bool:
        """Whether a member is there; a zip is written anew."""
        return False

    def store(self, path: str, content: bytes) -> bool:
        """Write a member; return whether it was written."""
        self.archive.writestr(zipfile.ZipInfo(path, EARLIEST), content)
        return True


@dataclass(frozen=True)
class _Writer:
    """Makes the pictures of a plan and hands them, in its order, to a place."""

    classes: tuple[str, ...]
    parts: dict[str, Part]
    pictures: list[_Picture]
    augmenter: Augmenter | None
    seed: int
    progress: Progress | None

    def write(self, place: _Folder | _Zip) -> tuple[Written, bytes]:
        """Write every picture that can be read; return what was written, and the list of it."""
        good: list[_Picture] = []
        num_written = num_broken = 0
        with ThreadPoolExecutor(num_cores()) as pool:
            for start in range(0, len(self.pictures), CHUNK):
                chunk = self.pictures[start : start + CHUNK]
                for picture, content in zip(chunk, pool.map(partial(self._make, place), chunk), strict=True):
                    if content is None:
                        num_broken += not picture.copy
                        continue
                    good.append(picture)
                    num_written += place.store(picture.path, content)
                if self.progress:
                    done, total = start + len(chunk), len(self.pictures)
                    self.progress(done / total, f"Writing pictures: {done:,} of {total:,}")
        splits = {split: sum(picture.split == split for picture in good) for split in SPLITS}
        splits = {split: count for split, count in splits.items() if count}
        return Written(Path(), splits, num_written, len(good) - num_written, num_broken, 0), self._list(good)

    def _make(self, place: _Folder | _Zip, picture: _Picture) -> bytes | None:
        """Return a picture's file, or None if it cannot be read."""
        images = self.parts[picture.published][0]
        try:
            if isinstance(images, FileImages) and not picture.copy:
                content = images.files.read(images.names[picture.index])
                if not place.holds(picture.path, content):
                    read_picture(content)
                return content
            pixels = images[picture.index]
        except InputError:
            return None
        if picture.copy:
            generator = np.random.default_rng([self.seed, SPLITS.index(picture.published), picture.index, picture.copy])
            pixels = self.augmenter(pixels[None], generator)[0]
        return _png(pixels)

    def _list(self, pictures: list[_Picture]) -> bytes:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(("path", "label", "split"))
        rows.writerows((picture.path, self.classes[picture.label], picture.split) for picture in pictures)
        return text.getvalue().encode(errors="replace")


def _write_folder(path: Path, recipe: dict, writer: _Writer) -> Written:
    receipt = path / RECEIPT
    if path.is_dir() and any(path.iterdir()):
        try:
            found = json.loads(receipt.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise InputError(f"{path} is not empty, and was not written by this app; choose a new folder.") from None
        _check_same(path, found, recipe)
        for left in path.rglob("*.part"):  # of a writing that was killed
            left.unlink()
    put(receipt, _receipt(recipe))
    written, listed = writer.write(_Folder(path))
    put(path / LIST, listed)
    put(receipt, _receipt(recipe, written))
    return replace(written, path=path)


def _write_zip(path: Path, recipe: dict, writer: _Writer) -> Written:
    if path.exists():
        found = _read_receipt(path)
        _check_same(path, found, recipe)
        return Written(path, found["splits"], 0, sum(found["splits"].values()), found["num_broken"], 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    try:
        with zipfile.ZipFile(temporary, "w") as archive:
            place = _Zip(archive)
            written, listed = writer.write(place)
            place.store(LIST, listed)
            place.store(RECEIPT, _receipt(recipe, written))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return replace(written, path=path)


def _read_receipt(path: Path) -> dict:
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read(RECEIPT))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        raise InputError(f"{path} is there already, and was not written by this app; choose another name.") from None


def _check_same(path: Path, found: dict, recipe: dict) -> None:
    if not isinstance(found, dict) or found.get("recipe") != recipe:
        raise InputError(
            f"{path} was written from other images, corrections or settings; choose another name, or delete it first."
        )


def _receipt(recipe: dict, written: Written | None = None) -> bytes:
    counts = {"splits": written.splits, "num_broken": written.num_broken} if written else {}
    return json.dumps({"recipe": recipe, **counts}, indent=1).encode()


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG")
    return file.getvalue()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep others from writing to the same place at the same time."""
    lock = (
        data_root()
        / "cache"
        / "writing"
        / f"{hashlib.sha256(str(path).encode(errors='replace')).hexdigest()[:24]}.lock"
    )
    lock.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(lock, timeout=0):
            yield
    except Timeout:
        raise InputError(f"Something else is writing to {path}; wait for it to end.") from None


@contextmanager
def _errors_in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"Cannot write {path} ({error.strerror or error}); free some space or choose another place."
        ) from error
