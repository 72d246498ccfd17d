"""Adding datasets: uploads are kept, paths stay where they are, and what is no dataset leaves nothing behind."""

import os
from pathlib import Path

import numpy as np
import pytest

from tests.data.photos import class_folders, write_folder, write_zip
from vision_app.data import own
from vision_app.data.datasets import find_dataset, list_datasets, load_split
from vision_app.errors import InputError
from vision_app.ui.browse_add import add_dataset, remove_dataset


@pytest.fixture(autouse=True)
def _fresh(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "_OPENED", {})


def test_an_uploaded_zip_is_kept(tmp_path: Path) -> None:
    upload = write_zip(tmp_path / "my photos.zip", class_folders(8))
    name = add_dataset(str(upload), "", "")
    upload.unlink()  # as Gradio does after a day
    assert name == "my_photos" and find_dataset(name).title == "my photos"
    assert load_split(name, "test")[0][0].shape == (20, 24, 3)
    assert [row.name for row in list_datasets()][-1] == name
    kept = find_dataset(name).place
    remove_dataset(name)
    assert not kept.exists() and "my_photos" not in [row.name for row in list_datasets()]


def test_a_path_stays_where_it_is(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set", class_folders(8))
    name = add_dataset(None, f" {folder} ", "Colours")
    assert (name, find_dataset(name).title, find_dataset(name).place) == ("colours", "Colours", folder)
    remove_dataset(name)
    assert len(list(folder.rglob("*.png"))) == 24


def test_arrays_are_taken_too(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.zeros((30, 8, 8), np.uint8), y=np.arange(30) % 3)
    assert find_dataset(add_dataset(str(tmp_path / "a.npz"), "", "")).counts["test"] == 6


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.zip", b"no zip", "Expected a zip archive"),
        ("a.txt", b"text", r"Expected a \.zip or \.npz, got a\.txt"),
        ("a.npz", b"text", "Cannot read"),
    ],
)
def test_what_is_no_dataset_leaves_nothing_behind(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=problem):
        add_dataset(str(tmp_path / name), "", "")
    uploads = Path(os.environ["VISION_APP_DATA"]) / "uploads"
    assert not uploads.exists() or list(uploads.iterdir()) == []
    assert list_datasets()[-1].name == "minc2500"


def test_something_must_be_given() -> None:
    with pytest.raises(InputError, match="got neither"):
        add_dataset(None, "  ", "x")
