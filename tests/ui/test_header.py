import subprocess
from pathlib import Path

import pytest

from vision_app.ui import header


@pytest.fixture(autouse=True)
def fresh() -> None:
    header.device_badge.cache_clear()


def answer(monkeypatch: pytest.MonkeyPatch, text: str | Exception) -> None:
    """Pretend that the driver's tool says `text`."""

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess:
        if isinstance(text, Exception):
            raise text
        return subprocess.CompletedProcess(command, 0, text, "")

    monkeypatch.setattr(header.shutil, "which", lambda name: "/bin/nvidia-smi")
    monkeypatch.setattr(header.subprocess, "run", run)


def test_without_a_gpu_the_badge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header.shutil, "which", lambda name: None)
    monkeypatch.setattr(header, "num_cores", lambda: 2)
    assert header.device_badge() == "CPU, 2 cores · no GPU found"


def test_one_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "GPU 0: NVIDIA H200 (UUID: GPU-1a2b)\n")
    assert header.device_badge() == "NVIDIA H200"


def test_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "GPU 0: NVIDIA L4 (UUID: GPU-1)\nGPU 1: NVIDIA L4 (UUID: GPU-2)\n")
    assert header.device_badge() == "2 × NVIDIA L4"


@pytest.mark.parametrize(
    "problem", [subprocess.TimeoutExpired("nvidia-smi", 5), subprocess.CalledProcessError(9, "nvidia-smi"), OSError()]
)
def test_a_broken_driver_counts_as_none(monkeypatch: pytest.MonkeyPatch, problem: Exception) -> None:
    answer(monkeypatch, problem)
    assert "no GPU found" in header.device_badge()


def test_the_header_has_the_only_h1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header, "device_badge", lambda: "<b>GPU</b>")
    text = header.header_html()
    assert text.count("<h1>") == 1
    assert "&lt;b&gt;GPU&lt;/b&gt;" in text


def test_the_guide_is_the_readme_without_its_front_matter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("---\ntitle: x\n---\n# Guide\n\n![Train](docs/train.png)\n\n---\n\nend\n")
    monkeypatch.setattr(header, "GUIDE_FILE", readme)
    monkeypatch.setattr(header, "PICTURES", Path("/srv/app/docs"))
    assert header.guide_text() == "# Guide\n\n![Train](gradio_api/file=/srv/app/docs/train.png)\n\n---\n\nend\n"


def test_without_a_readme_the_guide_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(header, "GUIDE_FILE", tmp_path / "none.md")
    assert "README.md" in header.guide_text()
