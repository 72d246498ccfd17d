"""Pictures that stay in their files until they are asked for: in a folder, or in a zip that is never unpacked."""

import hashlib
import os
import threading
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol, overload

import numpy as np

from vision_app.data.reading import MAX_BYTES, read_picture
from vision_app.errors import InputError


class Files(Protocol):
    """Where the bytes of named files come from."""

    def read(self, name: str) -> bytes:
        """Return a file's bytes.

        Raises:
            InputError: there is no such file, or it cannot be read.
        """

    def state(self, names: Sequence[str]) -> bytes:
        """Return what changes when one of the files changes, without reading them."""


@dataclass(frozen=True)
class FolderFiles:
    """The files below a folder, by their path relative to it, with "/" between the parts."""

    root: Path

    def read(self, name: str) -> bytes:
        """See Files."""
        path = self.root / name
        try:
            if path.exists() and not path.is_file():  # a pipe would wait for ever
                raise InputError(f"Cannot read {name}: it is no file.")
            with path.open("rb") as file:
                return _limited(file.read(MAX_BYTES + 1), name)
        except (OSError, ValueError) as error:
            raise InputError(f"Cannot read {name} ({getattr(error, 'strerror', error)}).") from error

    def state(self, names: Sequence[str]) -> bytes:
        """See Files: sizes and times of all files."""
        return b"".join(self._stat(name) for name in names)

    def _stat(self, name: str) -> bytes:
        try:
            found = os.stat(os.path.join(self.root, name))
        except OSError:
            return b"missing"
        return b"%d %d " % (found.st_size, found.st_mtime_ns)


@dataclass(frozen=True)
class ZipFiles:
    """The files in a zip archive; it is read member by member, so nothing is ever written anywhere."""

    path: Path

    def read(self, name: str) -> bytes:
        """See Files."""
        try:
            with self._archive.open(name) as member:
                return _limited(member.read(MAX_BYTES + 1), name)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            KeyError,
            OSError,
            RuntimeError,
            NotImplementedError,
        ) as error:
            raise InputError(f"Cannot read {name} in {self.path.name}: it is damaged or encrypted.") from error

    def state(self, names: Sequence[str]) -> bytes:
        """See Files: size and time of the archive."""
        try:
            found = self.path.stat()
        except OSError:
            return b"missing"
        return b"%d %d" % (found.st_size, found.st_mtime_ns)

    @property
    def _archive(self) -> zipfile.ZipFile:
        """Return this thread's own handle: one handle cannot be read by two threads at a time."""
        archives = _OPEN.__dict__.setdefault("archives", {})
        key = (self.path, self.path.stat().st_mtime_ns)
        if key not in archives:
            archives[key] = zipfile.ZipFile(self.path)
        return archives[key]


_OPEN = threading.local()


class FileImages(Sequence[np.ndarray]):
    """Pictures by position, each decoded as a person sees it when it is asked for: uint8 (height, width, 3).

    Args:
        files: where they are.
        names: their names there.
    """

    def __init__(self, files: Files, names: Sequence[str]) -> None:
        self.files, self.names = files, tuple(names)

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> np.ndarray: ...
    @overload
    def __getitem__(self, index: slice | np.ndarray | list[int]) -> "FileImages": ...
    def __getitem__(self, index: int | slice | np.ndarray | list[int]) -> "np.ndarray | FileImages":
        """Return one picture, or a choice of them that is not decoded yet.

        Raises:
            InputError: the file is no picture that can be read.
        """
        if isinstance(index, slice):
            return FileImages(self.files, self.names[index])
        if isinstance(index, int | np.integer):
            return read_picture(self.files.read(self.names[index]))
        return FileImages(self.files, [self.names[i] for i in np.arange(len(self))[np.asarray(index)]])

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[index] for index in range(len(self)))

    def __add__(self, other: "FileImages") -> "FileImages":
        if other.files != self.files:
            raise ValueError("only images of the same folder or archive can be joined")
        return FileImages(self.files, self.names + other.names)

    @cached_property
    def key(self) -> str:
        """What tells these pictures from others, and from themselves after a change: 32 hexadecimal digits."""
        digest = hashlib.sha256(repr(self.files).encode(errors="surrogateescape"))
        digest.update("\0".join(self.names).encode(errors="surrogateescape"))
        digest.update(self.files.state(self.names))
        return digest.hexdigest()[:32]


Images = np.ndarray | FileImages


def _limited(content: bytes, name: str) -> bytes:
    if len(content) > MAX_BYTES:
        raise InputError(f"{name} has more than {MAX_BYTES // 10**6} MB; save it smaller.")
    return content
