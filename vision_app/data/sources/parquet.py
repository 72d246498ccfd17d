"""Pictures in Parquet files, as datasets of the Hugging Face Hub keep them: read row group by row group, never as a whole."""

import json
import re
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_app.data.sources.listing import ORDER, SPLIT_NAMES, SUFFIXES, Listing
from vision_app.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

IMAGE_NAMES = ("image", "img", "picture", "photo", "jpg", "png")
LABEL_NAMES = ("label", "labels", "class", "category", "target", "fine_label", "label_name", "class_name")
SPLITS = SPLIT_NAMES | {"evaluation": "test"}
SHARD = re.compile(r"(?:.*/)?([^/]+)-\d{5}-of-\d{5}[^/]*")  # what push_to_hub writes: train-00000-of-00002.parquet
CONVERTED = re.compile(r"([^/]+)/(?:partial-)?([^/]+)/\d{4,}\.parquet")  # what the Hub's own conversion writes
CACHE_BYTES = 2**28
MAX_GROUP_BYTES = 2**33


def load_pyarrow() -> ModuleType:
    """Return pyarrow.parquet.

    Raises:
        InputError: it is not installed; the app does without it otherwise.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise InputError("Parquet files are read with the optional package pyarrow; pip install pyarrow.") from error
    return pyarrow.parquet


@dataclass(frozen=True)
class Choice:
    """Which Parquet files of a repository make the dataset: the configuration's name, and paths by split."""

    config: str
    parts: dict[str, tuple[str, ...]]
    left_out: dict[str, int]


def choose_tables(paths: Iterable[str], card: dict[str, Any]) -> Choice:
    """Choose the Parquet files that make a dataset, and their splits.

    The card's default configuration decides, else its first; without configurations the names of files and folders do.

    Args:
        paths: all files of a repository.
        card: the metadata at the top of its README.

    Returns:
        Paths by split, or all as "all" where no name tells a split; no parts if there is no Parquet file.
    """
    tables = sorted(path for path in paths if _is_table(path))
    config, named = _configured(tables, card) or _converted(tables) or ("", [(path, _split(path)) for path in tables])
    left_out = {}
    if len(named) < len(tables):
        left_out[f"files outside of the configuration '{config}'"] = len(tables) - len(named)
    parts: dict[str, list[str]] = {}
    for path, split in named:
        parts.setdefault(SPLITS.get(split.lower(), ""), []).append(path)
    others = parts.pop("", [])
    if others and parts:
        left_out["files of other splits"] = len(others)
    elif others:
        parts["all"] = others
    return Choice(config, {split: tuple(parts[split]) for split in ORDER if split in parts}, left_out)


def _is_table(path: str) -> bool:
    hidden = any(part.startswith((".", "_")) for part in path.split("/"))
    return path.lower().endswith(".parquet") and not hidden and not path.endswith("metadata.parquet")


def _split(path: str) -> str:
    """Return the split that a path names, or "": that of a shard exactly, else the innermost word that is one."""
    shard = SHARD.fullmatch(path)
    if shard:
        return shard[1]
    return next((word for word in re.split(r"[^a-z]+", path.lower())[::-1] if word in SPLITS), "")


def _converted(tables: Sequence[str]) -> tuple[str, list[tuple[str, str]]] | None:
    """Read configuration/split/0000.parquet, as on the Hub's branch refs/convert/parquet."""
    found = [CONVERTED.fullmatch(path) for path in tables]
    if not found or None in found:
        return None
    config = "default" if any(match[1] == "default" for match in found) else found[0][1]
    return config, [(match[0], match[2]) for match in found if match[1] == config]


def _configured(tables: Sequence[str], card: dict[str, Any]) -> tuple[str, list[tuple[str, str]]] | None:
    """Return the first of the card's configurations that names Parquet files, the default one before all others."""
    listed = card.get("configs")
    configs = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
    configs.sort(key=lambda row: (not row.get("default"), row.get("config_name") != "default"))
    for row in configs:
        named = {
            path: split or _split(path)
            for split, pattern in _patterns(row)
            for path in tables
            if re.fullmatch(pattern, path)
        }
        if named:
            return str(row.get("config_name", "default")), sorted(named.items())
    return None


def _patterns(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (split or "", regular expression) of a configuration's data files."""
    found = row.get("data_files") or "**"
    base = f"{str(row['data_dir']).strip('/')}/" if row.get("data_dir") else ""
    for item in found if isinstance(found, list) else [found]:
        split, paths = (str(item.get("split", "")), item.get("path")) if isinstance(item, dict) else ("", item)
        for path in paths if isinstance(paths, list) else [paths]:
            text = re.escape(base + str(path).removeprefix("./").strip("/"))
            text = text.replace(r"\*\*/", "(?:.*/)?").replace(r"\*\*", ".*").replace(r"\*", "[^/]*")
            yield split, text.replace(r"\?", "[^/]") + "(?:/.*)?"


def read_features(card: dict[str, Any], config: str) -> dict[str, Any]:
    """Return what a card says of the columns: {"image": their names, "names": {label column: class names}}."""
    infos = card.get("dataset_info")
    infos = [info for info in (infos if isinstance(infos, list) else [infos]) if isinstance(info, dict)]
    info = min(infos, key=lambda info: info.get("config_name") != config, default={})
    image, names = [], {}
    for feature in info.get("features") or []:
        dtype = feature.get("dtype") if isinstance(feature, dict) else None
        if dtype == "image":
            image.append(str(feature.get("name")))
        if isinstance(dtype, dict) and isinstance(dtype.get("class_label"), dict):
            listed = dtype["class_label"].get("names") or []
            listed = list(listed.values()) if isinstance(listed, dict) else listed
            names[str(feature.get("name"))] = [str(name) for name in listed]
    return {"image": image, "names": names}


@dataclass(frozen=True)
class Table:
    """One Parquet file: the split it belongs to, its path below the root, and its number of rows."""

    split: str
    path: str
    rows: int


@dataclass(frozen=True)
class ParquetFiles:
    """The pictures in Parquet files, by names like "train/000123.jpg": the row's number in its split.

    Args:
        root: the folder of the files.
        leaf: the column of the bytes, "image" or "image.bytes".
        tables: the files in the order in which their rows are numbered.
    """

    root: Path
    leaf: str
    tables: tuple[Table, ...]

    def read(self, name: str) -> bytes:
        """See Files."""
        table, row = self._find(name)
        with _understood(table.path, self.root):
            content = _GROUPS.read(self.root / table.path, self.leaf, row)
        if not isinstance(content, bytes):
            raise InputError(f"Cannot read {name}: its row of {table.path} holds no picture.")
        return content

    def state(self, names: Sequence[str]) -> bytes:
        """See Files: sizes and times of the Parquet files."""
        found = [(self.root / table.path).stat() for table in self.tables]
        return b"".join(b"%d %d " % (stat.st_size, stat.st_mtime_ns) for stat in found)

    @cached_property
    def _by_split(self) -> dict[str, tuple[list[Table], list[int]]]:
        """Files of each split, and the number of the first row of each."""
        tables = {split: [table for table in self.tables if table.split == split] for split in ORDER}
        return {split: (rows, list(accumulate((t.rows for t in rows), initial=0))) for split, rows in tables.items()}

    def _find(self, name: str) -> tuple[Table, int]:
        split, _, file = name.partition("/")
        tables, starts = self._by_split.get(split, ([], [0]))
        number = PurePosixPath(file).stem
        if not number.isdecimal() or int(number) >= starts[-1]:
            raise InputError(f"Cannot read {name}: there is no such picture.")
        index = bisect_right(starts, int(number)) - 1
        return tables[index], int(number) - starts[index]


class _RowGroups:
    """The row groups that were read last; several threads may ask."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._columns: OrderedDict[tuple[Path, int, str, int], pa.ChunkedArray] = OrderedDict()

    def read(self, path: Path, leaf: str, row: int) -> bytes | None:
        """Return one row's value."""
        time = path.stat().st_mtime_ns
        starts = _group_starts(path, time)
        group = bisect_right(starts, row) - 1
        with self._lock:  # also while reading: what one thread reads, the others mostly want next
            column = self._column((path, time, leaf, group))
        return column[row - starts[group]].as_py()

    def _column(self, key: tuple[Path, int, str, int]) -> "pa.ChunkedArray":
        if key not in self._columns:
            self._columns[key] = _read_group(*key)
            while len(self._columns) > 1 and sum(column.nbytes for column in self._columns.values()) > CACHE_BYTES:
                self._columns.popitem(last=False)
        self._columns.move_to_end(key)
        return self._columns[key]


_GROUPS = _RowGroups()


@lru_cache(512)
def _group_starts(path: Path, time: int) -> list[int]:
    """Return the number of the first row of each row group, and of all rows."""
    found = load_pyarrow().read_metadata(path)
    return list(accumulate((found.row_group(group).num_rows for group in range(found.num_row_groups)), initial=0))


def _read_group(path: Path, time: int, leaf: str, group: int) -> "pa.ChunkedArray":
    import pyarrow.compute as pc

    with load_pyarrow().ParquetFile(path) as file:
        size = file.metadata.row_group(group).total_byte_size
        if size > MAX_GROUP_BYTES:
            raise InputError(f"{path.name} has a row group of {size / 1e9:.0f} GB; 8 GB are read at a time.")
        column = file.read_row_group(group, columns=[leaf]).column(0)
    return pc.struct_field(column, [0]) if _has_field(column.type, "bytes") else column


@contextmanager
def _understood(path: str, root: Path) -> Iterator[None]:
    """Turn what pyarrow raises for a damaged file into a sentence."""
    load_pyarrow()
    import pyarrow as pa

    try:
        yield
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError, MemoryError) as error:
        raise InputError(f"{path} is damaged or missing; delete {root / path} to fetch it again.") from error


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
    numbers = {name: number for number, name in enumerate(classes)}
    splits: dict[str, tuple[tuple[str, ...], np.ndarray]] = {}
    for split in parts:
        own = [row for row in rows if row.table.split == split]
        labels = np.concatenate([row.number(numbers) for row in own])
        suffixes = [suffix for row in own for suffix in row.suffixes]
        kept = np.flatnonzero(labels >= 0)
        if len(kept):
            splits[split] = (tuple(f"{split}/{i:06}{suffixes[i]}" for i in kept.tolist()), labels[kept])
    if len(classes) < 2:
        raise InputError(
            f"Expected at least two classes in the column '{rows[0].label}', got {classes or 'no labels'}."
        )
    unlabelled = sum(row.table.rows for row in rows) - sum(len(labels) for _, labels in splits.values())
    left_out = {"without a label": unlabelled} if unlabelled else {}
    return Listing(classes, splits, left_out), ParquetFiles(root, rows[0].leaf, tuple(row.table for row in rows))


@dataclass(frozen=True)
class _Rows:
    """What a Parquet file says of its pictures: label values by position in `values`, -1 for none."""

    table: Table
    leaf: str
    label: str
    names: tuple[str, ...]
    values: tuple[Any, ...]
    positions: np.ndarray
    suffixes: list[str]

    def title(self, value: Any) -> str | None:
        """Return the class that a value of the label column stands for; None for what means none: null, "", below 0."""
        if not isinstance(value, int) or isinstance(value, bool):
            return str(value) if value not in (None, "") else None
        if self.names and value >= len(self.names):
            raise InputError(
                f"Expected labels 0 to {len(self.names) - 1} in {self.table.path}, got {value}; the set is damaged."
            )
        return None if value < 0 else self.names[value] if self.names else str(value)

    def number(self, numbers: dict[str, int]) -> np.ndarray:
        """Return labels, int64 (n,), with -1 for none."""
        found = [numbers.get(self.title(value), -1) for value in self.values]
        return np.array([*found, -1], np.int64)[self.positions]


def _order_classes(rows: Sequence[_Rows]) -> tuple[str, ...]:
    """Return the classes that have pictures, in the order of the published names, else sorted, numbers by size."""
    found = {row.title(value) for row in rows for value in row.values} - {None}
    published = {name: None for row in rows for name in row.names}
    rest = sorted(
        found - published.keys(), key=lambda name: (not name.isdecimal(), name.zfill(20) if name.isdecimal() else name)
    )
    return (*(name for name in published if name in found), *rest)


def _read_rows(root: Path, split: str, path: str, features: dict[str, Any]) -> _Rows:
    with _understood(path, root), load_pyarrow().ParquetFile(root / path) as file:
        schema = file.schema_arrow
        published = _published_features(schema)
        image = _image_column(schema, [*published["image"], *features["image"]], path)
        label = _label_column(schema, [*published["names"], *features["names"]], path)
        names = published["names"].get(label) or features["names"].get(label) or ()
        values, positions = _encoded(file.read(columns=[label]).column(0))
        kind = schema.field(image).type
        suffixes = _suffixes(file, f"{image}.path") if _has_field(kind, "path") else [""] * len(positions)
        leaf = f"{image}.bytes" if _has_field(kind, "bytes") else image
        return _Rows(Table(split, path, len(positions)), leaf, label, tuple(names), values, positions, suffixes)


def _encoded(column: "pa.ChunkedArray") -> tuple[tuple[Any, ...], np.ndarray]:
    """Return the values of a column, each once, and the position of each row's value, -1 for null."""
    import pyarrow as pa

    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    positions = whole.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    return tuple(whole.dictionary.to_pylist()), positions


def _published_features(schema: "pa.Schema") -> dict[str, Any]:
    """Return what the library `datasets` wrote into a file about its columns, as `read_features` does."""
    try:
        found = json.loads((schema.metadata or {}).get(b"huggingface", b"{}"))["info"]["features"]
        kinds = {name: value.get("_type") for name, value in found.items() if isinstance(value, dict)}
        image = [name for name in kinds if kinds[name] == "Image"]
        labels = [name for name in kinds if kinds[name] == "ClassLabel"]
        return {"image": image, "names": {name: [str(title) for title in found[name]["names"]] for name in labels}}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {"image": [], "names": {}}  # other programs write Parquet too


def _has_field(kind: "pa.DataType", name: str) -> bool:
    import pyarrow as pa

    return pa.types.is_struct(kind) and kind.get_field_index(name) >= 0


def _suffixes(file: Any, leaf: str) -> list[str]:
    """Return the extensions of the original files, "" where there is none that pictures have."""
    rows = file.read(columns=[leaf]).column(0).to_pylist()
    found = (PurePosixPath(str((row or {}).get("path") or "")).suffix.lower() for row in rows)
    return [suffix if suffix in SUFFIXES else "" for suffix in found]


def _image_column(schema: "pa.Schema", published: Sequence[str], path: str) -> str:
    import pyarrow as pa

    def is_binary(kind: pa.DataType) -> bool:
        return pa.types.is_binary(kind) or pa.types.is_large_binary(kind)

    kinds = {field.name: field.type for field in schema}
    able = [
        name
        for name, kind in kinds.items()
        if is_binary(kind) or (_has_field(kind, "bytes") and is_binary(kind.field("bytes").type))
    ]
    return _pick((*published, *IMAGE_NAMES, *able), able, schema, path, "of pictures, binary or {bytes, path}")


def _label_column(schema: "pa.Schema", published: Sequence[str], path: str) -> str:
    import pyarrow as pa

    tests = (pa.types.is_integer, pa.types.is_string, pa.types.is_large_string, pa.types.is_boolean)
    kinds = {field.name: field.type for field in schema if not pa.types.is_nested(field.type)}
    values = {name: getattr(kind, "value_type", kind) for name, kind in kinds.items()}  # of a dictionary: its values
    able = [name for name, kind in values.items() if any(test(kind) for test in tests)]
    wanted = (*sorted(published, key=lambda name: name not in LABEL_NAMES), *LABEL_NAMES)
    return _pick(wanted, able, schema, path, "'label' of whole numbers or class names")


def _pick(wanted: Sequence[str], able: Sequence[str], schema: "pa.Schema", path: str, what: str) -> str:
    """Return the first wanted column that is able to be it."""
    found = next((name for name in wanted if name in able), None)
    if found is None:
        got = ", ".join(f"{field.name} ({str(field.type)[:40]})" for field in schema)[:300] or "no columns"
        raise InputError(f"Expected a column {what}, in {path}; got {got}.")
    return found
