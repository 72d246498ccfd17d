"""The Compare tab: all models in one table; the chosen ones side by side."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from vision_app.evaluation.compare import compare as rank
from vision_app.evaluation.compare import comparison_rows
from vision_app.ui import compare_view as view
from vision_app.ui.compare_details import details_html, scatter_html
from vision_app.ui.layout import OPENING, QUIET, Page, address
from vision_app.ui.messages import say_errors

CANNOT = "Cannot compare"
MEASURE = {"concurrency_id": "latency", "concurrency_limit": 1}
AXES = ("Linear loss axis", "Logarithmic loss axis")

_TEMPLATE = """
<div class="vw-compare">
  <div class="vw-scroll vw-compare-box" tabindex="0" role="region" aria-label="Models" hidden>
    <table class="vw-compare-table"><thead><tr></tr></thead><tbody></tbody></table>
  </div>
  <div class="vw-empty">Reading the models</div>
  <div class="vw-compare-foot"><span class="vw-chosen" role="status"></span>
    <button type="button" class="vw-clear" hidden>Clear the choice</button>
    <span class="vw-said-only" role="status"></span>
    <span class="vw-measuring" role="status"></span></div>
</div>
"""
# Hands the latencies to the table one by one, so that what a person does there meanwhile stays.
_MEASURED = """
watch("value", () => {
  const table = document.querySelector("#compare-table .vw-compare");
  table.dispatchEvent(new CustomEvent("latencies", { detail: props.value }));
});
"""
# Saves the text that the server sent as a file; nothing is kept on the server for it.
_SAVE = """(text) => {{
  if (!text) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {{ type: "{kind};charset=utf-8" }}));
  link.download = "{name}";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}}"""


def build(page: Page) -> None:
    """Fill the tab."""
    chosen = gr.State([])
    with gr.Row(equal_height=False, elem_id="compare-filters"):
        dataset = gr.Dropdown([("All datasets", view.ALL)], value=view.ALL, label="Dataset", min_width=150)
        split = gr.Dropdown([("All test splits", view.ALL)], value=view.ALL, label="Test split", min_width=200)
        refresh = gr.Button("Refresh", min_width=100, elem_id="compare-refresh")
        csv = gr.Button("Download CSV", min_width=100, elem_id="compare-csv")
        markdown = gr.Button("Download Markdown", min_width=100, elem_id="compare-markdown")
    table = _table()
    note = gr.HTML(elem_id="compare-note", min_height=22)
    measuring = gr.HTML({}, html_template="", js_on_load=_MEASURED, elem_id="compare-measuring")
    axis = gr.Radio(AXES, value=AXES[0], label="Loss axis", container=False, elem_id="compare-axis")
    details = gr.HTML(details_html([]), apply_default_css=False, elem_id="compare-details", min_height=420)
    scatter = gr.HTML(apply_default_css=False, elem_id="compare-scatter", min_height=60)
    saved = gr.Textbox(visible=False)

    filters = [dataset, split]
    drawing = {"inputs": [chosen, *filters], "outputs": scatter}
    opening = {"inputs": [chosen, *filters, axis], "outputs": [*filters, table, note, chosen, details, scatter]}
    for event in (page.tab.select, refresh.click):
        opened = event(_open, **opening, **OPENING)
        measured = opened.then(_measure, None, measuring, **QUIET, **MEASURE)
        measured.then(_draw_scatter, **drawing, **QUIET)
    # Not "always_last": Gradio then repeats the first event's choice instead of the last one's.
    picked = table.select(_choose, axis, [chosen, details], trigger_mode="multiple", **QUIET)
    picked.then(_draw_scatter, **drawing, **QUIET)
    axis.input(_details, [chosen, axis], details, **QUIET)
    for part in filters:
        narrowed = part.input(_narrow, [*filters, chosen], [split, table], **QUIET)
        narrowed.then(_draw_scatter, **drawing, **QUIET)
    for button, write, kind, name in (
        (csv, _csv, "text/csv", "models.csv"),
        (markdown, _markdown, "text/markdown", "models.md"),
    ):
        written = button.click(write, [chosen, *filters], saved, **QUIET)
        written.success(None, saved, None, js=_SAVE.format(kind=kind, name=name))
    gr.api(compare, api_name="compare")


@say_errors(CANNOT)
def compare(models: list[str]) -> list[dict[str, Any]]:
    """Put models side by side; only those tested on the same images are ranked against each other.

    Args:
        models: names of checkpoints or runs; none: all of them.

    Returns:
        One item a model with its name, dataset, model, parameters, file_bytes, test_accuracy, macro_f1, loss,
        latency_ms, training_seconds, split_id, rank and state; what is not known is null.
    """
    runs = view.find_runs(models or view.list_all().names)
    return [row.model_dump(mode="json") for row in rank(comparison_rows(runs, view.measured_latency)).rows]


def _table() -> gr.HTML:
    script = Path(__file__).parents[1] / "compare_table.js"
    return gr.HTML(
        value={},
        html_template=_TEMPLATE,
        js_on_load=script.read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id="compare-table",
        min_height=220,
    )


@say_errors(CANNOT)
def _open(chosen: list[str], dataset: str, split: str, axis: str, request: gr.Request) -> tuple[Any, ...]:
    """Read all models anew; `?models=a,b` in the address chooses some."""
    listing = view.list_all()
    rows = listing.comparison.rows
    chosen = view.chosen_in(address(request), listing.names) or [name for name in chosen if name in listing.names]
    datasets, splits = view.dataset_choices(rows), view.split_choices(rows, dataset)
    dataset, split = _kept(dataset, datasets), _kept(split, splits)
    return (
        gr.Dropdown(choices=datasets, value=dataset),
        gr.Dropdown(choices=splits, value=split),
        view.table_value(listing, view.narrow(rows, dataset, split), chosen),
        view.note_html(listing),
        chosen,
        _details(chosen, axis),
        scatter_html(view.selection(listing, chosen, dataset, split).rows),
    )


@say_errors(CANNOT)
def _narrow(dataset: str, split: str, chosen: list[str]) -> tuple[gr.Dropdown, dict[str, Any]]:
    """Show only the rows of a dataset and of a test split."""
    listing = view.list_all()
    rows = listing.comparison.rows
    splits = view.split_choices(rows, dataset)
    split = _kept(split, splits)
    return gr.Dropdown(choices=splits, value=split), view.table_value(
        listing, view.narrow(rows, dataset, split), chosen
    )


@say_errors(CANNOT)
def _measure() -> Iterator[dict[str, Any]]:
    """Measure what has not been measured, one model after the other, and fill in each as it comes."""
    waiting, cells = view.unmeasured(), {}
    for done, run in enumerate(waiting):
        yield {"text": f"Measuring latency: {done} of {len(waiting)} models done, now {run.name}", "cells": dict(cells)}
        cells[run.name] = view.latency_cell(view.measure(run))
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
def _draw_scatter(chosen: list[str], dataset: str, split: str) -> str:
    """Draw accuracy against latency of the chosen models, or of all that are shown."""
    return scatter_html(view.selection(view.list_all(), chosen, dataset, split).rows)


@say_errors("Cannot write the table")
def _csv(chosen: list[str], dataset: str, split: str) -> str:
    """Return the chosen models, or all that are shown, as CSV."""
    return view.selection(view.list_all(), chosen, dataset, split).to_csv()


@say_errors("Cannot write the table")
def _markdown(chosen: list[str], dataset: str, split: str) -> str:
    """Return the chosen models, or all that are shown, as Markdown."""
    return view.selection(view.list_all(), chosen, dataset, split).to_markdown()


def _kept(value: str, choices: list[tuple[str, str]]) -> str:
    """Return a filter's value if it is still offered, else the one that filters nothing."""
    return value if value in [each for _, each in choices] else view.ALL
