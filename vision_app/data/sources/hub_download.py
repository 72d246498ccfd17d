"""Downloading from the Hugging Face Hub: several files at a time, each checked, and never half a file."""

import hashlib
import shutil
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from vision_app.data.download import Progress, replacing
from vision_app.data.sources.hub_access import COMMIT, Asked, endpoint, explained, token
from vision_app.errors import InputError

if TYPE_CHECKING:
    import httpx
    from huggingface_hub import HfApi

WORKERS = 8
BLOCK = 1 << 18
TIMEOUT = 30.0  # seconds without a byte
TICK = 0.2


@dataclass(frozen=True)
class Remote:
    """One file of a repository; `sha256` is empty for a small file, whose `blob` is Git's own digest."""

    path: str
    size: int
    blob: str
    sha256: str

    def hasher(self) -> "hashlib._Hash":
        """Return what the file's bytes are to be put into."""
        if self.sha256:
            return hashlib.sha256()
        return hashlib.sha1(b"blob %d\0" % self.size, usedforsecurity=False)

    def fits(self, digest: "hashlib._Hash") -> bool:
        """Whether the bytes that were put into a hasher are those that the Hub describes."""
        return digest.hexdigest() == (self.sha256 or self.blob)


def find_commit(asked: Asked, revision: str) -> str:
    """Return the commit that a branch or tag names now.

    Raises:
        InputError: there is no such dataset or revision, or it may not be read.
    """
    with explained(asked):
        commit = str(_api().dataset_info(asked.repository, revision=revision, timeout=TIMEOUT).sha)
    if not COMMIT.fullmatch(commit):
        raise InputError(f"The Hub names no commit of {asked.repository}; try again later.")
    return commit


def list_files(asked: Asked, commit: str, progress: Progress | None) -> dict[str, Remote]:
    """Return the files of a commit by path."""
    files: dict[str, Remote] = {}
    for entry in _entries(asked, commit):
        if not hasattr(entry, "size"):
            continue  # a folder
        path = PurePosixPath(entry.path)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.path:
            raise InputError(f"{asked.repository} names a file outside of itself, {entry.path[:80]!r}; it is not read.")
        files[entry.path] = Remote(entry.path, entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else "")
        if progress and len(files) % 1000 == 0:
            progress(0.0, f"Listing {asked.repository}: {len(files):,} files")
    return files


def _entries(asked: Asked, commit: str) -> Iterator[Any]:
    with explained(asked):
        yield from _api().list_repo_tree(asked.repository, recursive=True, revision=commit, repo_type="dataset")


def _api() -> "HfApi":
    from huggingface_hub import HfApi

    return HfApi(endpoint=endpoint(), token=token())


def fetch_card(asked: Asked, commit: str, files: Mapping[str, Remote]) -> dict[str, Any]:
    """Return the metadata of a repository's README; nothing if there is none that can be read."""
    from huggingface_hub import metadata_load

    fetch_all(asked, commit, [files[name] for name in files if name == "README.md"], None)
    try:
        return metadata_load(asked.home / commit / "README.md") or {}
    except Exception:  # YAML that people write fails in many ways; the files themselves say enough
        return {}


class _Tally:
    """How much of a download is done."""

    def __init__(self) -> None:
        self.files, self.bytes, self.stopped = 0, 0, False
        self._lock = threading.Lock()

    def add(self, num_bytes: int, num_files: int = 0) -> None:
        """Count; end the thread that counts if the download was stopped."""
        if self.stopped:
            raise InterruptedError
        with self._lock:
            self.bytes += num_bytes
            self.files += num_files


def fetch_all(asked: Asked, commit: str, files: Sequence[Remote], progress: Progress | None) -> None:
    """Fetch files of a commit, several at a time; whatever ends it leaves whole files only.

    Raises:
        InputError: one cannot be fetched, or is not what the Hub describes; or the disk is full.
    """
    folder, total = asked.home / commit, sum(file.size for file in files)
    _check_disk(asked, folder, total)
    tally, pool = _Tally(), ThreadPoolExecutor(WORKERS)
    waiting = {pool.submit(_fetch, asked, commit, file, folder / file.path, tally) for file in files}
    try:
        while waiting:
            done, waiting = wait(waiting, TICK, FIRST_EXCEPTION)
            with explained(asked):
                for future in done:
                    future.result()
            if progress:
                sentence = f"{tally.files:,} of {len(files):,} files, {tally.bytes / 1e6:.1f} of {total / 1e6:.1f} MB"
                progress(min(1.0, tally.bytes / max(total, 1)), f"Downloading {asked.repository}: {sentence}")
    finally:
        tally.stopped = True
        wait([future for future in waiting if not future.cancel()], 5)  # a connection that stalls is not waited for
        pool.shutdown(wait=False, cancel_futures=True)


def _check_disk(asked: Asked, folder: Path, total: int) -> None:
    with explained(asked):
        folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < total + 2**26:
        raise InputError(f"{asked.repository} takes {total / 1e9:.1f} GB of disk; free some space.")


def _fetch(asked: Asked, commit: str, file: Remote, target: Path, tally: _Tally) -> None:
    """Fetch one file, checked against the digest that the Hub states; one that is there already is checked only."""
    if target.is_file():
        with target.open("rb") as stream:
            if file.fits(hashlib.file_digest(stream, file.hasher)):
                return tally.add(file.size, 1)
    digest = file.hasher()
    with replacing(target) as part:
        with _opened(asked, commit, file) as reply, part.open("wb") as out:
            for block in reply.iter_bytes(BLOCK):
                tally.add(len(block))
                out.write(block)
                digest.update(block)
        if not file.fits(digest):
            raise InputError(f"The Hub did not send {file.path} of {asked.repository} as it describes it; try again.")
        tally.add(0, 1)


@contextmanager
def _opened(asked: Asked, commit: str, file: Remote) -> Iterator["httpx.Response"]:
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_stream_backoff

    url = hf_hub_url(asked.repository, file.path, repo_type="dataset", revision=commit, endpoint=endpoint())
    options = {"headers": build_hf_headers(token=token()), "timeout": TIMEOUT, "retry_on_exceptions": ()}
    with http_stream_backoff("GET", url, **options) as reply:
        hf_raise_for_status(reply)
        yield reply
