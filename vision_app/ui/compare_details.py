"""The pictures of the Compare tab: curves overlaid, confusion matrices and F1 side by side, accuracy against latency."""

import html
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from vision_app.evaluation.compare import ComparisonRow, stored_report
from vision_app.evaluation.report import EvaluationReport
from vision_app.figures import Point, accuracy_against_latency, confusion_matrix
from vision_app.figures.matrix import most_confused
from vision_app.readable import percent
from vision_app.runs import Run
from vision_app.ui.overlaid import overlaid_curves
from vision_app.ui.run_names import dataset_title, short_names

POINT_LETTERS = 22  # of a name beside a point: what fits on a narrow page
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
    names = short_names(run.name for run in runs)
    histories = {names[run.name]: [line for line in _history(run) if line.get("kind") == "epoch"] for run in runs}
    reports = {run.name: report for run in runs if (report := stored_report(run))}
    missing = [run.name for run in runs if run.name not in reports]
    plots = f"{overlaid_curves(histories, 'loss', log)}{overlaid_curves(histories, 'accuracy')}"
    return "".join(
        (
            _different_data_html(runs, names),
            f'<div class="vw-compare-grid"{_tooltip(names)}>{plots}</div>',
            _missing_html(missing),
            _matrices(reports, names),
            *(_f1_table(group, names) for group in _by_split(reports)),
        )
    )


def scatter_html(rows: Sequence[ComparisonRow]) -> str:
    """Return accuracy against latency, one picture for each test split with at least two measured models."""
    groups: dict[tuple[str, str], list[ComparisonRow]] = defaultdict(list)
    for row in rows:
        if row.test_accuracy is not None and row.latency_ms is not None and row.split_id:
            groups[row.dataset, row.split_id].append(row)
    drawn = [_scatter(dataset, group) for (dataset, _), group in sorted(groups.items()) if len(group) > 1]
    if drawn:
        return f'<div class="vw-compare-grid">{"".join(drawn)}</div>'
    return (
        '<p class="vw-note">Accuracy against latency appears here as soon as two models have been tested on the same images '
        "and their latency has been measured.</p>"
    )


def _scatter(dataset: str, rows: Sequence[ComparisonRow]) -> str:
    names = short_names((row.name for row in rows), with_dataset=False, limit=POINT_LETTERS)
    points = [Point(names[row.name], row.latency_ms, row.test_accuracy) for row in rows]
    title = f"<h3>{html.escape(dataset_title(dataset))}: accuracy against latency</h3>"
    return f'<section class="vw-compare-part"{_tooltip(names)}>{title}{accuracy_against_latency(points)}</section>'


def _tooltip(names: Mapping[str, str]) -> str:
    """Return the attribute that tells the full names of what a chart shortens."""
    told = "\n".join(f"{short}: {name}" for name, short in names.items() if short != name)
    return f' title="{html.escape(told)}"' if told else ""


def _history(run: Run) -> list[dict[str, Any]]:
    try:
        return run.history()
    except (ValueError, OSError, KeyError):
        return []


def _different_data_html(runs: Sequence[Run], names: Mapping[str, str]) -> str:
    """Warn of models of one dataset that learned from different images or labels; one that does not say is left out."""
    groups: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for run in runs:
        config = run.config()
        if config.fingerprint:
            groups[config.dataset][config.fingerprint].append(run.name)
    said = []
    for dataset, seen in groups.items():
        if len(seen) > 1:
            members = "; ".join(", ".join(names[name] for name in group) for group in seen.values())
            said.append(
                f"These learned from different images or labels of {dataset_title(dataset)} (another share, seed, limit or "
                f"corrections): {members}. Compare them with care."
            )
    return "".join(
        f'<p class="vw-alert" role="status"><span aria-hidden="true">!</span>{html.escape(text)}</p>' for text in said
    )


def _missing_html(names: Sequence[str]) -> str:
    if not names:
        return ""
    return f'<p class="vw-note">No test results yet: {html.escape(", ".join(names))}.</p>'


def _matrices(reports: Mapping[str, EvaluationReport], names: Mapping[str, str]) -> str:
    shown = "".join(
        f'<section class="vw-compare-part"><h3 title="{html.escape(name)}">{html.escape(names[name])}</h3>'
        f"{confusion_matrix(report.confusion, report.classes, most_confused(report.confusion, report.classes))}</section>"
        for name, report in reports.items()
    )
    return f'<div class="vw-compare-grid vw-compare-matrices">{shown}</div>' if shown else ""


def _by_split(reports: Mapping[str, EvaluationReport]) -> list[dict[str, EvaluationReport]]:
    groups: dict[tuple[str, str, tuple[str, ...]], dict[str, EvaluationReport]] = defaultdict(dict)
    for name, report in reports.items():
        groups[report.dataset, report.split_id, report.classes][name] = report
    return list(groups.values())


def _f1_table(reports: Mapping[str, EvaluationReport], names: Mapping[str, str]) -> str:
    """Return F1 by class for models tested on the same images; the best of each row is marked."""
    first = next(iter(reports.values()))
    title = html.escape(f"F1 by class, {dataset_title(first.dataset)} ({first.count:,} test images)")
    head = "".join(
        f'<th scope="col" class="vw-number" title="{html.escape(name)}">{html.escape(names[name])}</th>'
        for name in reports
    )
    body = "".join(
        _f1_row(label, [report.per_class[i].f1 for report in reports.values()]) for i, label in enumerate(first.classes)
    )
    return (
        f'<section class="vw-compare-part"><h3>{title}</h3><div class="vw-scroll vw-compare-box" tabindex="0" role="region" aria-label="{title}">'
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
