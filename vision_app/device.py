"""Which processors this machine has, in words; asking needs no framework."""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple


class GpuUse(NamedTuple):
    """How much of a GPU is in use, by whomever: share of the time that it computes, 0..1, and memory."""

    busy: float
    memory_bytes: int
    total_bytes: int


def num_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_features() -> frozenset[str]:
    """Return what the processor can do beyond its kind's basic set, in Linux' words ("amx_bf16"); nothing on other systems."""
    try:
        about = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    found = re.search(r"^flags\s*: (.*)$", about, flags=re.MULTILINE)
    return frozenset(found[1].split()) if found else frozenset()


def list_gpus() -> list[str]:
    """Return the names of the NVIDIA GPUs, as the driver's own tool tells them."""
    return re.findall(r"^GPU \d+: (.+?) \(UUID", _ask_driver("-L"), flags=re.MULTILINE)


def read_gpus() -> tuple[GpuUse, ...]:
    """Return how much of each NVIDIA GPU is in use; those that do not tell are left out."""
    answer = _ask_driver("--query-gpu=utilization.gpu,memory.used,memory.total", "--format=csv,noheader,nounits")
    rows = re.findall(r"^(\d+), (\d+), (\d+)$", answer, flags=re.MULTILINE)
    return tuple(GpuUse(int(busy) / 100, int(used) * 2**20, int(total) * 2**20) for busy, used, total in rows)


def _ask_driver(*options: str) -> str:
    """Return what the NVIDIA driver's tool answers; nothing where there is none, or it is broken."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ""
    try:
        return subprocess.run([tool, *options], capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return ""


def describe_gpus(names: list[str]) -> str:
    """Return "NVIDIA H200" or "2 × NVIDIA H200"."""
    return names[0] if len(names) == 1 else f"{len(names)} × {names[0]}"


def describe_cpu() -> str:
    """Return "CPU, 2 cores"."""
    cores = num_cores()
    return f"CPU, {cores} {'core' if cores == 1 else 'cores'}"
