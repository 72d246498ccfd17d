"""What the Compare tab's table says: every model with its numbers, ranked only where a rank is honest."""

import html
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from vision_app import readable
from vision_app.errors import InputError
from vision_app.evaluate_run import run_latency
from vision_app.evaluation.compare import COLUMNS, Comparison, ComparisonRow, compare, comparison_rows
from vision_app.figures.curves import RUN_COLOURS
from vision_app.lookup import find
from vision_app.runs import LIVE, Run, list_checkpoints, list_runs

ALL = "all"
MAX_CHOSEN = len(RUN_COLOURS)
RANK_REASON = (
    "Rank counts only among models tested on exactly the same images: 90 % on hard images can be worth more than "
    "99 % on easy ones."
)
EMPTY = "No models yet. Start one in the Train tab: digits takes about 10 seconds."


@dataclass(frozen=True)
class TableColumn:
    """One column of the table: its field in ComparisonRow, how it is explained, and what is first when sorted."""

    field: str
    hint: str = ""
    numeric: bool = True
    largest_first: bool = False


TABLE = (
    TableColumn("name", "Checkpoint or run", numeric=False),
    TableColumn("rank", RANK_REASON),
    TableColumn("test_accuracy", "Share of test images that are recognised", largest_first=True),
    TableColumn("macro_f1", "Mean over the classes of F1, which weighs misses and false alarms", largest_first=True),
    TableColumn("loss", "How surprised the model is by the truth; lower is better"),
    TableColumn("latency_ms", "Median time for one image on this machine, measured now"),
    TableColumn("dataset", "What it was tested on", numeric=False),
    TableColumn("model", "The network", numeric=False),
    TableColumn("parameters", "Numbers that the network has learned"),
    TableColumn("file_bytes", "Size of the file that predictions are served from"),
    TableColumn("training_seconds", "How long the training took"),
    TableColumn("state", "", numeric=False),
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
    return [("All datasets", ALL), *((name, name) for name in sorted({row.dataset for row in rows}))]


def split_choices(rows: Sequence[ComparisonRow], dataset: str = ALL) -> list[tuple[str, str]]:
    """Return the test splits that models of a dataset were tested on: (shown, value)."""
    found = {(row.dataset, row.split_id) for row in narrow(rows, dataset) if row.split_id}
    return [("All test splits", ALL), *((f"{name} test images, {id_[:8]}", id_) for name, id_ in sorted(found))]


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
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError("Expected a list of model names, got something else; choose rows of the table.")
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


def table_value(listing: Listing, shown: Sequence[ComparisonRow], chosen: Sequence[str]) -> dict[str, Any]:
    """Return the table for compare_table.js: texts as people read them, and the plain values that it sorts by.

    Args:
        listing: all models.
        shown: the rows to show, in order.
        chosen: names to begin with as chosen.
    """
    tested = Counter((row.dataset, row.split_id) for row in listing.comparison.rows if row.rank)
    columns = [
        {
            "field": column.field,
            "title": COLUMNS[column.field][0],
            "hint": column.hint,
            "numeric": column.numeric,
            "largestFirst": column.largest_first,
        }
        for column in TABLE
    ]
    return {
        "columns": columns,
        "rows": [_cells(row, tested[row.dataset, row.split_id]) for row in shown],
        "names": listing.names,
        "chosen": list(chosen),
        "limit": MAX_CHOSEN,
        "colours": RUN_COLOURS,
        "empty": "No model passes the filter." if listing.names else EMPTY,
        "sent": time.time_ns(),  # a page ignores a value that equals its last one, but must write the choice into the address
    }


def note_html(listing: Listing) -> str:
    """Return the sentences below the table."""
    notes = [RANK_REASON] if listing.names else []
    if any(row.state in LIVE for row in listing.comparison.rows):
        notes.append("A training is under way, so latencies measured now are longer than on an idle machine.")
    if listing.unreadable:
        notes.append(f"Left out, because their files are damaged: {', '.join(listing.unreadable)}.")
    return f'<p class="vw-note">{html.escape(" ".join(notes))}</p>' if notes else ""


def selection(listing: Listing, chosen: Sequence[str], dataset: str = ALL, split: str = ALL) -> Comparison:
    """Return what is downloaded and drawn: the chosen rows, or, when none is, those that pass the filter."""
    rows = listing.comparison.rows
    by_name = {row.name: row for row in rows}
    picked = [by_name[name] for name in chosen if name in by_name]
    return Comparison(rows=tuple(picked or narrow(rows, dataset, split)))


def known_latency(run: Run) -> float | None:
    """Return the latency in milliseconds of a model's present file if it has been measured."""
    return _LATENCIES.get(_file_key(run))


def unmeasured() -> list[Run]:
    """Return the runs that can be measured and have not been: those that have ended and have a file for serving."""
    return [run for run in _all_runs().values() if _is_ready(run) and _file_key(run) not in _LATENCIES]


def measure(run: Run) -> float | None:
    """Measure a model's latency in milliseconds, once a file; one at a time, as two would slow each other."""
    with _MEASURING:
        key = _file_key(run)
        if key not in _LATENCIES:
            try:
                _LATENCIES[key] = run_latency(run)
            except (ValueError, OSError):  # a damaged file has no latency; Classify says what is wrong with it
                _LATENCIES[key] = None
        return _LATENCIES[key]


def latency_cell(milliseconds: float | None) -> dict[str, Any]:
    """Return a latency as a cell of the table."""
    return {"text": readable.milliseconds(milliseconds), "value": milliseconds}


def measured_latency(run: Run) -> float | None:
    """Return the latency of a run, measuring it if need be; None before it can be measured."""
    return measure(run) if _is_ready(run) else None


def _cells(row: ComparisonRow, num_tested: int) -> dict[str, Any]:
    cells = {}
    for column in TABLE:
        value = getattr(row, column.field)
        cells[column.field] = {"text": COLUMNS[column.field][1](value), "value": value}
    if row.rank:
        cells["rank"]["text"] = f"{row.rank} of {num_tested}"
    return cells


def _all_runs() -> dict[str, Run]:
    """Return checkpoints by name, then runs, newest first; a checkpoint hides a run of the same name, as for the CLI."""
    found: dict[str, Run] = {}
    for run in [*list_checkpoints(), *list_runs()]:
        found.setdefault(run.name, run)
    return found


def _is_ready(run: Run) -> bool:
    try:
        return run.tflite_file.exists() and run.status().state not in LIVE
    except (ValueError, OSError):
        return False


def _file_key(run: Run) -> tuple[str, int]:
    try:
        return str(run.path), run.tflite_file.stat().st_mtime_ns
    except OSError:
        return str(run.path), 0


_LATENCIES: dict[tuple[str, int], float | None] = {}
_MEASURING = threading.Lock()
