"""Which processors this machine has, in words; asking needs no framework."""

import os
import re
import shutil
import subprocess


def num_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def list_gpus() -> list[str]:
    """Return the names of the NVIDIA GPUs, as the driver's own tool tells them."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    try:
        answer = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=5, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return []
    return re.findall(r"^GPU \d+: (.+?) \(UUID", answer, flags=re.MULTILINE)


def describe_gpus(names: list[str]) -> str:
    """Return "NVIDIA H200" or "2 × NVIDIA H200"."""
    return names[0] if len(names) == 1 else f"{len(names)} × {names[0]}"


def describe_cpu() -> str:
    """Return "CPU, 2 cores"."""
    cores = num_cores()
    return f"CPU, {cores} {'core' if cores == 1 else 'cores'}"
