"""The table of launchers: where a run's worker is started, and how it is asked to end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vision_app.lookup import find
from vision_app.processes import child_environment
from vision_app.runs import LIVE, STARTING_SECONDS, Run

Ending = Literal["stopped", "interrupted"]
SIGNALS = {"stopped": signal.SIGINT, "interrupted": signal.SIGTERM}


@dataclass(frozen=True)
class Launcher:
    """One place where workers run.

    Args:
        name, title: for `status.json`, for people.
        start: starts the worker of a run directory and returns at once.
        ask: asks a living worker to end in a state; returns at once.
        wait: (run, seconds or None) -> whether the worker, which this process started, has ended.
        started: whether this process started the run's worker.
    """

    name: str
    title: str
    start: Callable[[Run], None]
    ask: Callable[[Run, Ending], None]
    wait: Callable[[Run, float | None], bool]
    started: Callable[[Run], bool]


def launcher_of(run: Run) -> Launcher:
    """Return the row that a run was started by.

    Raises:
        InputError: this version knows no such launcher.
    """
    return find(LAUNCHERS, run.status().launcher, "launcher")


def _start(run: Run) -> None:
    """Start a process in a session of its own, which outlives this one."""
    with run.log_file.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "vision_app.training.worker", str(run.path)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=child_environment(),
        )
    for child in _CHILDREN.values():
        child.poll()  # collects those that have ended
    _CHILDREN[run.path] = process


def _ask(run: Run, ending: Ending) -> None:
    """Signal a worker, once it has said who it is: before that it would die without a word."""
    limit = time.monotonic() + STARTING_SECONDS
    while (status := run.status()).pid is None and status.state in LIVE and time.monotonic() < limit:
        time.sleep(0.05)
    if status.pid is not None and status.state in LIVE:
        with suppress(ProcessLookupError):  # it has ended by itself just now
            os.kill(status.pid, SIGNALS[ending])


def _wait(run: Run, seconds: float | None) -> bool:
    try:
        _CHILDREN[run.path].wait(seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def _started(run: Run) -> bool:
    return run.path in _CHILDREN


_CHILDREN: dict[Path, subprocess.Popen[bytes]] = {}

LAUNCHERS: dict[str, Launcher] = {
    row.name: row for row in (Launcher("local", "This machine", _start, _ask, _wait, _started),)
}
