"""The part of the Train tab's form that starts several runs at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from vision_app.training.search import start_search
from vision_app.ui import forms
from vision_app.ui.messages import say_errors
from vision_app.ui.train_search import field_choices, read_search

NUM_ROWS = 3
EXAMPLES = ("0.01, 0.001", "adam, sgd", "none | flip,rotation")
Values = Mapping[gr.components.Component, Any]


@dataclass(frozen=True)
class SearchParts:
    """What is tried, and the button that starts it."""

    models: gr.Dropdown
    rows: tuple[tuple[gr.Dropdown, gr.Textbox], ...]
    number: gr.Textbox
    start: gr.Button

    @property
    def inputs(self) -> set[gr.components.Component]:
        """All that says what to try."""
        return {self.models, self.number, *(part for row in self.rows for part in row)}


def build_search() -> SearchParts:
    """Build the fold with what to try."""
    with gr.Accordion("Try several", open=False, elem_id="train-search-fold"):
        models = gr.Dropdown(
            forms.model_choices(),
            value=[],
            multiselect=True,
            label="Networks",
            info="Each with its own usual settings, and with the epochs above where you changed them; empty: the one above.",
            elem_id="search-models",
        )
        with gr.Group():
            rows = tuple(_build_row(number) for number in range(NUM_ROWS))
        number = gr.Textbox(
            label="Pick at random",
            info="So many combinations; empty: all of them. Values may then be loguniform(0.0001, 0.1), "
            "uniform(0, 0.5) or integers(8, 128).",
            placeholder="all",
            max_lines=1,
            elem_id="search-number",
        )
        start = gr.Button("Start all", elem_id="search-start")
    return SearchParts(models, rows, number, start)


def searcher(parts: SearchParts, fields: forms.Form) -> Callable[[Values], tuple[str, str]]:
    """Return the handler of the button: it starts the runs and shows the first."""

    @say_errors("Cannot start this search")
    def begin(values: Values) -> tuple[str, str]:
        named = {name: values[component] for name, component in fields.items()}
        config = forms.read_form(named.pop("dataset"), named.pop("model"), named)
        rows = [(values[field], values[text]) for field, text in parts.rows]
        planned = read_search(config, values[parts.models] or [], rows, values[parts.number])
        return start_search(planned)[0].name, ""

    return begin


def _build_row(number: int) -> tuple[gr.Dropdown, gr.Textbox]:
    with gr.Row():
        field = gr.Dropdown(
            [("-", ""), *field_choices()],
            value="learning_rate" if number == 0 else "",
            label="Setting",
            min_width=160,
            elem_id=f"search-field-{number}",
        )
        text = gr.Textbox(
            label="Values", placeholder=EXAMPLES[number], max_lines=1, min_width=160, elem_id=f"search-values-{number}"
        )
    return field, text
