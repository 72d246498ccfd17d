"""Classes, labels and names of the pictures in Parquet files; no picture is read for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_app.data.sources.listing import SUFFIXES, Listing
from vision_app.data.sources.parquet import ParquetFiles, Table, load_pyarrow, understood
from vision_app.data.sources.parquet_columns import Columns, find_columns
from vision_app.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa


def list_tables(
    root: Path, parts: dict[str, tuple[str, ...]], features: dict[str, Any]
) -> tuple[Listing, ParquetFiles]:
    """Read classes, labels and names; no picture is read.

    Args:
        root: the folder of the files.
        parts: split name -> paths of Parquet files.
        features: what the card says of the columns, see `read_features`; the files themselves come first.

    Raises:
        InputError: a file is damaged, or has no column of pictures or of labels.
    """
    rows = [_read_rows(root, split, path, features) for split, paths in parts.items() for path in paths]
    classes = _order_classes(rows)
    if len(classes) < 2:
        label = rows[0].columns.label
        raise InputError(f"Expected at least two classes in the column '{label}', got {classes or 'no labels'}.")
    found = {split: _labelled(split, rows, classes) for split in parts}
    splits = {split: part for split, part in found.items() if part[0]}
    unlabelled = sum(row.table.rows for row in rows) - sum(len(labels) for _, labels in splits.values())
    left_out = {"without a label": unlabelled} if unlabelled else {}
    files = ParquetFiles(root, rows[0].columns.pictures, tuple(row.table for row in rows))
    return Listing(classes, splits, left_out), files


@dataclass(frozen=True)
class _Rows:
    """What a Parquet file says of its pictures: label values by position in `values`, -1 for none."""

    table: Table
    columns: Columns
    values: tuple[Any, ...]
    positions: np.ndarray
    suffixes: list[str]

    def title(self, value: Any) -> str | None:
        """Return the class that a value of the label column stands for; None for what means none: null, "", below 0."""
        if not isinstance(value, int) or isinstance(value, bool):
            return str(value) if value not in (None, "") else None
        names = self.columns.names
        if names and value >= len(names):
            raise InputError(
                f"Expected labels 0 to {len(names) - 1} in {self.table.path}, got {value}; the set is damaged."
            )
        return None if value < 0 else names[value] if names else str(value)

    def number(self, numbers: dict[str, int]) -> np.ndarray:
        """Return labels, int64 (n,), with -1 for none."""
        found = [numbers.get(self.title(value), -1) for value in self.values]
        return np.array([*found, -1], np.int64)[self.positions]


def _labelled(split: str, rows: Sequence[_Rows], classes: tuple[str, ...]) -> tuple[tuple[str, ...], np.ndarray]:
    """Return names and labels of those pictures of a split that have a label."""
    own = [row for row in rows if row.table.split == split]
    numbers = {name: number for number, name in enumerate(classes)}
    labels = np.concatenate([row.number(numbers) for row in own])
    suffixes = [suffix for row in own for suffix in row.suffixes]
    kept = np.flatnonzero(labels >= 0)
    return tuple(f"{split}/{i:06}{suffixes[i]}" for i in kept.tolist()), labels[kept]


def _order_classes(rows: Sequence[_Rows]) -> tuple[str, ...]:
    """Return the classes that have pictures, in the order of the published names, else sorted, numbers by size."""
    found = {row.title(value) for row in rows for value in row.values} - {None}
    published = {name: None for row in rows for name in row.columns.names}
    rest = sorted(
        found - published.keys(), key=lambda name: (not name.isdecimal(), name.zfill(20) if name.isdecimal() else name)
    )
    return (*(name for name in published if name in found), *rest)


def _read_rows(root: Path, split: str, path: str, features: dict[str, Any]) -> _Rows:
    with understood(path, root), load_pyarrow().ParquetFile(root / path) as file:
        columns = find_columns(file.schema_arrow, features, path)
        values, positions = _encoded(file.read(columns=[columns.label]).column(0))
        suffixes = _suffixes(file, columns.paths) if columns.paths else [""] * len(positions)
    return _Rows(Table(split, path, len(positions)), columns, values, positions, suffixes)


def _encoded(column: "pa.ChunkedArray") -> tuple[tuple[Any, ...], np.ndarray]:
    """Return the values of a column, each once, and the position of each row's value, -1 for null."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    positions = whole.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    return tuple(whole.dictionary.to_pylist()), positions


def _suffixes(file: Any, leaf: str) -> list[str]:
    """Return the extensions of the original files, "" where there is none that pictures have."""
    rows = file.read(columns=[leaf]).column(0).to_pylist()
    found = (PurePosixPath(str((row or {}).get("path") or "")).suffix.lower() for row in rows)
    return [suffix if suffix in SUFFIXES else "" for suffix in found]
