"""How long each model takes for one image on this machine: measured when asked for, once a file."""

import threading

from vision_app.evaluate_run import run_latency
from vision_app.runs import LIVE, Run


def known_latency(run: Run) -> float | None:
    """Return the latency in milliseconds of a model's present file if it has been measured."""
    return _LATENCIES.get(_file_key(run))


def is_unmeasured(run: Run) -> bool:
    """Whether a run can be measured and has not been: it has ended and has a file for serving."""
    return _is_ready(run) and _file_key(run) not in _LATENCIES


def measure(run: Run) -> float | None:
    """Measure a model's latency in milliseconds, once a file; one at a time, as two would slow each other."""
    with _MEASURING:
        key = _file_key(run)
        if key not in _LATENCIES:
            try:
                _LATENCIES[key] = run_latency(run)
            except (ValueError, OSError):  # a damaged file has no latency; Classify says what is wrong with it
                _LATENCIES[key] = None
        return _LATENCIES[key]


def measured_latency(run: Run) -> float | None:
    """Return the latency of a run, measuring it if need be; None before it can be measured."""
    return measure(run) if _is_ready(run) else None


def _is_ready(run: Run) -> bool:
    try:
        return run.tflite_file.exists() and run.status().state not in LIVE
    except (ValueError, OSError):
        return False


def _file_key(run: Run) -> tuple[str, int]:
    try:
        return str(run.path), run.tflite_file.stat().st_mtime_ns
    except OSError:
        return str(run.path), 0


_LATENCIES: dict[tuple[str, int], float | None] = {}
_MEASURING = threading.Lock()
