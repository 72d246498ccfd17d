"""Child processes: what they are given (the package on their path, quiet logs, no secrets), and whether one still lives."""

import os
import threading
import time
from pathlib import Path

import psutil

SECRET_PARTS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "APIKEY")
SECRET_WORDS = {"KEY", "KEYS", "PAT", "AUTH"}  # whole words only: PATH is none
PARENT = "VISION_APP_PARENT"
POLL_SECONDS = 0.5


def child_environment() -> dict[str, str]:
    """Return this process's environment without secrets, with this package importable and GPU memory that grows.

    It also names this process, for children that are of no use without it: they call `end_with_parent`.
    """
    kept = {name: value for name, value in os.environ.items() if not _is_secret(name.upper())}
    package_parent = str(Path(__file__).absolute().parents[1])
    return {
        **kept,
        PARENT: f"{os.getpid()} {psutil.Process().create_time()}",
        "PYTHONPATH": os.pathsep.join([package_parent, *filter(None, [kept.get("PYTHONPATH")])]),
        "PYTHONUNBUFFERED": "1",
        "TF_FORCE_GPU_ALLOW_GROWTH": "true",
        "TF_CPP_MIN_LOG_LEVEL": kept.get("TF_CPP_MIN_LOG_LEVEL", "2"),
    }


def end_with_parent() -> None:
    """Have this process end as soon as the one that started it is gone, however that ended; on every system alike."""
    if PARENT not in os.environ:  # a person started it
        return
    pid, started = os.environ[PARENT].split()

    def watch() -> None:
        while is_alive(int(pid), float(started)):
            time.sleep(POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def is_alive(pid: int, started: float) -> bool:
    """Whether the very process that said so lives: a process number alone may have been given out again.

    Args:
        pid: its number.
        started: when it was created, in seconds since 1970.
    """
    try:
        process = psutil.Process(pid)
        return abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _is_secret(name: str) -> bool:
    return any(part in name for part in SECRET_PARTS) or bool(SECRET_WORDS & set(name.split("_")))
