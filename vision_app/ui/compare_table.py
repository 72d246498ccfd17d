"""What compare_table.js draws: the columns, and every model as people read it and as it is sorted."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vision_app.evaluation.compare import COLUMNS, ComparisonRow
from vision_app.figures.curves import RUN_COLOURS
from vision_app.ui.compare_view import MAX_CHOSEN, RANK_REASON, Listing
from vision_app.ui.run_names import dataset_title, model_title

EMPTY = "No models yet. Start one in the Train tab: digits is the quickest."


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


def table_value(
    listing: Listing, shown: Sequence[ComparisonRow], chosen: Sequence[str], address: Mapping[str, str]
) -> dict[str, Any]:
    """Return the table for compare_table.js: texts as people read them, and the plain values that it sorts by.

    Args:
        listing: all models.
        shown: the rows to show, in order.
        chosen: names to begin with as chosen.
        address: what the filters are in the page's address; an empty one is left out of it.
    """
    tested = Counter((row.dataset, row.split_id) for row in listing.comparison.rows if row.rank)
    return {
        "columns": [_head(column) for column in TABLE],
        "rows": [_cells(row, tested[row.dataset, row.split_id]) for row in shown],
        "names": listing.names,
        "chosen": list(chosen),
        "address": dict(address),
        "limit": MAX_CHOSEN,
        "colours": RUN_COLOURS,
        "empty": "No model passes the filter." if listing.names else EMPTY,
        "sent": time.time_ns(),  # a page ignores a value that equals its last one, but must write the choice into the address
    }


def latency_cell(milliseconds: float | None) -> dict[str, Any]:
    """Return a latency as a cell of the table."""
    return {"text": COLUMNS["latency_ms"][1](milliseconds), "value": milliseconds}


def _head(column: TableColumn) -> dict[str, Any]:
    return {
        "field": column.field,
        "title": COLUMNS[column.field][0],
        "hint": column.hint,
        "numeric": column.numeric,
        "largestFirst": column.largest_first,
    }


def _cells(row: ComparisonRow, num_tested: int) -> dict[str, Any]:
    """Return a row's cells; what is shown by its title has the name that one types as a tooltip."""
    cells = {}
    for column in TABLE:
        value = getattr(row, column.field)
        cells[column.field] = {"text": COLUMNS[column.field][1](value), "value": value}
    if row.rank:
        cells["rank"]["text"] = f"{row.rank} of {num_tested}"
    cells["state"]["text"] = (row.state or "").capitalize()
    for field, title, hint in (
        ("dataset", dataset_title(row.dataset), _tested_on(row)),
        ("model", model_title(row.model), row.model),
    ):
        cells[field] = {"text": title, "value": title, "hint": hint}
    return cells


def _tested_on(row: ComparisonRow) -> str:
    """Return the dataset's name, and for a tested model which images exactly it was tested on."""
    if row.split_id is None:
        return row.dataset
    count = "" if row.test_images is None else f", {row.test_images:,} images"
    return f"{row.dataset}: test{count}, split {row.split_id[:8]}"
