"""Fetching a dataset's files: with progress, checked, and never half a file."""

import errno
import hashlib
import http.client
import os
import secrets
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from vision_app.errors import InputError

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch: its place in the data folder, its address, the digest its publisher states ("md5:..."), its bytes.

    The digest may be its first letters, if the publisher states no more. Where there is none it is empty, and the bytes are 0:
    then the length that the server announces counts.
    """

    path: str
    url: str
    digest: str
    num_bytes: int


def data_root() -> Path:
    """Return the folder of the datasets: VISION_APP_DATA, or a folder in the user's cache."""
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vision-workbench"
    return Path(os.environ.get("VISION_APP_DATA") or default).absolute()


def fetch(file: RemoteFile, progress: Progress | None = None) -> Path:
    """Download one file into the data folder and return its path.

    Args:
        file: what to fetch.
        progress: called with the share done, 0 to 1, and a sentence.

    Raises:
        InputError: it cannot be reached, or is not the file that its publisher describes.
    """
    target = data_root() / file.path
    try:
        with replacing(target) as part, part.open("wb") as out:
            _receive(file, out, progress)
    except (OSError, http.client.HTTPException) as error:
        raise InputError(_explain(error, file, target)) from error
    return target


def _receive(file: RemoteFile, out: BinaryIO, progress: Progress | None) -> None:
    """Write what the publisher sends.

    Raises:
        InputError: it is not what the publisher describes.
    """
    algorithm, _, expected = file.digest.partition(":")
    digest = hashlib.new(algorithm or "md5", usedforsecurity=False)
    name, done = Path(file.path).name, 0
    with urllib.request.urlopen(file.url, timeout=30) as reply:
        total = file.num_bytes or int(reply.headers.get("Content-Length") or 1)
        while block := reply.read(1 << 18):
            out.write(block)
            digest.update(block)
            done += len(block)
            if progress:
                progress(min(1.0, done / total), f"Downloading {name}: {done / 1e6:.1f} of {total / 1e6:.1f} MB")
    if not expected and done != total:
        raise InputError(f"{file.url} sent {done:,} of {total:,} bytes; nothing was kept. Try again.")
    if expected and not digest.hexdigest().startswith(expected):
        raise InputError(
            f"{file.url} did not send the expected file ({algorithm} {digest.hexdigest()}); nothing was kept."
        )


def _explain(error: Exception, file: RemoteFile, target: Path) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return f"The disk is full: {target.name} needs {file.num_bytes / 1e6:.0f} MB; free some space."
    if isinstance(error, PermissionError | FileExistsError | NotADirectoryError):
        return f"Cannot write {target} ({error.strerror}); let VISION_APP_DATA name a folder that you may write to."
    return (
        f"Could not download {target.name} ({getattr(error, 'reason', error)}). "
        f"Connect to the internet and try again, or put the file at {target}."
    )


def put(target: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    with replacing(target) as part:
        part.write_bytes(data)


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary file beside another, whose place it takes when all went well; else nothing of it stays.

    Every writer has one of its own, because two processes may write the same file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name[:40]}.{secrets.token_hex(4)}.part")  # a name has 255 bytes at most
    try:
        yield part
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink()


def clear_parts(folder: Path) -> None:
    """Delete the temporary files that killed processes left below a folder to which nobody else writes now."""
    for part in folder.rglob("*.part"):
        part.unlink(missing_ok=True)
