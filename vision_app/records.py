"""Files of one JSON document a line, which grow while others read them: what has been read is not parsed again."""

import json
import threading
import zlib
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

REMEMBERED = 32  # files
Record = dict[str, Any]


@dataclass
class _Read:
    """What has been read of a file: its whole lines, how far they reach, and their checksum, to know the file again."""

    records: list[Record] = field(default_factory=list)
    end: int = 0
    checksum: int = 0


_READ: OrderedDict[Path, _Read] = OrderedDict()
_LOCK = threading.Lock()


def read_records(file: Path) -> list[Record]:
    """Return a file's documents, without what cannot be read: a writer that was killed leaves half a line.

    The list is the caller's own, the documents are not: other readers get the same.
    """
    with _LOCK:
        known = _READ.pop(file, None)
        try:
            content = file.read_bytes()
        except FileNotFoundError:
            return []
        if known is None or zlib.crc32(content[: known.end]) != known.checksum:
            known = _Read()
        *whole, begun = content[known.end :].split(b"\n")
        for line in whole:
            known.records += _parsed(line)
        known.end = len(content) - len(begun)
        known.checksum = zlib.crc32(content[: known.end])
        _READ[file] = known
        if len(_READ) > REMEMBERED:
            _READ.popitem(last=False)
        return known.records + _parsed(begun)


def _parsed(line: bytes) -> list[Record]:
    with suppress(ValueError, RecursionError):
        record = json.loads(line.decode(errors="replace"))
        return [record] if isinstance(record, dict) else []
    return []
