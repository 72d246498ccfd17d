"""The Compare tab: all models in one table; the chosen ones side by side."""

from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from vision_app.evaluation.compare import Comparison, comparison_rows
from vision_app.evaluation.compare import compare as rank
from vision_app.ui import compare_view as view
from vision_app.ui.compare_averaging import averaged_html, measure_averaged
from vision_app.ui.compare_details import details_html, scatter_html
from vision_app.ui.compare_latency import measure, measured_latency
from vision_app.ui.compare_layout import AXES, SAVED_ROWS, CompareParts, build_parts, save_script
from vision_app.ui.compare_table import latency_cell, table_value
from vision_app.ui.layout import QUIET, UNQUEUED, Page, address
from vision_app.ui.messages import say_errors

CANNOT = "Cannot compare"
CANNOT_WRITE = "Cannot write the table"
AVERAGE = {"concurrency_id": "averaging", "concurrency_limit": 1}
MEASURE = {"concurrency_id": "latency", "concurrency_limit": 1}


def build(page: Page) -> None:
    """Fill the tab."""
    parts = build_parts()
    _wire_opening(page, parts)
    _wire_table(parts)
    _wire_downloads(parts)
    parts.average.click(average, parts.chosen, parts.averaged, api_name="average", **AVERAGE)
    gr.api(compare, api_name="compare")


def _wire_opening(page: Page, parts: CompareParts) -> None:
    inputs = [parts.chosen, *parts.filters, parts.axis]
    outputs = [*parts.filters, parts.table, parts.note, parts.chosen, parts.details, *parts.follows]
    for event in (page.tab.select, parts.refresh.click):
        opened = event(_open, inputs, outputs, **UNQUEUED)
        measured = opened.then(_measure, None, parts.measuring, **QUIET, **MEASURE)
        measured.then(_follow, [parts.chosen, *parts.filters], parts.follows, **QUIET)


def _wire_table(parts: CompareParts) -> None:
    following = {"inputs": [parts.chosen, *parts.filters], "outputs": parts.follows, **QUIET}
    # Not "always_last": Gradio then repeats the first event's choice instead of the last one's.
    picked = parts.table.select(_choose, parts.axis, [parts.chosen, parts.details], trigger_mode="multiple", **QUIET)
    picked.then(_follow, **following)
    parts.axis.input(_details, [parts.chosen, parts.axis], parts.details, **QUIET)
    for part in parts.filters:
        narrowed = part.input(_narrow, [*parts.filters, parts.chosen], [parts.split, parts.table], **QUIET)
        narrowed.then(_follow, **following)


def _wire_downloads(parts: CompareParts) -> None:
    for button, write, kind, name in (
        (parts.csv, _csv, "text/csv", "models.csv"),
        (parts.markdown, _markdown, "text/markdown", "models.md"),
    ):
        written = button.click(write, parts.rows, parts.text, js=SAVED_ROWS, **QUIET)
        written.success(None, parts.text, None, js=save_script(kind, name))


@say_errors(CANNOT)
def compare(models: list[str]) -> list[dict[str, Any]]:
    """Put models side by side; only those tested on the same images are ranked against each other.

    Args:
        models: names of checkpoints or runs; none: all of them.

    Returns:
        One item a model with its name, dataset, model, parameters, file_bytes, test_accuracy, macro_f1, loss,
        latency_ms, training_seconds, test_images, split_id, rank and state; what is not known is null.
    """
    runs = view.find_runs(models or view.list_all().names)
    return [row.model_dump(mode="json") for row in rank(comparison_rows(runs, measured_latency)).rows]


@say_errors("Cannot test these models")
def average(models: list[str], progress: gr.Progress = gr.Progress()) -> str:
    """Test models again, averaging over shifted and mirrored copies of each image.

    Args:
        models: names of checkpoints or runs.

    Returns:
        An HTML table with plain and averaged accuracy.
    """
    return averaged_html(measure_averaged(view.find_runs(models), progress))


@say_errors(CANNOT)
def _open(chosen: list[str], dataset: str, split: str, axis: str, request: gr.Request) -> tuple[Any, ...]:
    """Read all models anew; `?dataset=...&split=...&models=a,b` in the address filters and chooses."""
    listing = view.list_all()
    rows = listing.comparison.rows
    wanted = _own_address(request)
    chosen = view.chosen_in(wanted, listing.names) or [name for name in chosen if name in listing.names]
    datasets = view.dataset_choices(rows)
    dataset = view.kept(wanted.get("dataset", dataset), datasets)
    splits = view.split_choices(rows, dataset)
    split = view.kept(wanted.get("split", split), splits)
    return (
        gr.Dropdown(choices=datasets, value=dataset),
        gr.Dropdown(choices=splits, value=split),
        _table(listing, dataset, split, chosen),
        view.note_html(listing),
        chosen,
        _details(chosen, axis),
        *_following(view.selection(listing, chosen, dataset, split)),
    )


@say_errors(CANNOT)
def _narrow(dataset: str, split: str, chosen: list[str]) -> tuple[gr.Dropdown, dict[str, Any]]:
    """Show only the rows of a dataset and of a test split."""
    listing = view.list_all()
    splits = view.split_choices(listing.comparison.rows, dataset)
    split = view.kept(split, splits)
    return gr.Dropdown(choices=splits, value=split), _table(listing, dataset, split, chosen)


@say_errors(CANNOT)
def _measure() -> Iterator[dict[str, Any]]:
    """Measure what has not been measured, one model after the other, and fill in each as it comes."""
    waiting, cells = view.unmeasured(), {}
    for done, run in enumerate(waiting):
        yield {"text": f"Measuring latency: {done} of {len(waiting)} models done, now {run.name}", "cells": dict(cells)}
        cells[run.name] = latency_cell(measure(run))
    yield {"text": "", "cells": cells}


@say_errors(CANNOT)
def _choose(axis: str, event: gr.EventData) -> tuple[list[str], str]:
    """Show the rows that were chosen side by side."""
    chosen = view.check_chosen((event._data or {}).get("names"))  # Gradio has no public name for a custom event's data
    return chosen, _details(chosen, axis)


@say_errors(CANNOT)
def _details(chosen: list[str], axis: str) -> str:
    """Draw the chosen models."""
    return details_html(view.find_runs(chosen), log=axis == AXES[1])


@say_errors(CANNOT)
def _follow(chosen: list[str], dataset: str, split: str) -> tuple[Any, ...]:
    """Draw accuracy against latency of the chosen models, or of all that are shown, and say what a download holds."""
    return _following(view.selection(view.list_all(), chosen, dataset, split))


@say_errors(CANNOT_WRITE)
def _csv(names: Sequence[str]) -> str:
    """Return rows as CSV, in the order in which the page shows them."""
    return view.in_order(view.list_all(), names).to_csv()


@say_errors(CANNOT_WRITE)
def _markdown(names: Sequence[str]) -> str:
    """Return rows as Markdown, in the order in which the page shows them."""
    return view.in_order(view.list_all(), names).to_markdown()


def _own_address(request: gr.Request) -> dict[str, str]:
    """Return the address' parameters, unless they are still those of the tab that is being left."""
    wanted = address(request)
    return wanted if wanted.get("tab") == "compare" else {}


def _table(listing: view.Listing, dataset: str, split: str, chosen: Sequence[str]) -> dict[str, Any]:
    """Return the table with what passes the filters, and the filters for the address."""
    told = {key: "" if value == view.ALL else value for key, value in (("dataset", dataset), ("split", split))}
    return table_value(listing, view.narrow(listing.comparison.rows, dataset, split), chosen, told)


def _following(selected: Comparison) -> tuple[str, gr.Button, gr.Button]:
    """Return the picture of some rows, and the buttons that save them."""
    count = len(selected.rows)
    said, some = f"({count:,} row{'' if count == 1 else 's'})", count > 0
    csv, markdown = (gr.Button(f"Download {kind} {said}", interactive=some) for kind in ("CSV", "Markdown"))
    return scatter_html(selected.rows), csv, markdown
