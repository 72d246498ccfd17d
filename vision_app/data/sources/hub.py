"""Datasets of the Hugging Face Hub, `hub:owner/name[@revision]`: fetched once at one commit, then read from the disk.

What a reference without a commit meant the first time is remembered, so that a set does not change between two runs.
"""

import json
import re
from contextlib import suppress
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

from filelock import FileLock

from vision_app.data.download import Progress, clear_parts, data_root, put
from vision_app.data.images import Files, FolderFiles
from vision_app.data.sources.hub_access import COMMIT, Asked, endpoint, explained
from vision_app.data.sources.hub_download import fetch_all, fetch_card, find_commit, list_files
from vision_app.data.sources.hub_layout import Snapshot, choose, list_snapshot
from vision_app.data.sources.listing import Listing
from vision_app.data.sources.parquet import load_pyarrow
from vision_app.errors import InputError

SCHEME = "hub:"
REFERENCE = re.compile(r"hub:(\w[\w.-]*/\w[\w.-]*)(?:@(\S+))?", re.ASCII)
MARK = "hub.json"  # written last: a folder that has it is whole


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
        with explained(asked):
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
    return _list(folder, FolderFiles(folder).state(_read_mark(folder).containers))


def facts(folder: Path) -> dict[str, str]:
    """Return name, title and origin of a fetched dataset, as fields of Dataset; the name holds the commit."""
    found = _read_mark(folder)
    return {
        "name": f"{SCHEME}{found.repository}@{found.commit}",
        "title": found.repository,
        "description": f"From the Hugging Face Hub, at commit {found.commit[:7]}.",
        "licence": found.licence or "not stated",
        "citation": f"{found.repository}, Hugging Face Hub, commit {found.commit}",
        "homepage": f"{endpoint()}/datasets/{found.repository}/tree/{found.commit}",
    }


@lru_cache(4)
def _list(folder: Path, state: bytes) -> tuple[Listing, Files]:
    """List what is there; `state` is part of the key because files may be replaced."""
    return list_snapshot(folder, _read_mark(folder))


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
    if commit and is_fetched(folder) and all((folder / name).is_file() for name in _read_mark(folder).containers):
        return folder
    return None


def _download(asked: Asked, progress: Progress | None) -> Path:
    commit = find_commit(asked, _references(asked).get(asked.revision, asked.revision))
    files = list_files(asked, commit, progress)
    folder = asked.home / commit
    clear_parts(folder)
    snapshot = choose(asked.repository, commit, files.keys(), fetch_card(asked, commit, files))
    if snapshot.kind == "parquet":
        load_pyarrow()  # which may be missing: to be told before the download
    fetch_all(asked, commit, [files[path] for path in snapshot.paths], progress)
    with explained(asked):
        put(folder / MARK, json.dumps(asdict(snapshot)).encode())
        put(asked.home / "revisions.json", json.dumps(_references(asked) | {asked.revision: commit}).encode())
    return folder
