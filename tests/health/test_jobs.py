"""A look in a process of its own: it ends in a report, can be stopped, and says why it failed."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.data.photos import class_folders, write_folder
from vision_app.data import own
from vision_app.health import jobs


@pytest.fixture
def folder(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(own, "_OPENED", {})
    return write_folder(tmp_path / "set", class_folders(8))


def until(reached: Callable[[], object], seconds: float = 120) -> None:
    limit = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.05)


def test_a_look_ends_in_a_report(folder: Path) -> None:
    assert jobs.read_report(str(folder)) is None and jobs.progress_of(str(folder)) is None
    jobs.start(str(folder))
    assert jobs.progress_of(str(folder)) is not None
    jobs.start(str(folder))  # a second one is not begun
    assert len([child for child in jobs._CHILDREN if child.poll() is None]) == 1
    until(lambda: jobs.progress_of(str(folder)) is None)
    assert jobs.error_of(str(folder)) == ""
    assert sum(jobs.read_report(str(folder)).counts.values()) == 24
    (folder / "red" / "new.png").write_bytes((folder / "red" / "000.png").read_bytes())
    own._OPENED.clear()
    assert jobs.read_report(str(folder)) is None  # of another state of the set


def test_a_look_can_be_stopped(folder: Path) -> None:
    jobs.start(str(folder))
    until(lambda: (jobs._status(str(folder)) or {}).get("pid"))
    jobs.stop(str(folder))
    assert jobs.progress_of(str(folder)) is None and jobs.error_of(str(folder)) == ""
    until(lambda: all(child.poll() is not None for child in jobs._CHILDREN))
    assert jobs.read_report(str(folder)) is None


def test_a_failed_look_says_why(folder: Path) -> None:
    for path in folder.rglob("red/*"):
        path.unlink()
    for path in folder.rglob("blue/*"):
        path.unlink()
    assert jobs.main(str(folder)) == 2
    assert "Expected at least two folders" in jobs.error_of(str(folder))


def test_a_look_that_died_is_told(folder: Path) -> None:
    jobs.report_file(str(folder)).parent.mkdir(parents=True)
    jobs._write_status(str(folder), share=0.5, words="Comparing", pid=2**22 - 1, started=1.0)
    assert jobs.progress_of(str(folder)) is None
    assert "ended without a word" in jobs.error_of(str(folder))
