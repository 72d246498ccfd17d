"""Starting and stopping training processes. What a run does afterwards is read from its directory, by anyone."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from vision_app.config import RunConfig
from vision_app.errors import InputError
from vision_app.runs import CHECKPOINT_FILES, LIVE, Run, checkpoints_root, create_run, list_runs

SECRET_WORDS = ("TOKEN", "SECRET", "PASSWORD", "API_KEY", "CREDENTIAL")


def start(config: RunConfig) -> Run:
    """Start a worker process for a new run and return at once; the run waits its turn if the device is busy."""
    run = create_run(config)
    with run.log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "vision_app.training.worker", str(run.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=worker_environment(),
        )
    _CHILDREN[run.path] = process
    return run


def worker_environment() -> dict[str, str]:
    """Return the environment of a worker: this one's without secrets, with growing GPU memory."""
    kept = {name: value for name, value in os.environ.items() if not any(word in name.upper() for word in SECRET_WORDS)}
    package_parent = str(Path(__file__).absolute().parents[2])
    paths = [package_parent, *filter(None, [kept.get("PYTHONPATH")])]
    return {
        **kept,
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUNBUFFERED": "1",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "TF_CPP_MIN_LOG_LEVEL": kept.get("TF_CPP_MIN_LOG_LEVEL", "2"),
    }


def stop(run: Run) -> None:
    """Ask a run to end and keep its best model; returns at once.

    Raises:
        InputError: the run has ended already.
    """
    status = run.status()
    if status.state not in LIVE:
        raise InputError(f"{run.name} is not running; it has {status.state}.")
    _signal(run, signal.SIGINT)


def interrupt_all() -> None:
    """Ask every worker that this process started to save and end, as when the app shuts down."""
    for run in list_runs():
        if run.path in _CHILDREN and run.status().state in LIVE:
            _signal(run, signal.SIGTERM)


def wait(run: Run, seconds: float | None = None) -> bool:
    """Wait for a worker that this process started; return whether it has ended."""
    try:
        _CHILDREN[run.path].wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def publish(run: Run, name: str) -> Run:
    """Copy a finished run to checkpoints/`name`, without its log and state.

    Raises:
        InputError: the run has no report yet.
    """
    if run.report() is None:
        raise InputError(f"{run.name} has no test report yet; let it finish before publishing it.")
    target = checkpoints_root() / name
    target.mkdir(parents=True, exist_ok=True)
    for file in CHECKPOINT_FILES:
        if (run.path / file).exists():
            shutil.copyfile(run.path / file, target / file)
    return Run(target)


def _signal(run: Run, number: signal.Signals) -> None:
    pid = run.status().pid
    if pid is not None:
        os.kill(pid, number)


_CHILDREN: dict[Path, subprocess.Popen[bytes]] = {}
