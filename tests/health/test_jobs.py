"""A look in a process of its own: it ends in a report, can be stopped, and says why it failed."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.data.photos import class_folders, write_folder
from vision_app.data import own, prepared
from vision_app.data.datasets import find_dataset
from vision_app.data.splits import SplitRule
from vision_app.health import jobs
from vision_app.health.embedding import Embedding


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


def test_a_look_ends_in_a_map_too_and_a_damaged_one_is_forgotten(folder: Path) -> None:
    jobs.report_file(str(folder)).parent.mkdir(parents=True)
    assert jobs.main(str(folder)) == 0
    found = jobs.read_map(str(folder))
    assert len(found.places) == 24 and {"tsne", "pca"} <= set(found.maps)
    whole = jobs.map_file(str(folder)).read_bytes()
    for number, content in enumerate((whole[: len(whole) // 2], whole[:-10], b"", b"PK\x03\x04zzz", b"text")):
        jobs.map_file(str(folder)).write_bytes(content)
        os.utime(jobs.map_file(str(folder)), ns=(number, number))
        assert jobs.read_map(str(folder)) is None
    misfit = Embedding(found.splits, found.parts, found.indices + 1000, found.vectors, found.maps)
    misfit.save(jobs.map_file(str(folder)))
    assert jobs.read_map(str(folder)) is None
    Embedding(found.splits, found.parts[:5], found.indices, found.vectors, found.maps).save(jobs.map_file(str(folder)))
    assert jobs.read_map(str(folder)) is None


def test_a_map_that_fails_does_not_cost_the_report(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(evidence: object, say: object) -> None:
        raise FloatingPointError("in a library")

    monkeypatch.setattr(jobs, "embed", fail)
    jobs.report_file(str(folder)).parent.mkdir(parents=True)
    jobs.map_file(str(folder)).write_bytes(b"of an earlier look")
    assert jobs.main(str(folder)) == 0
    assert jobs.read_report(str(folder)) is not None and not jobs.map_file(str(folder)).exists()


def test_another_division_of_as_many_images_needs_another_look(folder: Path) -> None:
    jobs.report_file(str(folder)).parent.mkdir(parents=True)
    assert jobs.main(str(folder)) == 0 and jobs.read_map(str(folder)) is not None
    counts = jobs.read_report(str(folder)).counts
    own.divide_own(str(folder), SplitRule(seed=1))
    assert find_dataset(str(folder)).counts == counts
    assert jobs.read_report(str(folder)) is None and jobs.read_map(str(folder)) is None


@pytest.mark.parametrize(
    "text", ["[]", "5", "{}", '{"pid": 1}', '{"pid": "x", "time": 1, "share": 0, "words": ""}', "[" * 10**5]
)
def test_a_status_that_is_none_counts_as_none(folder: Path, text: str) -> None:
    jobs.report_file(str(folder)).parent.mkdir(parents=True)
    jobs._status_file(str(folder)).write_text(text)
    assert jobs.progress_of(str(folder)) is None and jobs.error_of(str(folder)) == ""
    jobs.stop(str(folder))


def test_a_full_disk_is_told_and_not_taken_for_broken_pictures(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared.shutil, "disk_usage", lambda path: SimpleNamespace(free=1000))
    assert jobs.main(str(folder)) == 2
    assert "of disk; free some space" in jobs.error_of(str(folder))
