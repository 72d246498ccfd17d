"""What a run will take, before it starts: its time, its memory, and how its learning rate will change."""

import html
from typing import Any

from vision_app.config import RunConfig
from vision_app.data.datasets import find_dataset
from vision_app.data.fetching import is_available
from vision_app.errors import InputError
from vision_app.figures import Series, curves
from vision_app.readable import count, duration, file_size
from vision_app.runs import list_runs
from vision_app.training.plan import Plan, check_minutes, fit_budget, plan_run
from vision_app.training.recipe import make_config
from vision_app.training.schedules import rate_at
from vision_app.training.tune import tune_precision
from vision_app.ui import forms

POINTS = 120  # of the drawn schedule


def estimate(config: RunConfig, minutes: str, tune: bool = False) -> tuple[str, dict[str, Any]]:
    """Return what a run will take as HTML, and the fields that a time budget or the faster number format changes.

    Args:
        config: of the run.
        minutes: the budget as it was typed; empty: none.
        tune: whether to measure in 32 and in 16 bits.

    Raises:
        InputError: the budget is no number of minutes or too small, or the run is impossible.
    """
    budget = _minutes(minutes)
    data = find_dataset(config.dataset)
    if not is_available(data):
        raise InputError(
            f"{data.title} is not on this machine yet; download it in the Browse tab, then press Estimate."
        )
    changes: dict[str, Any] = {}
    said = []
    if any(run.state() == "running" for run in list_runs()):
        said.append("Another run is training meanwhile; alone, this one is faster than measured now.")
    if tune:
        config, plan, compared = tune_precision(config)
        changes["mixed_precision"] = config.mixed_precision
        said.append(compared)
    else:
        plan = plan_run(config)
    if budget:
        fitting, chosen = fit_budget(config, plan, 60 * budget)
        changes |= fitting
        said.append(chosen)
    if changes:
        config = make_config(config.dataset, config.model, changes, config)
    return plan_html(config, plan, " ".join(said)), changes


def plan_html(config: RunConfig, plan: Plan, said: str = "") -> str:
    """Return time and size.

    Args:
        config: of the run.
        plan: what was measured.
        said: what a time budget or the number formats led to.
    """
    share = plan.share(config)
    facts = [
        f"About {duration(plan.expected(config))} on {plan.device}",
        f"{duration(plan.epoch(share))} an epoch of {round(plan.num_train * share):,} images",
        *([f"{duration(plan.epoch(share, fine_tunes=True))} one of fine-tuning"] if config.fine_tune_epochs else []),
        f"{count(plan.parameters)} parameters",
        f"{file_size(plan.memory_bytes)} of memory",
    ]
    first = f"<strong>{html.escape(said)}</strong> " if said else ""
    return f'<p class="vw-note" role="status">{first}{html.escape("; ".join(facts))}.</p>'


def schedule_html(config: RunConfig) -> str:
    """Return a picture of the learning rate over the epochs."""
    steps = max(1, POINTS // config.epochs)
    total = steps * config.epochs
    xs = [step / steps for step in range(total + 1)]
    ys = [rate_at(config, min(step, total - 1), steps) for step in range(total + 1)]
    title = f"Learning rate: {config.schedule}, at most {max(ys):.2g}"
    if min(ys) == max(ys):
        title = f"Learning rate: constant, {max(ys):.2g}"
    if config.schedule == "plateau":
        title = "Learning rate: constant until the validation loss stands still, then lower"
    return curves([Series("Learning rate", xs, ys)], title=title, x_max=config.epochs, height=150)


def drawn_schedule(values: dict[str, Any]) -> str:
    """Return the picture of the learning rate that a form describes; nothing while it describes no possible run."""
    others = {name: value for name, value in values.items() if name not in ("dataset", "model")}
    try:
        config = forms.read_form(values["dataset"], values["model"], others)
    except InputError:
        return ""
    return schedule_html(config)


def _minutes(text: str) -> float:
    """Return the minutes that were typed; 0 for none."""
    text = text.strip()
    if not text:
        return 0.0
    try:
        minutes = float(text.replace(",", "."))
    except ValueError:
        minutes = 0.0
    check_minutes(minutes, text)
    return minutes
