"""Which Parquet files of a repository make a dataset, and their splits: from their names and the repository's card."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vision_app.data.sources.listing import ORDER, SPLIT_NAMES

SPLITS = SPLIT_NAMES | {"evaluation": "test"}
SHARD = re.compile(r"(?:.*/)?([^/]+)-\d{5}-of-\d{5}[^/]*")  # what push_to_hub writes: train-00000-of-00002.parquet
CONVERTED = re.compile(r"([^/]+)/(?:partial-)?([^/]+)/\d{4,}\.parquet")  # what the Hub's own conversion writes


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
