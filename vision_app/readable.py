"""Numbers and tables as people read them: 99.53 %, 1.2 M, 12.3 ms; and tables as a spreadsheet reads them."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

MISSING = "-"
# A spreadsheet runs a cell that starts with one of these as a formula (OWASP ASVS 1.2.10).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def percent(share: float | None) -> str:
    """Return a share of 0..1 in percent: 0.9953 -> "99.53 %"."""
    return MISSING if share is None else f"{100 * share:.2f} %"


def number(value: float | None) -> str:
    """Return a number with four significant digits: 0.01234567 -> "0.01235", 4.1e12 -> "4.1e12"."""
    return MISSING if value is None else tidy(f"{value:.4g}")


def tidy(text: str) -> str:
    """Return a formatted number without what its exponent does not need: "4.10e+12" -> "4.1e12", "1e-05" -> "1e-5"."""
    return re.sub(r"\.?0*e\+?(-?)0*", r"e\1", text)


def count(value: int | None) -> str:
    """Return a count with its magnitude: 1234567 -> "1.2 M"."""
    return MISSING if value is None else _scaled(value, ("", " k", " M", " G"))


def file_size(num_bytes: int | None) -> str:
    """Return a size in decimal units: 1234567 -> "1.2 MB"."""
    return MISSING if num_bytes is None else _scaled(num_bytes, (" B", " kB", " MB", " GB"))


def milliseconds(value: float | None) -> str:
    """Return a short time with three significant digits: 12.345 -> "12.3 ms"."""
    if value is None:
        return MISSING
    return f"{value:.0f} ms" if value >= 100 else f"{value:.3g} ms"


def duration(seconds: float | None) -> str:
    """Return a long time: 7384 -> "2 h 03 min"."""
    if seconds is None:
        return MISSING
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest:02d} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"


def age(seconds: float) -> str:
    """Return how long ago something was in its largest unit, so that it seldom changes: 7384 -> "2 hours"."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            number_of = int(seconds // length)
            return f"{number_of} {unit}{'s' * (number_of > 1)}"
    return "just now"


def guessed_duration(seconds: float | None) -> str:
    """Return a time that is only guessed, no finer than anybody can know it: 672 -> "about 11 min"."""
    if seconds is None:
        return MISSING
    if seconds < 115:
        step = 5 if seconds < 57.5 else 10
        minutes, rest = divmod(max(step, step * round(seconds / step)), 60)
        return "about " + " ".join([f"{minutes} min"] * (minutes > 0) + [f"{rest} s"] * (rest > 0))
    minutes = round(seconds / 60)
    return f"about {minutes} min" if minutes < 60 else f"about {minutes // 60} h {minutes % 60 // 5 * 5:02d} min"


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an aligned plain table; columns whose cells all start with a digit or are missing stand on the right."""
    cells = [[" ".join(str(cell).split()) for cell in row] for row in rows]
    columns = [_aligned(column) for column in zip(header, *cells, strict=True)]
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def csv_table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return CSV with a header line; numbers stay numbers, None is empty, text that would run as a formula gets a '."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
    writer.writerows([_harmless(cell) for cell in row] for row in (header, *rows))
    return lines.getvalue()


def _harmless(cell: Any) -> Any:
    runs = isinstance(cell, str) and (cell.startswith(FORMULA_STARTS) or cell.lstrip().startswith(FORMULA_STARTS))
    return f"'{cell}" if runs else cell


def _aligned(column: Sequence[str]) -> list[str]:
    """Return a column's title, a rule and its cells, padded to one width."""
    cells = column[1:]
    width = max(len(cell) for cell in column)
    numeric = bool(cells) and all(cell[:1].isdigit() or cell == MISSING for cell in cells)
    padded = [cell.rjust(width) if numeric else cell.ljust(width) for cell in column]
    return [padded[0], "-" * width, *padded[1:]]


def _scaled(value: float, units: Sequence[str]) -> str:
    magnitude = 0
    while round(value, 1) >= 1000 and magnitude < len(units) - 1:
        value, magnitude = value / 1000, magnitude + 1
    return f"{value:.1f}{units[magnitude]}" if magnitude else f"{value:.0f}{units[0]}"
