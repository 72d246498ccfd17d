"""What the Train tab says and shows: plain functions of configs and run directories."""

import functools
import html
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from vision_app.config import RunConfig
from vision_app.data.datasets import find_dataset
from vision_app.data.fetching import is_available
from vision_app.device import list_gpus
from vision_app.figures import Series, curves, smoothed
from vision_app.health.catalog import CHECKS
from vision_app.models.catalog import find_model
from vision_app.readable import duration, file_size, guessed_duration, percent
from vision_app.runs import LIVE, Run
from vision_app.training.progress import Progress, measure
from vision_app.training.recipe import default_values
from vision_app.training.remarks import Verdict, judge
from vision_app.training.usage import Usage, read_usage
from vision_app.ui.run_names import dataset_title, model_title
from vision_app.ui.train_overlay import overlay_html
from vision_app.ui.train_table import STATE_WORDS, monitored
from vision_app.ui.train_watch_view import results_of


def facts(dataset: str, model: str, input_size: int | None) -> str:
    """Return one line about what the chosen dataset and model mean together."""
    data, info = find_dataset(dataset), find_model(model)
    height, width, _ = data.image_shape or (0, 0, 0)
    size = int(input_size or default_values(dataset, model)["input_size"])
    shape = f"of {width} × {height}" if height else "of several sizes"
    parts = [f"{data.num_train:,} training images {shape} in {len(data.classes)} classes."]
    if not info.smallest <= size <= info.largest:
        parts.append(f"This network takes {info.smallest} to {info.largest} pixels a side.")
    elif not height:
        parts.append(f"They are brought to {size} × {size}.")
    elif size > height:
        parts.append(f"They are enlarged to {size} × {size} for this network.")
    elif size < height:
        parts.append(f"They are reduced to {size} × {size}.")
    if size < info.enlarges_below:
        parts.append("Inside, it enlarges them, so that there is still something to explain.")
    if not is_available(data) and data.remote:
        parts.append(f"Downloads {file_size(data.download_bytes)} first.")
    return f'<p class="vw-note"><strong>{html.escape(info.title)}:</strong> {html.escape(info.description)} {" ".join(parts)}</p>'


def live_html(
    run: Run | None, log_axis: bool, stopping: bool = False, smoothing: float = 0.0, together: Sequence[Run] = ()
) -> str:
    """Return everything about one run: where it stands, its curves, and what there is to say about them.

    Args:
        run: None shows what to do.
        log_axis: draw the loss on a logarithmic axis.
        stopping: it has been asked to end.
        smoothing: of the curves, 0 to below 1.
        together: several runs whose curves are drawn in place of its own.
    """
    if run is None:
        return (
            '<div class="vw-empty vw-live-empty"><strong>No run chosen yet</strong><span>Press Start: digits trains in about '
            "a minute on a small machine. The curves appear here, and stay when you leave.</span></div>"
        )
    history, config = run.history(), run.config()
    progress = measure(run, history)
    done = sum(line["kind"] == "epoch" for line in history)
    verdict = judge(config, history, results_of(run, done))
    stopping = stopping and progress.state in LIVE
    if together:
        plots = overlay_html(together, log_axis, smoothing)
    else:
        plots = charts(config, history, progress, verdict, log_axis, smoothing)
    report = run.report()
    alerts = "".join(
        f"<li>{html.escape(text)}</li>"
        for text in remarks(progress, verdict, stopping, run.model_file.exists(), report is not None)
    )
    tested = (
        f'<p class="vw-said">Test accuracy {percent(report["accuracy"])} on {report["count"]:,} images.'
        f"{data_faults(config.dataset, report.get('health'))}</p>"
        if report
        else ""
    )
    return (
        f'<section class="vw-live" aria-label="Run {html.escape(run.name)}">{_headline(config, progress, read_usage(run), stopping)}{tested}'
        f'<ul class="vw-remarks">{alerts}</ul>{plots}'
        f"{_failure(run, progress)}</section>"
    )


def data_faults(dataset: str, health: dict[str, Any] | None) -> str:
    """Say what was found to be wrong with the data that a run learned from, with a way to see it; empty if nobody looked."""
    if not health:
        return ""
    looked = f"{len(health['checked'])} kinds of faults were looked for"
    found = [f"{CHECKS[kind].title.lower()}: {count:,}" for kind, count in health["findings"].items() if kind in CHECKS]
    if not found:
        return f" Nothing wrong was found in the dataset ({looked})."
    link = "?" + urlencode({"tab": "browse", "dataset": dataset, "split": "all"})
    said = f"In the dataset as published, {html.escape(', '.join(found))}; {looked}."
    return f' {said} <a href="{html.escape(link)}">Look at them in Browse</a>'


def charts(
    config: RunConfig,
    history: list[dict[str, Any]],
    progress: Progress,
    verdict: Verdict,
    log_axis: bool,
    smoothing: float = 0.0,
) -> str:
    """Return the two learning curves: loss and accuracy, training and validation."""
    found = finding(progress, verdict)
    plots = [
        _chart("loss", f"Loss: {found}" if found else "Loss", config, history, progress, log_axis, smoothing),
        _chart("accuracy", "Accuracy", config, history, progress, False, smoothing),
    ]
    return f'<div class="vw-two">{"".join(plots)}</div>'


def finding(progress: Progress, verdict: Verdict) -> str:
    """Say in a few words what the curve shows: what is wrong, else which epoch is the best."""
    return verdict.words or (f"best at epoch {progress.chosen_epoch}" if progress.chosen_epoch is not None else "")


def remarks(
    progress: Progress, verdict: Verdict, stopping: bool = False, has_model: bool = True, is_tested: bool = True
) -> list[str]:
    """Return what there is to know about a run beside its numbers."""
    said = []
    keeps_last = progress.monitor == "last_epoch"
    if progress.device.startswith("CPU") and known_gpus():
        said.append("This machine has a GPU, but Keras does not see it; the guide says how to install GPU support.")
    if stopping and progress.state == "queued":
        kept = "what it has learned is kept" if progress.has_begun else "nothing is trained"
        said.append(f"It leaves the queue; {kept}.")
    elif stopping and not progress.testing:
        kept = "the model of the last whole epoch" if keeps_last else "the best model so far"
        said.append(f"It ends after this batch; {kept} is kept and tested.")
    elif progress.in_last_epoch:
        kept = "its model" if keeps_last else "the best model"
        said.append(f"It ends after this epoch; {kept} is kept and tested, and it can be resumed.")
    if progress.state == "stopped" and not has_model:
        said.append("Stopped before it learned anything: there is no model and no curve. Resume lets it begin.")
    elif progress.state == "stopped" and not is_tested:
        said.append("Stopped while it waited to go on: its model is kept, but not tested. Resume lets it go on.")
    # Why a run failed is said below, by the one who knows it.
    return [*said, verdict.advice] if verdict.advice and progress.state != "failed" else said


known_gpus = functools.cache(list_gpus)


def _chart(
    metric: str,
    title: str,
    config: RunConfig,
    history: list[dict[str, Any]],
    progress: Progress,
    log_axis: bool,
    smoothing: float,
) -> str:
    batches = [line for line in history if line["kind"] == "batch"]
    epochs = [line for line in history if line["kind"] == "epoch"]
    # A line holds the difference of two means: after an enormous loss, rounding can take it below 0.
    xs, ys = [line["epoch"] for line in batches], [max(0.0, line[metric]) for line in batches]
    ends, values = [line["epoch"] for line in epochs], [line[f"val_{metric}"] for line in epochs]
    live = progress.state in LIVE
    return curves(
        [
            *smoothed(Series("Training", xs, ys), smoothing),
            Series("Validation", ends, values, kind="validation"),  # the best one is marked where it was measured
        ],
        title=title,
        percent=metric == "accuracy",
        log=log_axis,
        x_max=config.epochs if live else None,
        best=next((pair for pair in zip(ends, values, strict=True) if pair[0] == progress.chosen_epoch), None),
        turn=(config.fine_tune_from, "fine-tuning from here") if config.fine_tune_epochs else None,
        empty="The curve starts with the first batch." if live else "No curve: it ended before its first batch.",
    )


def _headline(config: RunConfig, progress: Progress, usage: Usage | None, stopping: bool) -> str:
    """Where the run stands: state, progress bar, and the numbers that change."""
    numbers = [
        ("Epoch", f"{progress.epoch} of {progress.epochs}"),
        ("Speed", f"{progress.images_per_second:,.0f} images/s" if progress.images_per_second else "-"),
        ("Learning rate", f"{progress.learning_rate:.3g}" if progress.learning_rate is not None else "-"),
        ("Elapsed", _clock(progress.elapsed_seconds)),
        ("Left", "-" if stopping else guessed_duration(progress.remaining_seconds)),
        ("Kept" if progress.monitor == "last_epoch" else "Best", _best(progress)),
        ("Device", progress.device or "-"),
        ("In use", usage.words() if usage else "-"),
    ]
    facts_list = "".join(f"<div><dt>{label}</dt><dd>{html.escape(value)}</dd></div>" for label, value in numbers)
    done = round(100 * progress.share, 1)
    title = f"{html.escape(dataset_title(config.dataset))}, {html.escape(model_title(config.model))}"
    return (
        f'<div class="vw-live-head"><h3>{title}</h3>'
        f'<span class="vw-state vw-{progress.state}" role="status">{html.escape(_state(progress, stopping))}</span></div>'
        f'<div class="vw-meter" role="progressbar" aria-label="Share of the run that is done" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{done}"><i style="width:{done}%"></i></div><dl class="vw-numbers">{facts_list}</dl>'
    )


def _state(progress: Progress, stopping: bool) -> str:
    """Return the state in words; while a run goes on, what it is doing."""
    if stopping and not (progress.testing and progress.message):
        return "Stopping"
    if progress.state == "running" and progress.message:
        return progress.message
    if progress.in_last_epoch:
        return "In its last epoch"
    before = " before it began" if progress.state == "stopped" and not progress.has_begun else ""
    return STATE_WORDS[progress.state] + before


def _best(progress: Progress) -> str:
    if progress.best_epoch is None:
        return "-"
    return f"{monitored(progress.best_value, progress.monitor)} (epoch {progress.best_epoch})"


def _clock(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return duration(round(seconds)) if seconds >= 60 else f"{seconds:.0f} s"


def _failure(run: Run, progress: Progress) -> str:
    """The reason in words and the end of the log, for a run that did not end well."""
    if progress.state not in ("failed", "interrupted"):
        return ""
    log = html.escape(run.log_tail())
    detail = f"<details><summary>The end of its log</summary><pre>{log}</pre></details>" if log else ""
    kept = "the best model so far is kept" if run.model_file.exists() else "there is no model yet to keep"
    why = progress.message or f"The run was interrupted; {kept}."
    return f'<p class="vw-alert" role="alert"><span aria-hidden="true">!</span>{html.escape(why)}</p>{detail}'
