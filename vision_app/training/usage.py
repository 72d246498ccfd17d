"""What a run's worker takes of the machine while it trains, asked from outside: it costs the training nothing."""

import time
from dataclasses import dataclass

import psutil

from vision_app.device import GpuUse, num_cores, read_gpus
from vision_app.readable import file_size
from vision_app.runs import Run

SECONDS_APART = 1.0  # over which processor time is measured
GPU_SECONDS = 3.0  # between two questions to the driver's tool, which takes a moment to answer


@dataclass(frozen=True)
class Usage:
    """What a worker takes.

    Args:
        cores: processor cores that it kept busy in the last second or more; None until there are two looks.
        memory_bytes: of the machine's memory.
        gpus: the GPUs of a run that computes on them.
    """

    cores: float | None
    memory_bytes: int
    gpus: tuple[GpuUse, ...] = ()

    def words(self) -> str:
        """Return "1.8 of 2 cores, 620.0 MB of memory", after what it takes of a GPU."""
        gpus = [
            f"GPU {100 * gpu.busy:.0f} % busy, {file_size(gpu.memory_bytes)} of its {file_size(gpu.total_bytes)}"
            for gpu in self.gpus
        ]
        cores = "" if self.cores is None else f"{self.cores:.1f} of {num_cores()} core{'s' * (num_cores() > 1)}, "
        return "; ".join([*gpus, f"{cores}{file_size(self.memory_bytes)} of memory"])


def read_usage(run: Run) -> Usage | None:
    """Return what a run's worker takes, or None for a run that is not running."""
    status = run.status()
    if status.state != "running" or status.pid is None:
        return None
    try:
        process = psutil.Process(status.pid)
        times, memory = process.cpu_times(), process.memory_info().rss
    except psutil.Error:  # it has just ended
        return None
    gpus = () if status.device.startswith("CPU") or not status.device else _gpus()
    return Usage(_cores(status.pid, times.user + times.system), memory, gpus)


def _cores(pid: int, seconds: float) -> float | None:
    """Return the cores kept busy since the last look that is long enough ago, of a process that took so many seconds by now."""
    now = time.monotonic()
    began, before, cores = _LOOKS.get(pid, (now, seconds, None))
    if now - began >= SECONDS_APART:
        cores = max(0.0, seconds - before) / (now - began)
        began, before = now, seconds
    _LOOKS.clear()  # one worker trains at a time
    _LOOKS[pid] = (began, before, cores)
    return cores


def _gpus() -> tuple[GpuUse, ...]:
    now = time.monotonic()
    if not _GPUS or now - _GPUS[0][0] >= GPU_SECONDS:
        _GPUS[:] = [(now, read_gpus())]
    return _GPUS[0][1]


_LOOKS: dict[int, tuple[float, float, float | None]] = {}
_GPUS: list[tuple[float, tuple[GpuUse, ...]]] = []
