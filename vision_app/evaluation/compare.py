"""Several models side by side; only those tested on the same images are ranked against each other."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from pydantic import BaseModel, ConfigDict

from vision_app import readable
from vision_app.evaluation.report import EvaluationReport
from vision_app.keeping import read_mark
from vision_app.runs import Run


def _plain(value: object) -> str:
    return readable.MISSING if value is None else str(value)


def _thousands(value: int | None) -> str:
    return readable.MISSING if value is None else f"{value:,}"


# The same number of decimals down a column, so that the eye compares magnitudes and not lengths.
def _loss(value: float | None) -> str:
    return f"{value:.4f}" if value is not None and abs(value) < 1e4 else readable.number(value)


def _milliseconds(value: float | None) -> str:
    return readable.MISSING if value is None else f"{value:.3f} ms"


# Field -> title and how people read it.
COLUMNS: dict[str, tuple[str, Callable[[Any], str]]] = {
    "rank": ("Rank", _plain),
    "name": ("Name", _plain),
    "dataset": ("Dataset", _plain),
    "model": ("Model", _plain),
    "parameters": ("Parameters", readable.count),
    "file_bytes": ("File", readable.file_size),
    "test_accuracy": ("Test accuracy", readable.percent),
    "macro_f1": ("Macro F1", readable.percent),
    "loss": ("Loss", _loss),
    "latency_ms": ("Latency", _milliseconds),
    "training_seconds": ("Training", readable.duration),
    "test_images": ("Test images", _thousands),
    "split_id": ("Split", _plain),
    "state": ("State", _plain),
}


class ComparisonRow(BaseModel):
    """One model: what it is, how it did on its test split, and what it costs. Unknown values are None."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False, protected_namespaces=())

    name: str
    dataset: str
    model: str
    parameters: int | None = None
    file_bytes: int | None = None
    test_accuracy: float | None = None
    macro_f1: float | None = None
    loss: float | None = None
    latency_ms: float | None = None
    training_seconds: float | None = None
    test_images: int | None = None
    split_id: str | None = None
    rank: int | None = None
    state: str | None = None


class Comparison(BaseModel):
    """Models side by side: those tested on the same images together, best first; those without a report last."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    rows: tuple[ComparisonRow, ...]

    def to_json(self) -> str:
        """Return the rows as one strict JSON list."""
        return json.dumps(self._records(), indent=2, allow_nan=False)

    def to_csv(self) -> str:
        """Return the rows as CSV with a header line, safe to open in a spreadsheet."""
        return readable.csv_table(
            list(ComparisonRow.model_fields), [list(record.values()) for record in self._records()]
        )

    def to_markdown(self) -> str:
        """Return the rows as a Markdown table of readable numbers."""
        header, cells = self.to_cells()
        lines = [header, ["---"] * len(header), *([_markdown_cell(cell) for cell in row] for row in cells)]
        return "".join(f"| {' | '.join(line)} |\n" for line in lines)

    def to_cells(self) -> tuple[list[str], list[list[str]]]:
        """Return the column titles and, for each row, its values as people read them."""
        rows = [[as_text(getattr(row, field)) for field, (_, as_text) in COLUMNS.items()] for row in self.rows]
        return [title for title, _ in COLUMNS.values()], rows

    def _records(self) -> list[dict[str, Any]]:
        return [row.model_dump(mode="json") for row in self.rows]


def compare(rows: Iterable[ComparisonRow]) -> Comparison:
    """Rank models by test accuracy among those tested on the same images; equal accuracies share a rank.

    Args:
        rows: the models; rows without an accuracy or a split are listed last, unranked.
    """
    groups: dict[tuple[str, str], list[ComparisonRow]] = defaultdict(list)
    unranked = []
    for row in rows:
        if row.test_accuracy is None or row.split_id is None:
            unranked.append(row.model_copy(update={"rank": None}))
        else:
            groups[row.dataset, row.split_id].append(row)
    ranked = [row for key in sorted(groups, key=itemgetter(0)) for row in _rank(groups[key])]
    return Comparison(rows=(*ranked, *unranked))


def comparison_rows(
    runs: Iterable[Run],
    latency: Callable[[Run], float | None] | None = None,
    report: Callable[[Run], EvaluationReport | None] | None = None,
) -> list[ComparisonRow]:
    """Read what is known of some runs or checkpoints.

    Args:
        runs: the runs.
        latency: median milliseconds of one prediction of a run, or None if it cannot be measured.
        report: where a run's report comes from; by default the one stored with it.
    """
    report = report or stored_report
    return [_row(run, report(run), latency(run) if latency else None) for run in runs]


def model_bytes(run: Run) -> int | None:
    """Return the size in bytes of the file that predictions are served from, or None before there is one."""
    files = (file for file in (run.tflite_file, run.model_file) if file.exists())
    return next((file.stat().st_size for file in files), None)


def stored_report(run: Run) -> EvaluationReport | None:
    """Return the report stored with a run; None where there is none or it cannot be read."""
    try:
        values = run.report()
        return EvaluationReport.model_validate(values) if values is not None else None
    except ValueError:
        return None


def run_facts(run: Run) -> dict[str, Any]:
    """Return one line about a run or checkpoint, as every list of them shows it.

    Raises:
        InputError: its config or status is damaged.
    """
    config, status, report, mark = run.config(), run.status(), stored_report(run), read_mark(run)
    return {
        "name" if run.is_checkpoint else "run": run.name,
        "dataset": config.dataset,
        "model": config.model,
        "state": status.state,
        "test_accuracy": report.accuracy if report else None,
        "best_epoch": status.best_epoch,
        "created": status.created,
        "seconds": status.seconds,
        "star": mark.star,
        "note": mark.note,
    }


def list_facts(runs: Iterable[Run], on_damage: Callable[[Run, ValueError], None]) -> list[dict[str, Any]]:
    """Return `run_facts` of all that can be read; the others are handed to `on_damage`."""
    rows = []
    for run in runs:
        try:
            rows.append(run_facts(run))
        except ValueError as error:
            on_damage(run, error)
    return rows


def _row(run: Run, report: EvaluationReport | None, latency_ms: float | None) -> ComparisonRow:
    config, status = run.config(), run.status()
    measured = {}
    if report:
        measured = {
            "test_accuracy": report.accuracy,
            "macro_f1": report.macro_f1,
            "loss": report.loss,
            "test_images": report.count,
            "split_id": report.split_id,
        }
    return ComparisonRow(
        name=run.name,
        dataset=report.dataset if report else config.dataset,
        model=config.model,
        parameters=report.parameters if report and report.parameters is not None else status.parameters,
        file_bytes=model_bytes(run),
        latency_ms=latency_ms,
        training_seconds=report.training_seconds if report and report.training_seconds is not None else status.seconds,
        state=status.state,
        **measured,
    )


def _rank(rows: list[ComparisonRow]) -> list[ComparisonRow]:
    accuracies = [row.test_accuracy for row in rows]
    ranked = [
        row.model_copy(update={"rank": 1 + sum(other > row.test_accuracy for other in accuracies)}) for row in rows
    ]
    return sorted(ranked, key=lambda row: row.rank)


def _markdown_cell(text: str) -> str:
    for mark, escaped in (("\\", "\\\\"), ("|", "\\|"), ("<", "&lt;")):
        text = text.replace(mark, escaped)
    return " ".join(text.split())
