"""Several runs in the plots of the Train tab: which ones, how they are called, and their curves."""

import textwrap
from collections.abc import Sequence

from vision_app.figures.curves import RUN_COLOURS
from vision_app.runs import Run, is_readable, runs_root
from vision_app.ui.overlaid import overlaid_curves
from vision_app.ui.run_names import dataset_title, model_title, short_names
from vision_app.ui.train_runs import find_run
from vision_app.ui.train_settings import distinctions

MAX_RUNS = len(RUN_COLOURS)
LABEL_LENGTH = 48  # characters of a run in a legend


def read_beside(text: str) -> list[str]:
    """Return the runs that are ticked, from "a,b" as the address has them; those that have gone are left out."""
    return [name for name in dict.fromkeys(text.split(",")) if _is_readable(name)][:MAX_RUNS]


def toggle_beside(text: str, name: str) -> str:
    """Tick a run or take the tick away; past the last colour nothing more is ticked."""
    names = read_beside(text)
    if name in names:
        names.remove(name)
    elif _is_readable(name) and len(names) < MAX_RUNS:
        names.append(name)
    return ",".join(names)


def drawn_together(chosen: str, beside: str) -> list[Run]:
    """Return the runs of the plots in the order of their colours: the ticked ones, then the chosen one; alone, none."""
    names = read_beside(beside)
    if chosen not in names and _is_readable(chosen):
        names = [*names[: MAX_RUNS - 1], chosen]
    return [Run(runs_root() / name) for name in names] if len(names) > 1 else []


def overlay_html(runs: Sequence[Run], log_axis: bool, smoothing: float) -> str:
    """Return loss and accuracy of several runs, by epoch."""
    names = labels(runs)
    histories = {names[run.name]: [line for line in run.history() if line["kind"] == "epoch"] for run in runs}
    loss = overlaid_curves(histories, "loss", log_axis, smoothing)
    accuracy = overlaid_curves(histories, "accuracy", smoothing=smoothing)
    return f'<div class="vw-two">{loss}{accuracy}</div>'


def labels(runs: Sequence[Run]) -> dict[str, str]:
    """Return what a legend calls each run: by the first things that set it apart from the others, else by its time."""
    configs = [run.config() for run in runs]
    traits = [
        [model_title(config.model) for config in configs],
        [dataset_title(config.dataset) for config in configs],
        *zip(*distinctions(configs), strict=True),
    ]
    found = [""] * len(configs)
    for trait in traits:
        longer = [f"{label}, {words}".removeprefix(", ") for label, words in zip(found, trait, strict=True)]
        if len(set(longer)) > len(set(found)):
            found = longer
    cut = [textwrap.shorten(label, LABEL_LENGTH, placeholder=" …") for label in found]
    times = short_names(run.name for run in runs)
    return {run.name: label if cut.count(label) == 1 else times[run.name] for run, label in zip(runs, cut, strict=True)}


def _is_readable(name: str) -> bool:
    run = find_run(name)
    return run is not None and is_readable(run)
