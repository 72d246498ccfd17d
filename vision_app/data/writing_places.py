"""Where a dataset is written to: a folder, which an interrupted writing leaves to be finished, or a zip."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from vision_app.data.download import clear_parts, data_root, put, replacing
from vision_app.errors import InputError

RECEIPT = ".vision-workbench.json"  # says that this app wrote the folder or zip, and from what
LIST = "labels.csv"
EARLIEST = (1980, 1, 1, 0, 0, 0)  # every member's time, so that equal content gives equal zips


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


@dataclass(frozen=True)
class FolderPlace:
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
class ZipPlace:
    """Members of a zip; pictures are compressed already."""

    archive: zipfile.ZipFile

    def holds(self, path: str, content: bytes) -> bool:
        """Whether a member is there; a zip is written anew."""
        return False

    def store(self, path: str, content: bytes) -> bool:
        """Write a member; return whether it was written."""
        self.archive.writestr(zipfile.ZipInfo(path, EARLIEST), content)
        return True


Place = FolderPlace | ZipPlace
Fill = Callable[[Place], tuple[Written, bytes]]


def check_target(path: Path, source: Path | None) -> None:
    """Refuse to write a dataset into itself, to a folder in place of a zip, or to a file in place of a folder.

    Raises:
        InputError: says which.
    """
    real, own = path.resolve(), source.resolve() if source else None  # a link may lead into the dataset
    if own and (real == own or real.is_relative_to(own) or own.is_relative_to(real)):
        raise InputError(f"{path} and the dataset {source} lie within each other; choose a folder elsewhere.")
    if _is_zip(path) and path.is_dir():
        raise InputError(f"Expected a zip to write, got the folder {path}; choose another name.")
    if not _is_zip(path) and path.exists() and not path.is_dir():
        raise InputError(f"Expected a folder or a .zip to write, got the file {path}; choose another name.")


def fill_place(path: Path, recipe: dict[str, Any], fill: Fill) -> Written:
    """Let a dataset be written to a folder, or to a zip by its name; what is there already is not written again.

    Args:
        path: the folder or zip.
        recipe: what is written, for the receipt; only what was written by the same one is gone on with.
        fill: writes the pictures to a place, and returns what was written and the list of it.

    Raises:
        InputError: there is something else at the path, it cannot be written, or somebody else is writing to it.
    """
    write = _write_zip if _is_zip(path) else _write_folder
    with _errors_in_words(path), _alone(path):
        return write(path, recipe, fill)


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


def _write_folder(path: Path, recipe: dict[str, Any], fill: Fill) -> Written:
    receipt = path / RECEIPT
    if path.is_dir() and any(path.iterdir()):
        try:
            found = json.loads(receipt.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            raise InputError(f"{path} is not empty, and was not written by this app; choose a new folder.") from None
        _check_same(path, found, recipe)
        clear_parts(path)
    put(receipt, _receipt(recipe))
    written, listed = fill(FolderPlace(path))
    put(path / LIST, listed)
    put(receipt, _receipt(recipe, written))
    return replace(written, path=path)


def _write_zip(path: Path, recipe: dict[str, Any], fill: Fill) -> Written:
    if path.exists():
        found = _read_receipt(path)
        _check_same(path, found, recipe)
        return Written(path, found["splits"], 0, sum(found["splits"].values()), found["num_broken"], 0)
    with replacing(path) as part, zipfile.ZipFile(part, "w") as archive:
        place = ZipPlace(archive)
        written, listed = fill(place)
        place.store(LIST, listed)
        place.store(RECEIPT, _receipt(recipe, written))
    return replace(written, path=path)


def _read_receipt(path: Path) -> dict:
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read(RECEIPT))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        raise InputError(f"{path} is there already, and was not written by this app; choose another name.") from None


def _check_same(path: Path, found: dict, recipe: dict[str, Any]) -> None:
    if not isinstance(found, dict) or found.get("recipe") != recipe:
        raise InputError(
            f"{path} was written from other images, corrections or settings; choose another name, or delete it first."
        )


def _receipt(recipe: dict[str, Any], written: Written | None = None) -> bytes:
    counts = {"splits": written.splits, "num_broken": written.num_broken} if written else {}
    return json.dumps({"recipe": recipe, **counts}, indent=1).encode()


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Keep others from writing to the same place at the same time."""
    name = hashlib.sha256(str(path).encode(errors="replace")).hexdigest()[:24]
    lock = data_root() / "cache" / "writing" / f"{name}.lock"
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
