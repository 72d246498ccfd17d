"""A folder of pictures: listed in one pass, and remembered until one of its folders changes."""

import hashlib
import io
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vision_app.data.download import Progress, data_root, put
from vision_app.data.sources.listing import is_picture
from vision_app.errors import InputError

SAY_EVERY = 5_000


def list_files(root: Path, progress: Progress | None = None) -> list[str]:
    """Return the pictures below a folder as relative paths with "/"; the second time they come from a cache.

    Links that lead out of the folder are left out.

    Args:
        root: the folder.
        progress: called with 0 and the number of files so far.

    Raises:
        InputError: the folder cannot be read.
    """
    cache = data_root() / "cache" / "listings" / f"{hashlib.sha256(os.fsencode(root)).hexdigest()[:24]}.npz"
    if (names := _read(cache, root)) is not None:
        return names
    names, folders = [], []
    try:
        for folder, found in _walk(root):
            folders.append(folder)
            names += found
            if progress and len(names) // SAY_EVERY != (len(names) - len(found)) // SAY_EVERY:
                progress(0.0, f"Listing {root.name}: {len(names):,} pictures")
    except OSError as error:
        raise InputError(f"Cannot read the folder {root} ({error.strerror}).") from error
    _write(cache, root, names, folders)
    return names


def _walk(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield every folder below the root ("" for itself) with its pictures."""
    waiting = [""]
    while waiting:
        folder = waiting.pop()
        found = []
        with os.scandir(root / folder) as entries:
            for entry in entries:
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(name)
                elif is_picture(name) and (
                    entry.is_file(follow_symlinks=False) or (entry.is_symlink() and _stays_inside(root, entry.path))
                ):  # a pipe would wait for ever
                    found.append(name)
        yield folder, found


def _stays_inside(root: Path, link: str) -> bool:
    return os.path.isfile(link) and Path(os.path.realpath(link)).is_relative_to(os.path.realpath(root))


def _time(root: Path, folder: str) -> int:
    try:
        return os.stat(root / folder).st_mtime_ns
    except OSError:
        return -1


def _read(cache: Path, root: Path) -> list[str] | None:
    """Return the names in the cache if no folder has changed since: adding and removing files changes its time."""
    try:
        with np.load(cache, allow_pickle=False) as stored:
            folders = _split(stored["folders"])
            if stored["times"].tolist() == [_time(root, folder) for folder in folders]:
                return _split(stored["names"]) if stored["names"].size else []
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        pass  # no cache, or a damaged one: the folder itself is read
    return None


def _write(cache: Path, root: Path, names: list[str], folders: list[str]) -> None:
    file = io.BytesIO()
    times = np.array([_time(root, folder) for folder in folders], np.int64)
    np.savez(file, names=_joined(names), folders=_joined(folders), times=times)
    put(cache, file.getvalue())


def _joined(names: list[str]) -> np.ndarray:
    """Return names as bytes; a file name may hold anything but a zero byte."""
    return np.frombuffer(b"\0".join(os.fsencode(name) for name in names), np.uint8)


def _split(stored: np.ndarray) -> list[str]:
    return [os.fsdecode(name) for name in stored.tobytes().split(b"\0")]
