"""What this machine computes with, as the driver's own tool tells it."""

import subprocess
from pathlib import Path

import pytest

from vision_app import device


def answer(monkeypatch: pytest.MonkeyPatch, text: str | Exception) -> None:
    """Pretend that the driver's tool says `text`."""

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess:
        if isinstance(text, Exception):
            raise text
        return subprocess.CompletedProcess(command, 0, text, "")

    monkeypatch.setattr(device.shutil, "which", lambda name: "/bin/nvidia-smi")
    monkeypatch.setattr(device.subprocess, "run", run)


def test_without_the_tool_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device.shutil, "which", lambda name: None)
    assert device.list_gpus() == []


def test_one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "GPU 0: NVIDIA H200 (UUID: GPU-1a2b)\n")
    assert device.describe_gpus(device.list_gpus()) == "NVIDIA H200"


def test_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "GPU 0: NVIDIA L4 (UUID: GPU-1)\nGPU 1: NVIDIA L4 (UUID: GPU-2)\n")
    assert device.describe_gpus(device.list_gpus()) == "2 × NVIDIA L4"


@pytest.mark.parametrize(
    "problem", [subprocess.TimeoutExpired("nvidia-smi", 5), subprocess.CalledProcessError(9, "nvidia-smi"), OSError()]
)
def test_a_broken_driver_counts_as_none(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    answer(monkeypatch, problem)
    assert device.list_gpus() == []


@pytest.mark.parametrize(("cores", "words"), [(1, "CPU, 1 core"), (2, "CPU, 2 cores")])
def test_cores_in_words(monkeypatch: pytest.MonkeyPatch, cores: int, words: str) -> None:
    monkeypatch.setattr(device, "num_cores", lambda: cores)
    assert device.describe_cpu() == words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "processor\t: 0\nflags\t\t: fpu amx_bf16 avx2\n\nprocessor\t: 1\nflags\t\t: fpu\n",
            {"fpu", "amx_bf16", "avx2"},
        ),
        ("processor\t: 0\nFeatures\t: fp asimd\n", set()),
        (None, set()),
    ],
)
def test_what_the_processor_can_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None, found: set[str]
) -> None:
    file = tmp_path / "cpuinfo"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(device, "Path", lambda name: file)
    assert device.cpu_features() == found
