"""The sets that a person added, by a name of their own: one small file in the data folder."""

import json
import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from vision_app.data.download import data_root, put
from vision_app.errors import InputError


@dataclass(frozen=True)
class Added:
    """One added set: its name, its title, and the path that it is at."""

    name: str
    title: str
    reference: str


def list_added() -> list[Added]:
    """Return the added sets in the order in which they were added.

    Raises:
        InputError: the file that lists them is damaged.
    """
    try:
        rows = [Added(**row) for row in json.loads(_file().read_text(encoding="utf-8"))]
        if not all(isinstance(value, str) and value for row in rows for value in asdict(row).values()):
            raise ValueError("a row without a name or a place")
        return rows
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"The list of added datasets, {_file()}, is damaged; correct or delete it.") from error


def find_added(name: object) -> Added | None:
    """Return the added set of this name, or None."""
    return next((row for row in list_added() if row.name == name), None)


def find_added_from(reference: str) -> Added | None:
    """Return the added set that is at a place or is that of the Hub, or None."""
    same = {reference, os.path.abspath(reference)}
    return next((row for row in list_added() if {row.reference, os.path.abspath(row.reference)} & same), None)


def add(reference: Path | str, title: str, taken: set[str]) -> Added:
    """Remember a set under a name made from its title.

    Args:
        reference: its path, or "hub:owner/name@revision".
        title: what a person calls it.
        taken: names that it must not have.
    """
    rows = [row for row in list_added() if row.reference != str(reference)]
    base = re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:40] or "dataset"
    taken = taken | {row.name for row in rows}
    name = next(name for name in (base, *(f"{base}_{number}" for number in range(2, 10_000))) if name not in taken)
    added = Added(name, title.strip()[:80] or name, str(reference))
    _write([*rows, added])
    return added


def remove(name: str) -> None:
    """Forget an added set; its files stay where they are.

    Raises:
        InputError: there is none of this name.
    """
    rows = list_added()
    if name not in [row.name for row in rows]:
        raise InputError(f"There is no added dataset '{name}'.")
    _write([row for row in rows if row.name != name])


def _write(rows: list[Added]) -> None:
    put(_file(), json.dumps([asdict(row) for row in rows], indent=2).encode())


def _file() -> Path:
    return data_root() / "added.json"
