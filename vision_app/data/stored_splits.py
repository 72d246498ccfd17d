"""How a person had a set divided: kept beside the data, written whole or not at all."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vision_app.data.download import data_root, put
from vision_app.data.splits import SplitRule
from vision_app.errors import InputError


@dataclass(frozen=True)
class Division:
    """Positions by split, in the set as published with all its parts in a row, and the rule that they were made by."""

    rule: SplitRule
    count: int
    split_of: tuple[str, ...]  # of each image: "train", "validation", "test" or "" for none

    def positions(self, count: int) -> dict[str, np.ndarray]:
        """Return sorted positions by split.

        Raises:
            InputError: the set has another number of images than when it was divided.
        """
        if count != self.count:
            raise InputError(
                f"The set had {self.count:,} images when it was divided and has {count:,} now; divide it again with --force."
            )
        of = np.array(self.split_of)
        return {split: np.flatnonzero(of == split) for split in ("train", "validation", "test") if (of == split).any()}


def division_file(path: Path) -> Path:
    """Return where the division of the set at a path is kept."""
    name = f"{path.stem[:40]}-{hashlib.sha256(str(path).encode(errors='surrogateescape')).hexdigest()[:12]}.json"
    return data_root() / "splits" / name


def read_division(path: Path) -> Division | None:
    """Return the stored division of the set at a path, or None.

    Raises:
        InputError: the file is damaged.
    """
    file = division_file(path)
    try:
        values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        names = {"t": "train", "v": "validation", "e": "test", "-": ""}
        split_of = tuple(names[letter] for letter in values["split_of"])
        if values["count"] != len(split_of) or not {"train", "test"} <= set(split_of):
            raise ValueError("it does not fit itself")
        return Division(SplitRule(**values["rule"]), len(split_of), split_of)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"The division in {file} is damaged; delete it, or divide the set again with --force."
        ) from error


def write_division(path: Path, rule: SplitRule, positions: dict[str, np.ndarray], count: int) -> Path:
    """Keep a division and return its file."""
    letters = np.full(count, "-")
    for split, letter in (("train", "t"), ("validation", "v"), ("test", "e")):
        letters[positions.get(split, [])] = letter
    text = json.dumps({"dataset": str(path), "rule": asdict(rule), "count": count, "split_of": "".join(letters)})
    try:
        put(division_file(path), text.encode())
    except OSError as error:
        raise InputError(
            f"Cannot write to the data folder, {data_root()} ({error.strerror}); set VISION_APP_DATA."
        ) from error
    return division_file(path)
