"""Child processes: what they are given (the package on their path, quiet logs, no secrets), and whether one still lives."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

SECRET_PARTS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "APIKEY")
SECRET_WORDS = {"KEY", "KEYS", "PAT", "AUTH"}  # whole words only: PATH is none
PARENT = "VISION_APP_PARENT"
GROWING = "TF_FORCE_GPU_ALLOW_GROWTH"  # TensorFlow would take all memory of a GPU at once
POLL_SECONDS = 0.5
BOOT = Path("/proc/sys/kernel/random/boot_id")
SAME_SECONDS = 2.5  # between two readings of the same start: some systems know it in whole seconds only


def child_environment() -> dict[str, str]:
    """Return this process's environment without secrets, with this package importable and GPU memory that grows.

    It also names this process, for children that are of no use without it: they call `end_with_parent`.
    """
    kept = {name: value for name, value in os.environ.items() if not _is_secret(name.upper())}
    package_parent = str(Path(__file__).absolute().parents[1])
    return {
        **kept,
        PARENT: f"{os.getpid()} {created(psutil.Process())}",
        "PYTHONPATH": os.pathsep.join([package_parent, *filter(None, [kept.get("PYTHONPATH")])]),
        "PYTHONUNBUFFERED": "1",
        GROWING: "true",
        "TF_CPP_MIN_LOG_LEVEL": kept.get("TF_CPP_MIN_LOG_LEVEL", "2"),
    }


def end_with_parent() -> None:
    """Have this process end as soon as the one that started it is gone, however that ended; on every system alike."""
    if PARENT not in os.environ:  # a person started it
        return
    pid, _, started = os.environ[PARENT].partition(" ")

    def watch() -> None:
        while is_alive(int(pid), started):
            time.sleep(POLL_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def created(process: psutil.Process) -> str:
    """Return when a process was created: on Linux which start of the machine it was, and the seconds since then.

    Linux reckons the seconds since 1970 from these and the clock, so that setting the clock would make it another process.
    """
    if not psutil.LINUX:
        return f"{process.create_time():.2f}"
    boot = ""
    with suppress(OSError):  # some containers do not say
        boot = BOOT.read_text().strip()
    return f"{boot} {process.create_time() - psutil.boot_time():.2f}"


def is_alive(pid: int, started: str | float) -> bool:
    """Whether the very process that said so lives: a process number alone may have been given out again.

    Args:
        pid: its number.
        started: when it was created, as `created` says; or in seconds since 1970, which does for as long as nobody sets the clock.
    """
    try:
        process = psutil.Process(pid)
        now = created(process) if isinstance(started, str) else str(process.create_time())
        boot, _, seconds = now.rpartition(" ")
        said_boot, _, said_seconds = str(started).rpartition(" ")
        is_same = boot == said_boot and abs(float(seconds) - float(said_seconds)) < SAME_SECONDS
        return is_same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _is_secret(name: str) -> bool:
    return any(part in name for part in SECRET_PARTS) or bool(SECRET_WORDS & set(name.split("_")))
