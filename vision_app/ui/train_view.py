"""What the Train tab says and shows: plain functions of configs and run directories."""

import functools
import html
import math
import time
from typing import Any

from vision_app.config import RunConfig
from vision_app.data.datasets import find_dataset, is_available
from vision_app.device import list_gpus
from vision_app.errors import InputError
from vision_app.figures import Series, curves, downsample
from vision_app.models.catalog import find_model
from vision_app.readable import duration, file_size, percent
from vision_app.runs import LIVE, Run, list_runs, runs_root
from vision_app.training.progress import Progress, measure

MAX_RUNS = 100
PATIENT_EPOCHS = 3
STATE_WORDS = {
    "queued": "Waiting for the device",
    "running": "Running",
    "completed": "Completed",
    "stopped": "Stopped",
    "failed": "Failed",
    "interrupted": "Interrupted",
}


def find_run(name: str) -> Run | None:
    """Return a run by its plain name, or None; the page does not open paths."""
    path = runs_root() / name
    return Run(path) if name and path.name == name and (path / "config.json").exists() else None


def traces(name: str, log_axis: bool) -> tuple[Any, ...]:
    """Return what changes when the page has something new to show: sizes and times of files, and the second while one runs."""
    run = find_run(name)
    own = (run.history_file.stat().st_size if run and run.history_file.exists() else 0, name, log_axis)
    states = [(other.name, _changed(other), other.state()) for other in list_runs()[:MAX_RUNS]]
    live = any(state in LIVE for _, _, state in states)
    return (own, tuple(states), int(time.time()) if live else 0)


def facts(dataset: str, model: str, input_size: int | None) -> str:
    """Return one line about what the chosen dataset and model mean together."""
    data, info = find_dataset(dataset), find_model(model)
    height, width, _ = data.image_shape
    size = int(input_size or info.input_size_for(height))
    parts = [f"{data.num_train:,} training images of {height} × {width} in {len(data.classes)} classes."]
    if size > height:
        parts.append(f"They are enlarged to {size} × {size} for this network.")
    if size < height:
        parts.append(f"They are reduced to {size} × {size}.")
    if not is_available(data):
        parts.append(f"Downloads {file_size(data.download_bytes)} first.")
    return f'<p class="vw-note"><strong>{html.escape(info.title)}:</strong> {html.escape(info.description)} {" ".join(parts)}</p>'


def live_html(run: Run | None, log_axis: bool) -> str:
    """Return everything about one run: where it stands, its curves, and what there is to say about them."""
    if run is None:
        return (
            '<div class="vw-empty vw-live-empty"><strong>No run chosen yet</strong>'
            "<span>Press Start: digits trains in about 10 seconds. The curves appear here, and stay when you leave.</span></div>"
        )
    history, config = run.history(), run.config()
    progress = measure(run, history)
    epochs = [line for line in history if line["kind"] == "epoch"]
    alerts = "".join(f"<li>{html.escape(text)}</li>" for text in remarks(progress, epochs))
    report = run.report()
    tested = (
        f'<p class="vw-said">Test accuracy {percent(report["accuracy"])} on {report["count"]:,} images.</p>'
        if report
        else ""
    )
    return (
        f'<section class="vw-live" aria-label="Run {html.escape(run.name)}">{_headline(run, config, progress)}{tested}'
        f'<ul class="vw-remarks">{alerts}</ul>{charts(config, history, progress, log_axis)}{_failure(run, progress)}</section>'
    )


def charts(config: RunConfig, history: list[dict[str, Any]], progress: Progress, log_axis: bool) -> str:
    """Return the two learning curves: loss and accuracy, training and validation."""
    batches = [line for line in history if line["kind"] == "batch"]
    epochs = [line for line in history if line["kind"] == "epoch"]
    title = finding(progress, epochs)
    plots = []
    for metric, heading in (("loss", "Loss"), ("accuracy", "Accuracy")):
        xs, ys = downsample([line["epoch"] for line in batches], [line[metric] for line in batches])
        series = [
            Series("Training", xs, ys),
            Series(
                "Validation",
                [line["epoch"] for line in epochs],
                [line[f"val_{metric}"] for line in epochs],
                kind="validation",
            ),
        ]
        best = next((line for line in epochs if line["epoch"] == progress.best_epoch), None)
        plots.append(
            curves(
                series,
                title=f"{heading}. {title}" if metric == "loss" else heading,
                percent=metric == "accuracy",
                log=log_axis and metric == "loss",
                x_max=config.epochs if progress.state in LIVE else None,
                best=(best["epoch"], best[f"val_{metric}"]) if best else None,
                empty="The curve starts with the first batch.",
            )
        )
    return f'<div class="vw-two">{"".join(plots)}</div>'


def finding(progress: Progress, epochs: list[dict[str, Any]]) -> str:
    """Say in a few words what the curve shows."""
    if progress.best_epoch is None:
        return "Learning" if progress.state == "running" else ""
    since = overfitting_since(epochs)
    return f"Best at epoch {progress.best_epoch}" + (f"; overfitting since {since}" if since else "")


def overfitting_since(epochs: list[dict[str, Any]]) -> int | None:
    """Return the epoch of the lowest validation loss if the last epochs lie clearly above it and training still improves."""
    if len(epochs) <= PATIENT_EPOCHS:
        return None
    lowest = min(range(len(epochs)), key=lambda i: epochs[i]["val_loss"])
    later = epochs[lowest + 1 :][-PATIENT_EPOCHS:]
    if len(later) < PATIENT_EPOCHS or later[-1]["loss"] >= epochs[lowest]["loss"]:
        return None
    rise = sum(line["val_loss"] for line in later) / len(later) - epochs[lowest]["val_loss"]
    return epochs[lowest]["epoch"] if rise > max(0.02, 0.15 * epochs[lowest]["val_loss"]) else None


def remarks(progress: Progress, epochs: list[dict[str, Any]]) -> list[str]:
    """Return what a teacher would point out."""
    said = []
    if progress.device.startswith("CPU") and known_gpus():
        said.append("This machine has a GPU, but Keras does not see it; the guide says how to install GPU support.")
    since = overfitting_since(epochs)
    if since:
        said.append(
            f"Overfitting: the validation loss has risen since epoch {since} while the training loss still falls."
        )
    if len(epochs) >= PATIENT_EPOCHS and progress.state == "running":
        losses = [line["loss"] for line in epochs]
        if min(losses) > 0.98 * losses[0]:
            said.append("Not learning: the training loss has hardly moved. Try another learning rate.")
    return said


known_gpus = functools.cache(list_gpus)


def runs_html(selected: str) -> str:
    """Return the table of runs, newest first; each name is a button that shows the run."""
    runs = list_runs()[:MAX_RUNS]
    if not runs:
        return '<div class="vw-empty"><strong>No runs yet</strong><span>Press Start: digits trains in about 10 seconds.</span></div>'
    rows = "".join(_row(run, run.name == selected) for run in runs)
    head = "".join(
        f'<th scope="col">{title}</th>' for title in ("Run", "State", "Dataset", "Model", "Best", "Test", "Age")
    )
    return f'<div class="vw-scroll"><table class="vw-runs"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _changed(run: Run) -> int:
    return (run.path / "status.json").stat().st_mtime_ns


def _row(run: Run, selected: bool) -> str:
    try:
        status, config, report = run.status(), run.config(), run.report()
    except InputError as error:
        return f"<tr><td>{html.escape(run.name)}</td><td colspan='6'>{html.escape(str(error))}</td></tr>"
    name = html.escape(run.name)
    button = f'<button type="button" data-run="{name}" aria-pressed="{str(selected).lower()}">{name}</button>'
    best = _monitored(status.best_value, config.monitor)
    test = percent(report["accuracy"]) if report else "-"
    age = duration(max(0.0, time.time() - status.created))
    cells = (STATE_WORDS[status.state], html.escape(config.dataset), html.escape(config.model), best, test, age)
    state = f'<td class="vw-state vw-{status.state}">'
    return f"<tr><td>{button}</td>{state}{cells[0]}</td>{''.join(f'<td>{cell}</td>' for cell in cells[1:])}</tr>"


def _headline(run: Run, config: RunConfig, progress: Progress) -> str:
    """Where the run stands: state, progress bar, and the numbers that change."""
    words = STATE_WORDS[progress.state] if progress.state != "running" else progress.message or "Running"
    numbers = [
        ("Epoch", f"{progress.epoch} of {progress.epochs}"),
        ("Speed", f"{progress.images_per_second:,.0f} images/s" if progress.images_per_second else "-"),
        ("Elapsed", _clock(progress.elapsed_seconds)),
        ("Left", _left(progress)),
        ("Best", _best(progress)),
        ("Device", progress.device or "-"),
    ]
    facts_list = "".join(f"<div><dt>{label}</dt><dd>{html.escape(value)}</dd></div>" for label, value in numbers)
    done = round(100 * progress.share, 1)
    title = f"{html.escape(find_dataset(config.dataset).title)}, {html.escape(find_model(config.model).title)}"
    return (
        f'<div class="vw-live-head"><h3>{title}</h3>'
        f'<span class="vw-state vw-{progress.state}" role="status">{html.escape(words)}</span></div>'
        f'<div class="vw-meter" role="progressbar" aria-label="Share of the run that is done" aria-valuemin="0" '
        f'aria-valuemax="100" aria-valuenow="{done}"><i style="width:{done}%"></i></div><dl class="vw-numbers">{facts_list}</dl>'
    )


def _best(progress: Progress) -> str:
    if progress.best_epoch is None:
        return "-"
    return f"{_monitored(progress.best_value, progress.monitor)} (epoch {progress.best_epoch})"


def _monitored(value: float | None, monitor: str) -> str:
    if value is None or not math.isfinite(value):
        return "-"
    return percent(value) if monitor.endswith("accuracy") else f"loss {value:.4f}"


def _left(progress: Progress) -> str:
    if progress.state not in LIVE:
        return "-"
    return f"about {_clock(progress.remaining_seconds)}" if progress.remaining_seconds is not None else "-"


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
    why = progress.message or "The run was interrupted; the best model so far is kept."
    return f'<p class="vw-alert" role="alert"><span aria-hidden="true">!</span>{html.escape(why)}</p>{detail}'
