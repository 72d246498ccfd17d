"""What a search tries: the values of each field, listed or drawn at random, and how they are put together."""

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from vision_app.config import named, parse_value
from vision_app.errors import InputError
from vision_app.lookup import find

MAX_RUNS = 50
LARGEST = 1e300  # beyond it, drawing overflows


@dataclass(frozen=True)
class Distribution:
    """A kind of random numbers: `make` gives, for its ends, what scikit-learn draws from."""

    name: str
    make: Callable[[float, float], Any]
    smallest: float = float("-inf")
    largest: float = float("inf")


def _loguniform(low: float, high: float) -> Any:
    from scipy.stats import loguniform

    return loguniform(low, high)


def _uniform(low: float, high: float) -> Any:
    from scipy.stats import uniform

    return uniform(low, high - low)


def _integers(low: float, high: float) -> Any:
    from scipy.stats import randint

    return randint(int(low), int(high) + 1)


DISTRIBUTIONS = {
    row.name: row
    for row in (
        Distribution("loguniform", _loguniform, smallest=1e-300),
        Distribution("uniform", _uniform),
        Distribution("integers", _integers, smallest=-(2.0**31), largest=2.0**31),
    )
}
_DRAWN = re.compile(r"\s*(\w+)\(([^,()]*),([^,()]*)\)\s*")


def is_drawn(text: str) -> bool:
    """Whether a value is one to draw: "loguniform(1e-4, 0.1)"."""
    return _DRAWN.fullmatch(text) is not None


def read_choices(field: str, text: str) -> Any:
    """Return what to try for a field: a list of values, or something to draw them from.

    Args:
        field: its name.
        text: "0.01, 0.1"; with values that have commas themselves, "flip,zoom | none"; or "loguniform(1e-4, 0.1)".

    Raises:
        InputError: there is nothing to try, or the ends of a distribution are impossible.
    """
    if found := _DRAWN.fullmatch(text):
        return _read_distribution(field, *found.groups())
    parts = [part.strip() for part in text.split("|" if "|" in text else ",")]
    if not all(parts):
        raise InputError(f"Expected values to try for {named(field)}, got '{text}'; write for example 0.01, 0.1.")
    return list({repr(value): value for value in map(parse_value, parts)}.values())


def combine(choices: Mapping[str, Any], num_random: int | None, seed: int) -> list[dict[str, Any]]:
    """Return all combinations of listed values, or so many drawn at random.

    Args:
        choices: by field, as `read_choices` gives them.
        num_random: how many to draw; None: all there are.
        seed: of the draw.

    Raises:
        InputError: there are too many, or what is drawn has no number.
    """
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    if not isinstance(seed, int) or not 0 <= seed < 2**31:
        raise InputError(f"Expected a seed from 0 to {2**31 - 1:,}, got {seed!r}; choose another.")
    drawn = [field for field, values in choices.items() if not isinstance(values, list)]
    if num_random is None:
        if drawn:
            raise InputError(f"{named(drawn[0])} is to be picked at random; say how many runs to pick.")
        grid = ParameterGrid(dict(choices))
        if len(grid) > MAX_RUNS:
            raise InputError(
                f"These are {len(grid):,} combinations, more than {MAX_RUNS}; try fewer values, or pick some at random."
            )
        return [_in_order(choices, found) for found in grid]
    if not 1 <= num_random <= MAX_RUNS:
        raise InputError(f"Expected 1 to {MAX_RUNS} runs to pick, got {num_random}; choose another number.")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The total space of parameters")  # fewer than asked for: all are taken
        return [_in_order(choices, found) for found in ParameterSampler(dict(choices), num_random, random_state=seed)]


def _read_distribution(field: str, name: str, *ends: str) -> Any:
    row = find(DISTRIBUTIONS, name, "distribution")
    low, high = map(parse_value, ends)
    if not all(isinstance(end, int | float) for end in (low, high)) or not row.smallest <= low < high <= min(
        row.largest, LARGEST
    ):
        above = " above 0" if row.smallest > 0 else ""
        raise InputError(
            f"Expected two rising numbers{above} for {named(field)}, got {name}({', '.join(map(str.strip, ends))})."
        )
    return row.make(low, high)


def _in_order(choices: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """Return a combination in the order in which its fields were named; drawn numbers no finer than people read them."""
    return {field: _plain(found[field]) for field in choices}


def _plain(value: Any) -> Any:
    if hasattr(value, "item"):
        value = value.item()
        return float(f"{value:.3g}") if isinstance(value, float) else value
    return value
