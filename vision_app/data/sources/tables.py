"""A CSV of pictures: path,label and perhaps split; paths are relative to the CSV's own folder."""

import csv
from pathlib import Path

from vision_app.data.sources.listing import Listing, list_rows
from vision_app.errors import InputError

PATH_COLUMNS = ("path", "file", "filename", "image", "filepath")
LABEL_COLUMNS = ("label", "class", "category", "target")
SPLIT_COLUMNS = ("split", "subset", "set")


def list_table(path: Path) -> Listing:
    """Return the pictures that a CSV names.

    Raises:
        InputError: it is no such table, or names files outside its folder.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"Expected a CSV in UTF-8 with the columns path,label; cannot read {path.name}.") from error
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    columns = [_find(header, names) for names in (PATH_COLUMNS, LABEL_COLUMNS, SPLIT_COLUMNS)]
    if columns[0] is None or columns[1] is None:
        raise InputError(f"Expected a first row path,label in {path.name}, got '{','.join(header)[:80]}'.")
    members = []
    for number, row in enumerate(rows[1:], 2):
        name, label, split = (
            row[column].strip() if column is not None and column < len(row) else "" for column in columns
        )
        if not name or not label:
            raise InputError(f"Expected a path and a label in row {number} of {path.name}, got '{','.join(row)[:80]}'.")
        members.append((_inside(path, name, number), label, split))
    return list_rows(members, path.name)


def _find(header: list[str], names: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _inside(path: Path, name: str, number: int) -> str:
    """Return a path relative to the CSV's folder, and refuse one that leads out of it."""
    try:
        target = (path.parent / name.replace("\\", "/")).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # a zero byte, or a link to itself
        raise InputError(
            f"Expected the path of a picture in row {number} of {path.name}, got {name[:80]!r}."
        ) from error
    if not target.is_relative_to(path.parent.resolve()):
        raise InputError(f"Expected paths inside the folder of {path.name}, got '{name[:80]}' in row {number}.")
    return target.relative_to(path.parent.resolve()).as_posix()
