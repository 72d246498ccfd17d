"""Pictures in Parquet files, as datasets of the Hugging Face Hub keep them: read row group by row group, never as a whole."""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import accumulate
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING

from vision_app.data.sources.listing import ORDER
from vision_app.data.sources.parquet_columns import has_field
from vision_app.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

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
        with understood(table.path, self.root):
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
    return pc.struct_field(column, [0]) if has_field(column.type, "bytes") else column


@contextmanager
def understood(path: str, root: Path) -> Iterator[None]:
    """Turn what pyarrow raises for a damaged file into a sentence."""
    load_pyarrow()
    import pyarrow as pa

    try:
        yield
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, KeyError, IndexError, MemoryError) as error:
        raise InputError(f"{path} is damaged or missing; delete {root / path} to fetch it again.") from error
