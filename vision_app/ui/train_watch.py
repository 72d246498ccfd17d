"""A slider over the epochs of the chosen run, and what the network saw and answered after each."""

from typing import Any

import gradio as gr

from vision_app.runs import is_readable
from vision_app.ui import train_runs
from vision_app.ui.layout import UNQUEUED
from vision_app.ui.train_watch_view import epochs_to_see, traces, watch_html

Seen = tuple[tuple[Any, ...], int]  # traces of what the page shows, and its last epoch
Held = tuple[str, int]  # a run's name, and the epoch of it that the person went back to; "" follows the run


def build(chosen: gr.Textbox, timer: gr.Timer) -> None:
    """Build it, hidden while there is nothing to see.

    Args:
        chosen: the name of the run.
        timer: how often to look for something new.
    """
    with gr.Column(visible=False, elem_id="train-watch") as box:
        slider = gr.Slider(
            0,
            1,
            1,
            step=1,
            label="Epoch",
            info="Move it to see where the network learns to look. At its right end it follows a run that goes on.",
            elem_id="train-watch-epoch",
            buttons=[],
        )
        shown = gr.HTML(elem_id="train-watch-shown", min_height=400)
    seen, held = gr.State(((), 0)), gr.State(("", 0))
    gr.on([timer.tick, chosen.change], _look, [chosen, held, seen], [box, slider, shown, seen], **UNQUEUED)
    slider.input(_show, [chosen, slider, seen], [shown, held], trigger_mode="always_last", **UNQUEUED)


def _look(name: str, held: Held, seen: Seen) -> tuple[Any, ...]:
    """Show what is new; the last epoch, unless the person holds on to another one of this run."""
    run = train_runs.find_run(name)
    now = traces(run)
    if now == seen[0]:
        return (gr.skip(),) * 4
    epochs = epochs_to_see(run, run.epochs_done()) if run and is_readable(run) else []
    if not epochs:
        return gr.Column(visible=False), gr.skip(), "", (now, 0)
    shown = held[1] if held[0] == name else epochs[-1]
    slider = gr.Slider(maximum=max(1, epochs[-1]), value=shown)
    return gr.Column(visible=True), slider, watch_html(run, shown), (now, epochs[-1])


def _show(name: str, epoch: float, seen: Seen) -> tuple[str, Held]:
    """Show another epoch, and hold on to it unless it is the last.

    What is held is written here alone: an answer that was on its way when the person moved the slider cannot undo it.
    """
    run = train_runs.find_run(name)
    shown = watch_html(run, int(epoch)) if run and epochs_to_see(run, run.epochs_done()) else ""
    return shown, ((name, int(epoch)) if epoch < seen[1] else ("", 0))
