"""The pictures of the Compare tab: curves overlaid, confusion matrices and F1 side by side, accuracy against latency."""

import html
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from vision_app.evaluation.compare import ComparisonRow, stored_report
from vision_app.evaluation.report import EvaluationReport
from vision_app.figures import Point, Series, accuracy_against_latency, confusion_matrix, curves
from vision_app.figures.matrix import most_confused
from vision_app.readable import number, percent
from vision_app.runs import Run

CHOOSE = "Choose models in the table"
CHOOSE_WHY = "Their learning curves, confusion matrices and F1 by class appear here, side by side."


def details_html(runs: Sequence[Run], log: bool = False) -> str:
    """Return everything about the chosen models.

    Args:
        runs: in the order in which they were chosen.
        log: draw the loss on a logarithmic axis.
    """
    if not runs:
        return f'<div class="vw-empty vw-choose"><strong>{CHOOSE}</strong><span>{CHOOSE_WHY}</span></div>'
    histories = {run.name: [line for line in _history(run) if line.get("kind") == "epoch"] for run in runs}
    reports = {run.name: report for run in runs if (report := stored_report(run))}
    missing = [run.name for run in runs if run.name not in reports]
    return "".join(
        (
            f'<div class="vw-compare-grid">{_curves(histories, "loss", log)}{_curves(histories, "accuracy")}</div>',
            _missing_html(missing),
            _matrices(reports),
            *(_f1_table(group) for group in _by_split(reports.values())),
        )
    )


def scatter_html(rows: Sequence[ComparisonRow]) -> str:
    """Return accuracy against latency, one picture for each test split with at least two measured models."""
    groups: dict[tuple[str, str], list[Point]] = defaultdict(list)
    for row in rows:
        if row.test_accuracy is not None and row.latency_ms is not None and row.split_id:
            groups[row.dataset, row.split_id].append(Point(row.name, row.latency_ms, row.test_accuracy))
    drawn = [_scatter(dataset, points) for (dataset, _), points in sorted(groups.items()) if len(points) > 1]
    if drawn:
        return f'<div class="vw-compare-grid">{"".join(drawn)}</div>'
    return (
        '<p class="vw-note">Accuracy against latency appears here as soon as two models have been tested on the same images '
        "and their latency has been measured.</p>"
    )


def _scatter(dataset: str, points: Sequence[Point]) -> str:
    title = f"<h3>{html.escape(dataset)}: accuracy against latency</h3>"
    return f'<section class="vw-compare-part">{title}{accuracy_against_latency(points)}</section>'


def _history(run: Run) -> list[dict[str, Any]]:
    try:
        return run.history()
    except (ValueError, OSError, KeyError):
        return []


def _curves(histories: dict[str, list[dict[str, Any]]], field: str, log: bool = False) -> str:
    """Return one chart: training solid, validation dashed, a colour for each run."""
    series = []
    for index, (name, lines) in enumerate(histories.items()):
        for kind, key in (("training", field), ("validation", f"val_{field}")):
            points = [(line["epoch"], line[key]) for line in lines if _is_number(line.get(key)) and "epoch" in line]
            xs, ys = [x for x, _ in points], [y for _, y in points]
            series.append(Series(f"{name}, {kind}", xs, ys, kind, index))
    return curves(
        series,
        title=_best(histories, field),
        y_label=f"{field.title()}{', logarithmic' if log else ''}",
        percent=field == "accuracy",
        log=log,
        height=260,
        empty="No epoch has been finished yet.",
    )


def _best(histories: dict[str, list[dict[str, Any]]], field: str) -> str:
    """Return the finding: whose validation value is the best, and when."""
    key = f"val_{field}"
    found = [
        (line[key], line["epoch"], name)
        for name, lines in histories.items()
        for line in lines
        if _is_number(line.get(key))
    ]
    if not found:
        return field.title()
    if field == "loss":
        value, epoch, name = min(found)
        return f"Lowest validation loss: {number(value)} at epoch {epoch}{_of(name, histories)}"
    value, epoch, name = max(found, key=lambda point: (point[0], -point[1]))
    return f"Highest validation accuracy: {percent(value)} at epoch {epoch}{_of(name, histories)}"


def _of(name: str, histories: dict[str, Any]) -> str:
    return f", {name}" if len(histories) > 1 else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _missing_html(names: Sequence[str]) -> str:
    if not names:
        return ""
    return f'<p class="vw-note">No test results yet: {html.escape(", ".join(names))}.</p>'


def _matrices(reports: dict[str, EvaluationReport]) -> str:
    shown = "".join(
        f'<section class="vw-compare-part"><h3>{html.escape(name)}</h3>'
        f"{confusion_matrix(report.confusion, report.classes, most_confused(report.confusion, report.classes))}</section>"
        for name, report in reports.items()
    )
    return f'<div class="vw-compare-grid">{shown}</div>' if shown else ""


def _by_split(reports: Iterable[EvaluationReport]) -> list[list[EvaluationReport]]:
    groups: dict[tuple[str, str, tuple[str, ...]], list[EvaluationReport]] = defaultdict(list)
    for report in reports:
        groups[report.dataset, report.split_id, report.classes].append(report)
    return list(groups.values())


def _f1_table(reports: Sequence[EvaluationReport]) -> str:
    """Return F1 by class for models tested on the same images; the best of each row is marked."""
    title = f"F1 by class, {reports[0].dataset} ({reports[0].count:,} test images)"
    head = "".join(f'<th scope="col">{html.escape(report.model)}</th>' for report in reports)
    body = "".join(
        _f1_row(name, [report.per_class[i].f1 for report in reports]) for i, name in enumerate(reports[0].classes)
    )
    shown = html.escape(title)
    return (
        f'<section class="vw-compare-part"><h3>{shown}</h3><div class="vw-scroll vw-compare-box" tabindex="0" role="region" aria-label="{shown}">'
        f'<table class="vw-compare-table"><thead><tr><th scope="col">Class</th>{head}</tr></thead><tbody>{body}</tbody></table>'
        "</div></section>"
    )


def _f1_row(name: str, values: Sequence[float]) -> str:
    best = max(values) if len(set(values)) > 1 else None
    cells = "".join(
        f'<td class="vw-number">{f"<strong>{percent(value)} ▴</strong>" if value == best else percent(value)}</td>'
        for value in values
    )
    return f'<tr><th scope="row">{html.escape(name)}</th>{cells}</tr>'
