from pathlib import Path

import pytest

from vision_app.ui import header


@pytest.fixture(autouse=True)
def fresh() -> None:
    header.device_badge.cache_clear()


def test_without_a_gpu_the_badge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header, "list_gpus", list)
    monkeypatch.setattr(header, "describe_cpu", lambda: "CPU, 2 cores")
    assert header.device_badge() == "CPU, 2 cores · no GPU found"


def test_a_gpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header, "list_gpus", lambda: ["NVIDIA H200"])
    assert header.device_badge() == "NVIDIA H200"


def test_the_header_has_the_only_h1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(header, "device_badge", lambda: "<b>GPU</b>")
    text = header.header_html()
    assert text.count("<h1>") == 1
    assert "&lt;b&gt;GPU&lt;/b&gt;" in text


def test_the_guide_is_the_readme_without_its_front_matter(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("---\ntitle: x\n---\n# Guide\n\n![Train](docs/train.png)\n\n---\n\nend\n")
    monkeypatch.setattr(header, "GUIDE_FILE", readme)
    assert header.guide_text() == "# Guide\n\n![Train](guide-pictures/train.png)\n\n---\n\nend\n"


def test_without_a_readme_the_guide_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(header, "GUIDE_FILE", tmp_path / "none.md")
    assert "README.md" in header.guide_text()
