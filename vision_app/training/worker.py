"""The training process: `python -m vision_app.training.worker RUN_DIR`. It writes to the run directory and nowhere else."""

import errno
import os
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from vision_app.errors import InputError
from vision_app.processes import created
from vision_app.runs import Run, list_runs

POLL_SECONDS, MAX_POLL_SECONDS = 0.25, 2.0
OUT_OF_MEMORY = ("ResourceExhaustedError", "OutOfMemoryError")  # TensorFlow's and torch's; jax says it in the text
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FULL_WORDS = tuple(os.strerror(number) for number in FULL)  # frameworks hide the number
SIGNALS = {signal.SIGINT: "stopped", signal.SIGTERM: "interrupted"}


class Asked:
    """What a signal asked for: None, "stopped" or "interrupted". Only a flag, read where stopping is safe."""

    def __init__(self) -> None:
        self.wanted: str | None = None
        for number in SIGNALS:
            signal.signal(number, self._remember)

    def _remember(self, number: int, _frame: object) -> None:
        self.wanted = SIGNALS[signal.Signals(number)]


def main(directory: str) -> int:
    """Wait for the device, train, and leave the end state in the run directory; return the exit code."""
    asked = Asked()
    run = Run(Path(directory).absolute())
    run.state_folder.mkdir(exist_ok=True)
    own = FileLock(run.state_folder / "worker.lock")
    try:
        own.acquire(blocking=False)
    except Timeout:
        return 0  # somebody else had it resumed in the same moment
    run.forget_half_files()
    me = psutil.Process()
    run.update_status(pid=me.pid, pid_started=created(me), message="Waiting for the device")
    lock = FileLock(run.path.parent / ".device.lock")
    try:
        state = _train(run, asked) if _wait_for_turn(run, lock, asked) else str(asked.wanted)
        run.update_status(state=state, finished=time.time(), message="")
        return 0
    except Exception as error:
        traceback.print_exc()
        run.update_status(state="failed", finished=time.time(), message=explain(error))
        return 1
    finally:
        lock.release()


def explain(error: Exception) -> str:
    """Say in words why a run failed."""
    name = type(error).__name__
    if isinstance(error, InputError) or name == "TrainingFailed":
        return str(error)
    if isinstance(error, MemoryError) or name in OUT_OF_MEMORY or "RESOURCE_EXHAUSTED" in str(error):
        return "Out of memory. Use a smaller batch size, input size or model."
    if getattr(error, "errno", None) in FULL or any(words in str(error) for words in FULL_WORDS):
        return "The disk is full. Free some space and start again; the best model so far is kept."
    first = str(error).strip().splitlines()[0] if str(error).strip() else "no further word"
    return f"Training broke off: {name}: {first}"


def _wait_for_turn(run: Run, lock: FileLock, asked: Asked) -> bool:
    """Hold the lock when it is free and no older run waits for it; False when asked to end first.

    The lock is tried before anything is read: while one run trains, fifty that wait cost it next to nothing.
    """
    while not asked.wanted:
        num_older = 0
        with suppress(Timeout):
            lock.acquire(blocking=False)
            num_older = _num_older_waiting(run)
            if not num_older:
                return True
            lock.release()
        time.sleep(min(MAX_POLL_SECONDS, POLL_SECONDS * (1 + num_older)))
    return False


def _num_older_waiting(run: Run) -> int:
    created = run.status().created
    waiting = (other for other in list_runs() if other.name != run.name and other.state() == "queued")
    return sum(other.status().created < created for other in waiting)


def _train(run: Run, asked: Asked) -> str:
    run.update_status(state="running", started=time.time(), message="Loading Keras")
    from vision_app.training.train import train

    return train(run, asked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
