"""Starting and stopping training processes. What a run does afterwards is read from its directory, by anyone."""

import json
import re
import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vision_app.config import RunConfig
from vision_app.data.datasets import find_dataset
from vision_app.errors import InputError
from vision_app.evaluate_run import evaluate_run
from vision_app.export.half import halve_keras, halve_tflite
from vision_app.predict import load_classifier
from vision_app.runs import (
    CHECKPOINT_FILES,
    LIVE,
    Run,
    checkpoints_root,
    create_run,
    list_runs,
    write_atomic,
)
from vision_app.training.launchers import launcher_of


def start(config: RunConfig, search: Mapping[str, Any] | None = None) -> Run:
    """Start a worker process for a new run and return at once; the run waits its turn if the device is busy.

    Args:
        config: of the run.
        search: what is kept beside a run that is part of one.
    """
    run = create_run(config)
    if search:
        write_atomic(run.search_file, json.dumps(search, indent=2))
    launcher_of(run).start(run)
    return run


def resume(run: Run, dataset: str | None = None) -> None:
    """Have a run that ended early go on after the last epoch that it finished, or begin anew before that; returns at once.

    Args:
        run: that ended early.
        dataset: where its images are now, such as on another machine; the worker refuses other images. None: where they were.

    Raises:
        InputError: it is still running, is complete, or saved nothing to go on from, or the dataset has other classes.
    """
    state = run.status().state
    if state in LIVE or state == "completed":
        raise InputError(f"{run.name} is {state}; only a run that ended early can be resumed.")
    if not can_resume(run):
        raise InputError(
            f"{run.name} ended before its first epoch was over, so nothing was saved; start it as a new run."
        )
    if dataset:
        found, config = find_dataset(dataset), run.config()
        if tuple(found.classes) != tuple(config.classes):
            raise InputError(
                f"{run.name} learns other classes than those of {found.title}; name the images that it began with."
            )
        write_atomic(run.path / "config.json", config.updated(dataset=found.name).to_json())
    run.last_epoch_file.unlink(missing_ok=True)
    anew = dict.fromkeys(("pid", "pid_started", "started", "finished", "seconds"))
    run.update_status(state="queued", asked=time.time(), message="", **anew)
    launcher_of(run).start(run)


def can_resume(run: Run) -> bool:
    """Whether a run ended early and saved what it takes to go on, or was ended before there was anything to save."""
    state = run.state()
    if run.is_checkpoint or state not in ("stopped", "failed", "interrupted"):
        return False
    # One that failed in its first epoch would fail there again.
    is_new = state != "failed" and run.status().best_epoch is None
    return is_new or any(run.state_folder.glob("epoch-*.npz"))


def stop(run: Run) -> None:
    """Ask a run to end and keep its best model; returns at once.

    Raises:
        InputError: the run has ended already.
    """
    status = run.status()
    if status.state not in LIVE:
        raise InputError(f"{run.name} is not running: it is {status.state}.")
    launcher_of(run).ask(run, "stopped")


def stop_after_epoch(run: Run) -> None:
    """Ask a run to end when the epoch that it is in is over, so that nothing of it is lost; returns at once.

    Raises:
        InputError: the run is in no epoch: it waits, is being tested, or has ended.
    """
    status = run.status()
    if status.state == "queued":
        raise InputError(f"{run.name} has not begun, so there is no epoch to finish; stop it at once instead.")
    if status.state != "running" or status.seconds is not None:
        what = "being tested" if status.state == "running" else status.state
        raise InputError(f"{run.name} is not training: it is {what}.")
    run.last_epoch_file.touch()


def interrupt_all() -> None:
    """Ask every worker that this process started to end and keep its best model, as when the app shuts down."""
    for run in list_runs():
        if run.state() in LIVE and (launcher := launcher_of(run)).started(run):
            launcher.ask(run, "interrupted")


def wait(run: Run, seconds: float | None = None) -> bool:
    """Wait for a worker that this process started; return whether it has ended."""
    return launcher_of(run).wait(run, seconds)


def check_name(name: str) -> None:
    """Refuse what cannot be a checkpoint's name.

    Raises:
        InputError: it holds anything but letters, digits, '-', '_' and '.'.
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
        raise InputError(f"A checkpoint's name takes letters, digits, '-', '_' and '.', got {name!r}.")


def publish(run: Run, name: str, half: bool = False) -> Run:
    """Copy a finished run to checkpoints/`name`, without its log and state.

    Args:
        run: one with a test report.
        name: of the checkpoint; one of that name is replaced.
        half: store the weights as 16-bit floats: files of half the size. The model so rounded is tested anew.

    Raises:
        InputError: the run has no report yet, the name is not a plain one, or 16 bits do not hold its weights.
    """
    check_name(name)
    report = run.report()
    if report is None:
        raise InputError(f"{run.name} has no test report yet; let it finish before publishing it.")
    root = checkpoints_root()
    root.mkdir(parents=True, exist_ok=True)
    # Beside its place until it is whole and tested, so that neither a reader nor a crash finds half of it.
    with tempfile.TemporaryDirectory(dir=root, prefix=f".{name}.") as folder:
        ready, target = Run(Path(folder) / name), Run(root / name)
        ready.path.mkdir()
        for file in CHECKPOINT_FILES:
            if (run.path / file).exists():
                shutil.copy(run.path / file, ready.path / file)
        if half:
            _halve(run, ready)
            report = json.loads(evaluate_run(ready).with_health(report.get("health")).to_json())
        write_atomic(ready.report_file, json.dumps({**report, "model": name}, indent=2))
        if target.path.exists():
            target.path.rename(Path(folder) / "before")
        ready.path.rename(target.path)
    return target


def _halve(run: Run, target: Run) -> None:
    """Write the model files of a run, their weights in 16 bits."""
    load_classifier(run)  # makes the second file if it is missing
    target.model_file.write_bytes(halve_keras(run.model_file.read_bytes()))
    target.tflite_file.write_bytes(halve_tflite(run.tflite_file.read_bytes()))
