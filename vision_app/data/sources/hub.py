"""Datasets of the Hugging Face Hub, `hub:owner/name[@revision]`: fetched once at one commit, then read from the disk.

What a reference without a commit meant the first time is remembered, so that a set does not change between two runs.
"""

import hashlib
import json
import os
import re
import secrets
import shutil
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock

from vision_app.data.download import Progress, data_root, put
from vision_app.data.images import Files, FolderFiles, ZipFiles
from vision_app.data.sources import archives, parquet
from vision_app.data.sources.listing import SPLIT_NAMES, Listing, is_picture, list_class_folders
from vision_app.errors import InputError

SCHEME = "hub:"
REFERENCE = re.compile(r"hub:(\w[\w.-]*/\w[\w.-]*)(?:@(\S+))?", re.ASCII)
COMMIT = re.compile("[0-9a-f]{40}")
MARK = "hub.json"  # written last: a folder that has it is whole
ASIDE = ("assets", "docs", "figures")  # folders of a repository whose pictures are for its README
WORKERS = 8
BLOCK = 1 << 18
TIMEOUT = 30.0  # seconds without a byte
TICK = 0.2


@dataclass(frozen=True)
class Asked:
    """What a reference asks for."""

    repository: str
    revision: str

    @property
    def home(self) -> Path:
        """The folder of all that is fetched of the repository."""
        return data_root() / "hub" / self.repository.replace("/", "--")


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


@dataclass(frozen=True)
class Snapshot:
    """What was fetched: Parquet files by split, or pictures and zips as "all"."""

    repository: str
    commit: str
    kind: str
    parts: dict[str, tuple[str, ...]]
    features: dict[str, Any]
    left_out: dict[str, int]
    licence: str


def is_hub(reference: str) -> bool:
    """Whether a reference means a dataset of the Hub."""
    return reference.startswith(SCHEME)


def parse(reference: str) -> Asked:
    """Return the repository and the revision that a reference asks for; without one it is "main".

    Raises:
        InputError: it is no such reference.
    """
    match = REFERENCE.fullmatch(reference.strip())
    if not match or "--" in match[1] or ".." in match[1]:
        raise InputError(f"Expected hub:owner/name or hub:owner/name@revision, got '{reference[:80]}'.")
    return Asked(match[1], match[2] or "main")


def fetch(reference: str, progress: Progress | None = None) -> Path:
    """Return the folder of a dataset of the Hub, which is downloaded first if it is not there.

    Args:
        reference: "hub:owner/name", or "hub:owner/name@revision" with a branch, tag or commit.
        progress: called with the share done and a sentence; what it raises ends the download.

    Raises:
        InputError: there is no such dataset or revision, it may not be read, or it holds no labelled pictures.
    """
    asked = parse(reference)
    if not (folder := _find(asked)):
        with _explained(asked):
            asked.home.mkdir(parents=True, exist_ok=True)
        with FileLock(asked.home / ".lock"):
            folder = _find(asked) or _download(asked, progress)
    return folder


def is_fetched(folder: Path) -> bool:
    """Whether a folder is one that `fetch` returned."""
    return folder.is_relative_to(data_root() / "hub") and (folder / MARK).is_file()


def list_fetched(folder: Path) -> tuple[Listing, Files]:
    """Return the pictures of a fetched dataset, and where their bytes come from.

    Raises:
        InputError: a file is damaged, or there are no labelled pictures in it.
    """
    return _list(folder, FolderFiles(folder).state(_containers(_read_mark(folder))))


def facts(folder: Path) -> dict[str, str]:
    """Return name, title and origin of a fetched dataset, as fields of Dataset; the name holds the commit."""
    found = _read_mark(folder)
    return {
        "name": f"{SCHEME}{found.repository}@{found.commit}",
        "title": found.repository,
        "description": f"From the Hugging Face Hub, at commit {found.commit[:7]}.",
        "licence": found.licence or "not stated",
        "citation": f"{found.repository}, Hugging Face Hub, commit {found.commit}",
        "homepage": f"{_endpoint()}/datasets/{found.repository}/tree/{found.commit}",
    }


@dataclass(frozen=True)
class HubFiles:
    """Pictures of a repository, plain or in its zips: "train/cat/1.jpg" or "train.zip/cat/1.jpg"."""

    root: Path

    def read(self, name: str) -> bytes:
        """See Files."""
        archive, zipped, member = name.partition(".zip/")
        return ZipFiles(self.root / f"{archive}.zip").read(member) if zipped else FolderFiles(self.root).read(name)

    def state(self, names: Sequence[str]) -> bytes:
        """See Files: sizes and times."""
        found = {f"{name.partition('.zip/')[0]}.zip" if ".zip/" in name else name: None for name in names}
        return FolderFiles(self.root).state(list(found))


@lru_cache(4)
def _list(folder: Path, state: bytes) -> tuple[Listing, Files]:
    """List what is there; `state` is part of the key because files may be replaced."""
    snapshot = _read_mark(folder)
    if snapshot.kind == "parquet":
        listing, files = parquet.list_tables(folder, snapshot.parts, snapshot.features)
    else:
        names = _place_pictures(folder, snapshot.parts["all"])
        listing, files = list_class_folders(names, snapshot.repository), HubFiles(folder)
        named = {split: (tuple(names[name] for name in own), y) for split, (own, y) in listing.splits.items()}
        listing = replace(listing, splits=named)
    return replace(listing, left_out=snapshot.left_out | listing.left_out), files


def _place_pictures(folder: Path, paths: Iterable[str]) -> dict[str, str]:
    """Return the pictures by the place that they have when all zips are unpacked."""
    names = {path: path for path in paths if not path.endswith(".zip")}
    for path in (path for path in paths if path.endswith(".zip")):
        members = archives.list_members(folder / path)
        base, stem = PurePosixPath(path).parent, PurePosixPath(path).stem
        names |= {(base / place).as_posix(): f"{path}/{name}" for name, place in _unwrapped(members, stem).items()}
    return _without_previews(names)


def _unwrapped(members: Sequence[str], stem: str) -> dict[str, str]:
    """Return the place of each member of a zip: the zip's name counts where it is a split or its only class."""
    paths = [tuple(name.split("/")) for name in members]
    if any(len(path) == 1 for path in paths):
        return {name: f"{stem}/{name}" for name in members}
    tops = {path[0] for path in paths}
    if len(tops) == 1 and all(len(path) > 2 for path in paths) and not tops & SPLIT_NAMES.keys():
        paths = [path[1:] for path in paths]
    words = re.split("[^a-z]+", stem.lower())
    split = next((word for word in words if word in SPLIT_NAMES), None)
    above = () if split is None or {path[0].lower() for path in paths} & SPLIT_NAMES.keys() else (split,)
    return {name: "/".join((*above, *path)) for name, path in zip(members, paths, strict=True)}


def _without_previews(names: Mapping[str, str]) -> dict[str, str]:
    """Leave out the pictures that a repository shows of itself: at its root, or beside the splits."""
    folders = {name: name.lower().split("/")[:-1] for name in names}
    divided = [name for name in names if set(folders[name][:-1]) & SPLIT_NAMES.keys()]
    placed = divided or [name for name in names if folders[name] and folders[name][0] not in ASIDE]
    return {name: names[name] for name in placed}


def _read_mark(folder: Path) -> Snapshot:
    try:
        return _parse_mark(folder, (folder / MARK).stat().st_mtime_ns)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"{folder / MARK} is damaged; delete {folder} to fetch the dataset again.") from error


@lru_cache(16)
def _parse_mark(folder: Path, time: int) -> Snapshot:
    values = json.loads((folder / MARK).read_text(encoding="utf-8"))
    parts = {split: tuple(paths) for split, paths in values.pop("parts").items()}
    return Snapshot(parts=parts, **values)


def _containers(snapshot: Snapshot) -> list[str]:
    """Return the files that hold many pictures."""
    paths = [path for own in snapshot.parts.values() for path in own]
    return paths if snapshot.kind == "parquet" else [path for path in paths if path.endswith(".zip")]


def _references(asked: Asked) -> dict[str, str]:
    """Return the commits that revisions meant when they were first asked for."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        found = json.loads((asked.home / "revisions.json").read_text(encoding="utf-8"))
        return {name: commit for name, commit in found.items() if COMMIT.fullmatch(commit)}
    return {}


def _find(asked: Asked) -> Path | None:
    """Return the folder of what is asked for if all of it is there."""
    commit = asked.revision if COMMIT.fullmatch(asked.revision) else _references(asked).get(asked.revision)
    folder = asked.home / (commit or "none")
    if commit and is_fetched(folder) and all((folder / name).is_file() for name in _containers(_read_mark(folder))):
        return folder
    return None


def _download(asked: Asked, progress: Progress | None) -> Path:
    from huggingface_hub import HfApi

    api = HfApi(endpoint=_endpoint(), token=_token())
    revision = _references(asked).get(asked.revision, asked.revision)
    with _explained(asked):
        commit = str(api.dataset_info(asked.repository, revision=revision, timeout=TIMEOUT).sha)
    if not COMMIT.fullmatch(commit):
        raise InputError(f"The Hub names no commit of {asked.repository}; try again later.")
    files = _list_files(api, asked, commit, progress)
    folder = asked.home / commit
    for part in folder.rglob("*.part"):  # of a process that was killed
        part.unlink(missing_ok=True)
    snapshot = _choose(asked, commit, files, _fetch_card(asked, commit, files, folder))
    if snapshot.kind == "parquet":
        parquet.load_pyarrow()
    chosen = [files[path] for own in snapshot.parts.values() for path in own]
    _fetch_all(asked, commit, chosen, folder, progress)
    with _explained(asked):
        put(folder / MARK, json.dumps(asdict(snapshot)).encode())
        put(asked.home / "revisions.json", json.dumps(_references(asked) | {asked.revision: commit}).encode())
    return folder


def _list_files(api: Any, asked: Asked, commit: str, progress: Progress | None) -> dict[str, Remote]:
    """Return the files of a commit by path."""

    def entries() -> Iterator[Any]:
        with _explained(asked):
            yield from api.list_repo_tree(asked.repository, recursive=True, revision=commit, repo_type="dataset")

    files: dict[str, Remote] = {}
    for entry in entries():
        if not hasattr(entry, "size"):
            continue  # a folder
        path = PurePosixPath(entry.path)
        if path.is_absolute() or ".." in path.parts or "\\" in entry.path:
            raise InputError(f"{asked.repository} names a file outside of itself, {entry.path[:80]!r}; it is not read.")
        files[entry.path] = Remote(entry.path, entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else "")
        if progress and len(files) % 1000 == 0:
            progress(0.0, f"Listing {asked.repository}: {len(files):,} files")
    return files


def _fetch_card(asked: Asked, commit: str, files: Mapping[str, Remote], folder: Path) -> dict[str, Any]:
    """Return the metadata of a repository's README; nothing if there is none that can be read."""
    from huggingface_hub import metadata_load

    _fetch_all(asked, commit, [files[name] for name in files if name == "README.md"], folder, None)
    try:
        return metadata_load(folder / "README.md") or {}
    except Exception:  # YAML that people write fails in many ways; the files themselves say enough
        return {}


def _choose(asked: Asked, commit: str, files: Mapping[str, Remote], card: dict[str, Any]) -> Snapshot:
    """Say which files make the dataset.

    Raises:
        InputError: it has neither Parquet files nor pictures.
    """
    licence = card.get("license") or ""
    licence = ", ".join(map(str, licence)) if isinstance(licence, list) else str(licence)
    chosen = parquet.choose_tables(files, card)
    if chosen.parts:
        features = parquet.read_features(card, chosen.config)
        return Snapshot(asked.repository, commit, "parquet", chosen.parts, features, chosen.left_out, licence)
    zips = {name: name for name in files if name.endswith(".zip")}
    named = {name: name for name in files if is_picture(name)}
    pictures = _without_previews(named)
    if not pictures and not zips:
        kinds = sorted({PurePosixPath(name).suffix or name for name in files})[:8]
        raise InputError(
            f"Expected Parquet files or pictures in class folders in {asked.repository}, got {', '.join(kinds) or 'nothing'}; "
            f"hub:{asked.repository}@refs/convert/parquet is the Hub's own conversion, if it made one."
        )
    aside = {"outside of the dataset's folders": len(named) - len(pictures)} if len(named) > len(pictures) else {}
    return Snapshot(asked.repository, commit, "folder", {"all": tuple(pictures | zips)}, {}, aside, licence)


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


def _fetch_all(asked: Asked, commit: str, files: Sequence[Remote], folder: Path, progress: Progress | None) -> None:
    """Fetch files, several at a time; whatever ends it leaves whole files only."""
    total = sum(file.size for file in files)
    with _explained(asked):
        folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < total + 2**26:
        raise InputError(f"{asked.repository} takes {total / 1e9:.1f} GB of disk; free some space.")
    tally, pool = _Tally(), ThreadPoolExecutor(WORKERS)
    waiting = {pool.submit(_fetch, asked, commit, file, folder / file.path, tally) for file in files}
    try:
        while waiting:
            done, waiting = wait(waiting, TICK, FIRST_EXCEPTION)
            with _explained(asked):
                for future in done:
                    future.result()
            if progress:
                sentence = f"{tally.files:,} of {len(files):,} files, {tally.bytes / 1e6:.1f} of {total / 1e6:.1f} MB"
                progress(min(1.0, tally.bytes / max(total, 1)), f"Downloading {asked.repository}: {sentence}")
    finally:
        tally.stopped = True
        wait([future for future in waiting if not future.cancel()], 5)  # a connection that stalls is not waited for
        pool.shutdown(wait=False, cancel_futures=True)


def _fetch(asked: Asked, commit: str, file: Remote, target: Path, tally: _Tally) -> None:
    """Fetch one file, checked against the digest that the Hub states; one that is there already is checked only."""
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, http_stream_backoff

    if target.is_file():
        with target.open("rb") as stream:
            if file.fits(hashlib.file_digest(stream, file.hasher)):
                return tally.add(file.size, 1)
    url = hf_hub_url(asked.repository, file.path, repo_type="dataset", revision=commit, endpoint=_endpoint())
    options = {"headers": build_hf_headers(token=_token()), "timeout": TIMEOUT, "retry_on_exceptions": ()}
    digest = file.hasher()
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{secrets.token_hex(8)}.part")
    try:
        with http_stream_backoff("GET", url, **options) as reply, part.open("wb") as out:
            hf_raise_for_status(reply)
            for block in reply.iter_bytes(BLOCK):
                tally.add(len(block))
                out.write(block)
                digest.update(block)
        if not file.fits(digest):
            raise InputError(f"The Hub did not send {file.path} of {asked.repository} as it describes it; try again.")
        tally.add(0, 1)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _endpoint() -> str:
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def _token() -> str | bool:
    """Return HF_TOKEN, or False, which keeps a token that is stored on this machine from being used.

    Raises:
        InputError: it has characters that cannot be sent; the error of the library that sends would show it.
    """
    token = os.environ.get("HF_TOKEN", "").strip()
    if not re.fullmatch(r"[\x21-\x7e]*", token):
        raise InputError("HF_TOKEN holds characters that no token has; set it again.")
    return token or False


@contextmanager
def _explained(asked: Asked) -> Iterator[None]:
    """Turn what fails on the way to the Hub into one sentence."""
    from huggingface_hub.errors import HTTPError

    try:
        yield
    except InputError:
        raise
    except (HTTPError, OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(_explain(error, asked)) from error


def _explain(error: Exception, asked: Asked) -> str:
    from huggingface_hub import errors

    name, may_read = asked.repository, "set HF_TOKEN to a token that may read it"
    host = urlsplit(_endpoint()).hostname
    match error:
        case errors.GatedRepoError():
            return f"{name} is gated: accept its terms at {_endpoint()}/datasets/{name}, and {may_read}."
        case errors.RevisionNotFoundError():
            return f"{name} has no revision '{asked.revision[:80]}'; expected a branch, tag or commit."
        case errors.RepositoryNotFoundError():
            return f"There is no dataset {name} on the Hub, or it is private; check the name, or {may_read}."
        case errors.HfHubHTTPError():
            status = error.response.status_code
            advice = may_read if status in (401, 403) else "try again later"
            return f"The Hub answered {status} when asked for {name}; {advice}."
        case errors.OfflineModeIsEnabled():
            return f"{name} is not on this machine, and HF_HUB_OFFLINE forbids to fetch it."
        case errors.HTTPError():
            return f"Cannot reach the Hub at {host} ({type(error).__name__}); connect to the internet and try again."
        case OSError():
            return f"Cannot write to {asked.home} ({error.strerror})."
    return f"{host} did not answer as the Hub does when asked for {name}; try again later."
