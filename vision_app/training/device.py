"""Which processor a run uses, in words."""

import os
import subprocess


def gpu_names() -> list[str]:
    """Return the names of the NVIDIA GPUs of this machine, by asking its driver; empty without one."""
    try:
        query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
        reply = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in reply.stdout.splitlines() if line.strip()]


def describe_device() -> str:
    """Return what Keras computes on here: "CPU, 2 cores" or the GPU's name. Imports Keras."""
    import keras

    gpus = [device for device in keras.distribution.list_devices() if "cpu" not in device.lower()]
    if gpus:
        return ", ".join(gpu_names()) or ", ".join(gpus)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"CPU, {cores} cores"
