"""Fetching a dataset's files: with progress, checked, and never half a file."""

import contextlib
import errno
import hashlib
import http.client
import os
import secrets
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vision_app.errors import InputError

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch: its place in the data folder, its address, the digest its publisher states ("md5:..."), its bytes."""

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
    part = _part(target)
    algorithm, expected = file.digest.split(":")
    digest = hashlib.new(algorithm, usedforsecurity=False)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(file.url, timeout=30) as reply, part.open("wb") as out:
            done = 0
            while block := reply.read(1 << 18):
                out.write(block)
                digest.update(block)
                done += len(block)
                if progress:
                    progress(
                        min(1.0, done / file.num_bytes),
                        f"Downloading {target.name}: {done / 1e6:.1f} of {file.num_bytes / 1e6:.1f} MB",
                    )
        if digest.hexdigest() != expected:
            raise InputError(
                f"{file.url} did not send the expected file ({algorithm} {digest.hexdigest()}); nothing was kept."
            )
        part.replace(target)
    except (OSError, http.client.HTTPException) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise InputError(
                f"The disk is full: {target.name} needs {file.num_bytes / 1e6:.0f} MB; free some space."
            ) from error
        if isinstance(error, PermissionError | FileExistsError | NotADirectoryError):
            raise InputError(
                f"Cannot write {target} ({error.strerror}); let VISION_APP_DATA name a folder that you may write to."
            ) from error
        reason = getattr(error, "reason", error)
        raise InputError(
            f"Could not download {target.name} ({reason}). Connect to the internet and try again, or put the file at {target}."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()
    return target


def put(target: Path, data: bytes) -> None:
    """Write a file of the data folder whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = _part(target)
    try:
        part.write_bytes(data)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _part(target: Path) -> Path:
    """Return a temporary name beside a file; one for each writer, because two processes may fetch the same file."""
    return target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
