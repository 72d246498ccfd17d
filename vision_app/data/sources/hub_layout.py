"""How a repository of the Hugging Face Hub holds a dataset: Parquet files, or class folders and zips of them."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from vision_app.data.images import Files, FolderFiles, ZipFiles
from vision_app.data.sources import archives
from vision_app.data.sources.listing import SPLIT_NAMES, Listing, is_picture, list_class_folders
from vision_app.data.sources.parquet_columns import read_features
from vision_app.data.sources.parquet_listing import list_tables
from vision_app.data.sources.parquet_tables import choose_tables
from vision_app.errors import InputError

ASIDE = ("assets", "docs", "figures")  # folders of a repository whose pictures are for its README


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

    @property
    def paths(self) -> list[str]:
        """All files of it."""
        return [path for own in self.parts.values() for path in own]

    @property
    def containers(self) -> list[str]:
        """The files that hold many pictures."""
        return self.paths if self.kind == "parquet" else [path for path in self.paths if path.endswith(".zip")]


def choose(repository: str, commit: str, paths: Collection[str], card: dict[str, Any]) -> Snapshot:
    """Say which files of a commit make the dataset.

    Args:
        paths: all files.
        card: the metadata at the top of the README.

    Raises:
        InputError: it has neither Parquet files nor pictures.
    """
    licence = card.get("license") or ""
    licence = ", ".join(map(str, licence)) if isinstance(licence, list) else str(licence)
    tables = choose_tables(paths, card)
    if tables.parts:
        features = read_features(card, tables.config)
        return Snapshot(repository, commit, "parquet", tables.parts, features, tables.left_out, licence)
    chosen, left_out = _choose_pictures(repository, paths)
    return Snapshot(repository, commit, "folder", {"all": chosen}, {}, left_out, licence)


def _choose_pictures(repository: str, paths: Collection[str]) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return pictures and zips, and what is left out."""
    zips = {name: name for name in paths if name.endswith(".zip")}
    named = {name: name for name in paths if is_picture(name)}
    pictures = _without_previews(named)
    if not pictures and not zips:
        kinds = sorted({PurePosixPath(name).suffix or name for name in paths})[:8]
        raise InputError(
            f"Expected Parquet files or pictures in class folders in {repository}, got {', '.join(kinds) or 'nothing'}; "
            f"hub:{repository}@refs/convert/parquet is the Hub's own conversion, if it made one."
        )
    aside = len(named) - len(pictures)
    return tuple(pictures | zips), {"outside of the dataset's folders": aside} if aside else {}


@dataclass(frozen=True)
class HubFiles:
    """Pictures of a repository, plain or in its zips: "train/cat/1.jpg" or "train.zip/cat/1.jpg"."""

    root: Path

    def read(self, name: str) -> bytes:
        """See Files."""
        path, member = _parted(name)
        return ZipFiles(self.root / path).read(member) if member else FolderFiles(self.root).read(path)

    def state(self, names: Sequence[str]) -> bytes:
        """See Files: sizes and times."""
        return FolderFiles(self.root).state(list(dict.fromkeys(_parted(name)[0] for name in names)))


def _parted(name: str) -> tuple[str, str]:
    """Return the file that a picture is in, and its name in there if that is a zip."""
    archive, zipped, member = name.partition(".zip/")
    return (f"{archive}.zip", member) if zipped else (name, "")


def list_snapshot(folder: Path, snapshot: Snapshot) -> tuple[Listing, Files]:
    """Return the pictures of what was fetched into a folder, and where their bytes come from.

    Raises:
        InputError: a file is damaged, or there are no labelled pictures in it.
    """
    if snapshot.kind == "parquet":
        listing, files = list_tables(folder, snapshot.parts, snapshot.features)
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
