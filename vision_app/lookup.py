"""Finding a row in a table by name."""

import difflib
from collections.abc import Mapping
from typing import TypeVar

from vision_app.errors import InputError

Row = TypeVar("Row")
LISTED = 15  # known names that a message has room for


def find(table: Mapping[str, Row], name: str, what: str) -> Row:
    """Return the row of `table` called `name`.

    Args:
        table: rows by name.
        name: the name asked for.
        what: what a row is, for the message: "model", "dataset", ...

    Raises:
        InputError: there is no such row; the message names the nearest and the first of the known ones.
    """
    if isinstance(name, str) and name in table:
        return table[name]
    near = difflib.get_close_matches(str(name), table, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    rest = f" and {len(table) - LISTED} more" if len(table) > LISTED else ""
    raise InputError(f"Unknown {what} '{name}'.{hint} Known: {', '.join(list(table)[:LISTED])}{rest}.")
