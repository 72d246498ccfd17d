"""What the Compare tab knows: every model with its numbers, ranked only where a rank is honest, filtered and chosen."""

import html
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from vision_app.errors import InputError
from vision_app.evaluation.compare import Comparison, ComparisonRow, compare, comparison_rows
from vision_app.figures.curves import RUN_COLOURS
from vision_app.lookup import find
from vision_app.runs import LIVE, Run, list_checkpoints, list_runs
from vision_app.ui.compare_latency import is_unmeasured, known_latency
from vision_app.ui.run_names import dataset_title

ALL = "all"
MAX_CHOSEN = len(RUN_COLOURS)
RANK_REASON = (
    "Rank counts only among models tested on exactly the same images: 90 % on hard images can be worth more than "
    "99 % on easy ones."
)


@dataclass(frozen=True)
class Listing:
    """All models, ranked, and the names of those whose files cannot be read."""

    comparison: Comparison
    unreadable: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of all models, in the table's order."""
        return [row.name for row in self.comparison.rows]


def list_all() -> Listing:
    """Read every checkpoint and run; latencies are those measured so far."""
    rows, unreadable = [], []
    for run in _all_runs().values():
        try:
            rows += comparison_rows([run], known_latency)
        except (ValueError, OSError):
            unreadable.append(run.name)
    return Listing(compare(rows), tuple(unreadable))


def narrow(rows: Sequence[ComparisonRow], dataset: str = ALL, split: str = ALL) -> list[ComparisonRow]:
    """Return the rows of one dataset and of one test split; their ranks stay."""
    return [row for row in rows if dataset in (ALL, row.dataset) and split in (ALL, row.split_id)]


def dataset_choices(rows: Sequence[ComparisonRow]) -> list[tuple[str, str]]:
    """Return what the dataset filter offers: (shown, value)."""
    return [("All datasets", ALL), *((dataset_title(name), name) for name in sorted({row.dataset for row in rows}))]


def split_choices(rows: Sequence[ComparisonRow], dataset: str = ALL) -> list[tuple[str, str]]:
    """Return the test splits that models of a dataset were tested on: (shown, value)."""
    found = {(row.dataset, row.split_id): row.test_images for row in narrow(rows, dataset) if row.split_id}
    shown = {(name, id_): _split_title(name, found[name, id_], dataset == ALL) for name, id_ in sorted(found)}
    alike = Counter(shown.values())
    # Only where the words do not tell two splits apart, the hash does.
    named = ((f"{text}, {id_[:8]}" if alike[text] > 1 else text, id_) for (_, id_), text in shown.items())
    return [("All test splits", ALL), *named]


def kept(value: str, choices: Sequence[tuple[str, str]]) -> str:
    """Return a filter's value if it is offered, else the one that filters nothing."""
    return value if value in [each for _, each in choices] else ALL


def chosen_in(address: dict[str, str], names: Iterable[str]) -> list[str]:
    """Return the models that the address names as `models=a,b`, of those there are."""
    asked = [unquote(part) for part in address.get("models", "").split(",")]
    known = set(names)
    return [name for name in dict.fromkeys(asked) if name in known][:MAX_CHOSEN]


def check_chosen(names: object) -> list[str]:
    """Return a choice of rows that came from the browser.

    Raises:
        InputError: it is not a list of at most MAX_CHOSEN known names.
    """
    names = _check_names(names)
    if len(names) > MAX_CHOSEN:
        raise InputError(f"Expected at most {MAX_CHOSEN} models side by side, got {len(names)}; remove some.")
    return [run.name for run in find_runs(names)]


def find_runs(names: Iterable[str]) -> list[Run]:
    """Return runs and checkpoints by their plain names; no paths are opened.

    Raises:
        InputError: there is none of that name.
    """
    table = _all_runs()
    return [find(table, name, "model") for name in dict.fromkeys(names)]


def unmeasured() -> list[Run]:
    """Return the runs whose latency can be measured and has not been."""
    return [run for run in _all_runs().values() if is_unmeasured(run)]


def note_html(listing: Listing) -> str:
    """Return the sentences below the table."""
    notes = [RANK_REASON] if listing.names else []
    if any(row.state in LIVE for row in listing.comparison.rows):
        notes.append("A training is under way, so latencies measured now are longer than on an idle machine.")
    if listing.unreadable:
        notes.append(f"Left out, because their files are damaged: {', '.join(listing.unreadable)}.")
    return f'<p class="vw-note">{html.escape(" ".join(notes))}</p>' if notes else ""


def selection(listing: Listing, chosen: Sequence[str], dataset: str = ALL, split: str = ALL) -> Comparison:
    """Return what is drawn and downloaded: the chosen rows, or, when none is, those that pass the filter."""
    return Comparison(rows=_rows(listing, chosen) or tuple(narrow(listing.comparison.rows, dataset, split)))


def in_order(listing: Listing, names: object) -> Comparison:
    """Return the rows in the order in which the browser shows them; models that have gone since are left out.

    Raises:
        InputError: it is not a list of names.
    """
    return Comparison(rows=_rows(listing, _check_names(names)))


def _rows(listing: Listing, names: Iterable[str]) -> tuple[ComparisonRow, ...]:
    by_name = {row.name: row for row in listing.comparison.rows}
    return tuple(by_name[name] for name in dict.fromkeys(names) if name in by_name)


def _check_names(names: object) -> list[str]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError("Expected a list of model names, got something else; choose rows of the table.")
    return names


def _split_title(dataset: str, count: int | None, with_dataset: bool) -> str:
    title = "test" if count is None else f"test, {count:,} images"
    return f"{dataset_title(dataset)}: {title}" if with_dataset else title


def _all_runs() -> dict[str, Run]:
    """Return checkpoints by name, then runs, newest first; a checkpoint hides a run of the same name, as for the CLI."""
    found: dict[str, Run] = {}
    for run in [*list_checkpoints(), *list_runs()]:
        found.setdefault(run.name, run)
    return found
