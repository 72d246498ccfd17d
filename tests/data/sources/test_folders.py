"""A folder is listed once, and again when it has changed."""

import os
from pathlib import Path

import numpy as np
import pytest

from vision_app.data.images import FolderFiles
from vision_app.data.sources import folders
from vision_app.data.sources.folders import list_files
from vision_app.errors import InputError


@pytest.fixture
def root(tmp_path: Path, data_folder: Path) -> Path:
    for name in ("cat/a.jpg", "cat/.b.jpg", "dog/deep/c.png", "notes.txt", ".git/d.jpg", "dog/line\nbreak é.gif"):
        (tmp_path / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "photos" / name).write_bytes(b"x")
    return tmp_path / "photos"


EXPECTED = ["cat/a.jpg", "dog/deep/c.png", "dog/line\nbreak é.gif"]


def test_pictures_are_found_at_any_depth(root: Path) -> None:
    assert sorted(list_files(root)) == EXPECTED


def test_the_second_time_no_folder_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = list_files(root)
    monkeypatch.setattr(folders, "_walk", lambda root: pytest.fail("read again"))
    assert list_files(root) == first


@pytest.mark.parametrize("change", ["add", "remove", "rename"])
def test_a_change_is_seen(root: Path, change: str) -> None:
    list_files(root)
    os.utime(root / "dog" / "deep", ns=(1, 1))  # changes within one tick of the clock count too
    list_files(root)
    if change == "add":
        (root / "dog" / "deep" / "new.png").write_bytes(b"x")
    if change == "remove":
        (root / "dog" / "deep" / "c.png").unlink()
    if change == "rename":
        (root / "dog" / "deep" / "c.png").rename(root / "dog" / "deep" / "new.png")
    wanted = {"add": {"new.png", "c.png"}, "remove": set(), "rename": {"new.png"}}[change]
    assert {Path(name).name for name in list_files(root) if "deep" in name} == wanted


def test_a_damaged_cache_is_made_again(root: Path, data_folder: Path) -> None:
    list_files(root)
    [cache] = (data_folder / "cache" / "listings").iterdir()
    for content in (b"", b"rubbish", cache.read_bytes()[:-30]):
        cache.write_bytes(content)
        assert sorted(list_files(root)) == EXPECTED


def test_links_stay_inside(root: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (root / "cat" / "out.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "cat" / "in.jpg").symlink_to(root / "cat" / "a.jpg")
    (root / "cat" / "gone.jpg").symlink_to(root / "cat" / "none.jpg")
    (root / "loop").symlink_to(root)
    assert sorted(list_files(root)) == sorted([*EXPECTED, "cat/in.jpg"])


def test_many_files_are_counted_aloud(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "SAY_EVERY", 2)
    said: list[str] = []
    list_files(root, lambda share, words: said.append(words))
    assert said and "pictures" in said[-1]
    assert (
        np.load(next((Path(os.environ["VISION_APP_DATA"]) / "cache" / "listings").iterdir()))["times"].dtype == np.int64
    )


def test_a_folder_without_pictures_stays_one(tmp_path: Path, data_folder: Path) -> None:
    (tmp_path / "arrays").mkdir()
    (tmp_path / "arrays" / "x_train.npy").write_bytes(b"x")
    assert list_files(tmp_path / "arrays") == list_files(tmp_path / "arrays") == []  # the second time from the cache


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_no_picture(root: Path) -> None:
    os.mkfifo(root / "cat" / "pipe.jpg")
    assert sorted(list_files(root)) == EXPECTED
    with pytest.raises(InputError, match=r"Cannot read cat/pipe.jpg: it is no file"):
        FolderFiles(root).read("cat/pipe.jpg")
