"""Which run the Train tab shows, and whether there is something new to show."""

import os
import time
from typing import Any

from vision_app.runs import LIVE, Run, is_readable, list_training_runs, runs_root
from vision_app.ui.train_table import shown_runs

Start = tuple[str, float | None]  # a run's name, and when it was last started
MAX_NAME = 60  # characters of a name that somebody made up


def find_run(name: str) -> Run | None:
    """Return a run by its plain name, or None; the page does not open paths."""
    path = runs_root() / name
    # Unlike Path.exists, no error for a name that is too long.
    found = name and path.name == name and os.path.isfile(path / "config.json")
    return Run(path) if found and not Run(path).imported_file.exists() else None


def choose_run(wanted: str) -> tuple[Run | None, str]:
    """Return the run to open, and a sentence where it is not the wanted one; without a wish, the one that runs or is newest."""
    if found := find_run(wanted):
        return found, ""
    runs = [run for run in list_training_runs() if is_readable(run)]
    live = next((run for run in runs if run.state() in LIVE), None)
    if not wanted:
        return live or next(iter(runs), None), ""
    shown = "the one that runs is shown" if live else "the newest one is shown" if runs else "there are no runs yet"
    name = wanted if len(wanted) <= MAX_NAME else f"{wanted[:MAX_NAME]}…"
    return live or next(iter(runs), None), f"There is no run '{name}' here; {shown}."


def start_of(name: str) -> Start:
    """Return which start of a run this is; a run that goes on has been started again."""
    run = find_run(name)
    if run is None or not is_readable(run):
        return name, None
    status = run.status()
    return name, status.asked or status.created


def traces(
    name: str, log_axis: bool, stopping: bool = False, smoothing: float = 0.0, beside: str = ""
) -> tuple[Any, ...]:
    """Return what changes when the page has something new to show: sizes and times of files, and the second while one runs."""
    sizes = [_history_size(find_run(each)) for each in (name, *beside.split(","))]
    own = (sizes, name, log_axis, stopping, smoothing, beside)
    states = [(other.name, _changed(other), other.state()) for other in shown_runs()]
    live = any(state in LIVE for _, _, state in states)
    return (own, tuple(states), int(time.time()) if live else 0)


def can_stop(run: Run | None) -> bool:
    """Whether Stop would still change anything: a run whose model is being tested ends by itself."""
    status = run.status() if run else None
    return status is not None and status.state in LIVE and status.seconds is None


def can_stop_after_epoch(run: Run | None) -> bool:
    """Whether a run is in an epoch that it has not yet been asked to be its last."""
    return can_stop(run) and run.state() == "running" and not run.last_epoch_file.exists()


def _history_size(run: Run | None) -> int:
    return run.history_file.stat().st_size if run and run.history_file.exists() else 0


def _changed(run: Run) -> tuple[int, int]:
    notes = run.notes_file
    return (run.path / "status.json").stat().st_mtime_ns, notes.stat().st_mtime_ns if notes.exists() else 0
