"""The widgets of the Compare tab, and what the browser does for them by itself."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from vision_app.ui.compare_averaging import WHAT
from vision_app.ui.compare_details import details_html
from vision_app.ui.compare_view import ALL

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
# Sorting happens in the browser, so only the page knows which rows are saved, and in which order.
SAVED_ROWS = '() => [JSON.parse(document.querySelector("#compare-table .vw-compare").dataset.saved || "[]")]'
_SAVE = """(text) => {{
  if (!text) return;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], {{ type: "{kind};charset=utf-8" }}));
  link.download = "{name}";
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}}"""


@dataclass(frozen=True)
class CompareParts:
    """The tab's widgets: filters, buttons, the table, and what is drawn below it."""

    dataset: gr.Dropdown
    split: gr.Dropdown
    refresh: gr.Button
    csv: gr.Button
    markdown: gr.Button
    table: gr.HTML
    note: gr.HTML
    measuring: gr.HTML
    axis: gr.Radio
    details: gr.HTML
    scatter: gr.HTML
    average: gr.Button
    averaged: gr.HTML
    chosen: gr.State
    rows: gr.JSON
    text: gr.Textbox

    @property
    def filters(self) -> list[Any]:
        """What narrows the table."""
        return [self.dataset, self.split]

    @property
    def follows(self) -> list[Any]:
        """What depends on which rows are chosen or shown."""
        return [self.scatter, self.csv, self.markdown]


def build_parts() -> CompareParts:
    """Lay out the tab, from top to bottom."""
    with gr.Row(equal_height=False, elem_id="compare-filters"):
        dataset = gr.Dropdown(
            [("All datasets", ALL)], value=ALL, label="Dataset", min_width=180, elem_id="compare-dataset"
        )
        split = gr.Dropdown([("All test splits", ALL)], value=ALL, label="Test split", min_width=200)
        refresh = gr.Button("Refresh", min_width=100, elem_id="compare-refresh")
        csv = gr.Button("Download CSV", min_width=100, elem_id="compare-csv")
        markdown = gr.Button("Download Markdown", min_width=100, elem_id="compare-markdown")
    return CompareParts(
        dataset,
        split,
        refresh,
        csv,
        markdown,
        table=_table(),
        note=gr.HTML(elem_id="compare-note", min_height=22),
        measuring=gr.HTML({}, html_template="", js_on_load=_MEASURED, elem_id="compare-measuring"),
        axis=gr.Radio(
            AXES, value=AXES[0], label="Loss axis", container=False, elem_id="compare-axis", elem_classes="vw-segments"
        ),
        details=gr.HTML(details_html([]), apply_default_css=False, elem_id="compare-details", min_height=420),
        scatter=gr.HTML(apply_default_css=False, elem_id="compare-scatter", min_height=60),
        **_averaging(),
        chosen=gr.State([]),
        rows=gr.JSON(visible=False),
        text=gr.Textbox(visible=False),
    )


def _averaging() -> dict[str, Any]:
    with gr.Accordion("Average over shifts and mirror images", open=False, elem_id="compare-averaging"):
        gr.HTML(f'<p class="vw-note">{WHAT}</p>')
        button = gr.Button("Test the chosen models so", min_width=200, elem_id="compare-average")
        shown = gr.HTML(apply_default_css=False, elem_id="compare-averaged")
    return {"average": button, "averaged": shown}


def save_script(kind: str, name: str) -> str:
    """Return JavaScript that saves the text that the server sent as a file; nothing is kept on the server for it."""
    return _SAVE.format(kind=kind, name=name)


def _table() -> gr.HTML:
    return gr.HTML(
        value={},
        html_template=_TEMPLATE,
        js_on_load=Path(__file__).with_name("compare_table.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id="compare-table",
        min_height=220,
    )
