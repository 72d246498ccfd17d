"""Dividing a dataset of one's own into train, validation and test, and taking it off the list."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from vision_app.data.datasets import find_dataset
from vision_app.data.download import Progress
from vision_app.data.own import divide_own
from vision_app.data.splits import SplitRule
from vision_app.errors import InputError
from vision_app.health.together import group_copies

# An uploaded file goes with the dataset, so a click alone is not enough.
CONFIRM = """(name, split) => [
  name, split, confirm("Remove this dataset from the list? An uploaded file is deleted; files elsewhere stay.") ? "yes" : ""
]"""
HELP = '<p class="vw-note">By class and at random. A division that the set came with, or that was made before, is replaced.</p>'


@dataclass(frozen=True)
class DivideParts:
    """The widgets."""

    fold: gr.Accordion
    shares: list[gr.Number]
    seed: gr.Number
    limits: list[gr.Textbox]
    together: gr.Checkbox
    button: gr.Button
    remove: gr.Button
    status: gr.HTML

    @property
    def asked(self) -> list[Any]:
        """What the division is made by, in the order of `divide`."""
        return [*self.shares, self.seed, *self.limits, self.together]


def build_dividing() -> DivideParts:
    """Lay out the widgets, folded away; only a dataset of one's own shows them."""
    rule = SplitRule()
    with gr.Accordion("Divide or remove this dataset", open=False, visible=False, elem_id="browse-divide") as fold:
        with gr.Row():
            shares = [
                gr.Number(
                    getattr(rule, name),
                    label=f"{name.capitalize()} share",
                    step=0.05,
                    min_width=110,
                    elem_id=f"browse-divide-{name}",
                )
                for name in ("train", "validation", "test")
            ]
            seed = gr.Number(rule.seed, label="Seed", precision=0, min_width=90)
            limits = [
                gr.Textbox(str(rule.smallest), label="Fewest a class", max_lines=1, min_width=110),
                gr.Textbox("", label="Most a class", placeholder="all", max_lines=1, min_width=110),
            ]
        with gr.Row(equal_height=True):
            together = gr.Checkbox(
                True,
                label="Keep copies on one side",
                info="Exact and near copies; looking for them takes longer.",
                elem_id="browse-divide-together",
            )
            button = gr.Button("Divide", variant="primary", scale=0, min_width=140, elem_id="browse-divide-button")
            remove = gr.Button("Remove from the list", scale=0, min_width=190, elem_id="browse-remove")
        status = gr.HTML(HELP, elem_id="browse-divide-status")
    return DivideParts(fold, shares, seed, limits, together, button, remove, status)


def divide(name: str, *asked: Any, progress: Progress | None = None) -> str:
    """Divide a dataset as the widgets say, and return what became of it as HTML.

    Args:
        name: of a dataset of one's own.
        asked: values of `DivideParts.asked`.
        progress: called while copies are looked for.

    Raises:
        InputError: impossible shares, or a class with too few images; the division there is stays.
    """
    *shares, seed, smallest, largest, together = asked
    row = find_dataset(name)
    if row.place is None:
        raise InputError(f"{row.title} is divided as published, and stays so; only your own datasets can be divided.")
    if None in (*shares, seed):
        raise InputError("Expected three shares, such as 0.7, 0.15 and 0.15, and a seed; got an empty field.")
    if not all(isinstance(number, int | float) for number in (*shares, seed)) or not 0 <= seed < 2**32:
        raise InputError(f"Expected a seed from 0 to {2**32 - 1:,}, and numbers as shares; got {seed} and {shares}.")
    rule = SplitRule(*shares, int(seed), _whole(smallest, 1, "fewest"), _whole(largest, None, "most"))
    counts, _ = divide_own(str(row.place), rule, True, progress, group_copies if together else None)
    said = ", ".join(f"{split} {count:,}" for split, count in counts.items())
    return f'<p class="vw-note" role="status">Divided: {said}.</p>'


def _whole(text: str, default: int | None, what: str) -> int | None:
    if not text.strip():
        return default
    if not text.strip().isdecimal() or len(text) > 12 or int(text) < 1:
        raise InputError(f"Expected the {what} images a class as a whole number above 0, got '{text.strip()[:40]}'.")
    return int(text)
