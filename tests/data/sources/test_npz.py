"""MNIST's archive: whole and damaged."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from vision_app.data.sources.npz import load
from vision_app.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)
LABELS = np.array([5, 0, 4, 1, 9, 2], np.uint8)


def write(path: Path, compressed: bool = True, **arrays: np.ndarray) -> Path:
    whole = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:2], "y_test": LABELS[:2]} | arrays
    (np.savez_compressed if compressed else np.savez)(path, **whole)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mnist.npz"


@pytest.mark.parametrize("compressed", [True, False])
def test_an_archive_is_read(path: Path, compressed: bool) -> None:
    write(path, compressed)
    images, labels = load(path, "train")
    assert np.array_equal(images, IMAGES[..., None]) and images.dtype == np.uint8
    assert labels.tolist() == LABELS.tolist() and labels.dtype == np.int64
    assert len(load(path, "test")[0]) == 2


def refuse(path: Path) -> None:
    with pytest.raises(InputError, match=r"^mnist.npz is damaged: expected .*; delete it to fetch it again.$"):
        load(path, "train")


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_cut_files_are_refused(path: Path, compressed: bool, share: float) -> None:
    content = write(path, compressed).read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    refuse(path)


@pytest.mark.parametrize("compressed", [True, False])
def test_altered_files_are_refused(path: Path, compressed: bool) -> None:
    content = bytearray(write(path, compressed).read_bytes())
    content[300:310] = bytes(byte ^ 255 for byte in content[300:310])
    path.write_bytes(content)
    refuse(path)


def test_other_files_are_refused(path: Path) -> None:
    for content in (b"no archive", pickle.dumps({"x_train": 1}), b"PK\x03\x04" + b"\0" * 100):
        path.write_bytes(content)
        refuse(path)
    with path.open("wb") as file:
        np.save(file, IMAGES)
    refuse(path)


class Trap:
    """An object that leaves a trace when it is unpickled."""

    def __reduce__(self) -> tuple:
        return Path.touch, (Path("trace"),)


def test_a_pickle_is_never_run(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    trap = np.empty(6, object)
    trap[0] = Trap()
    for arrays in ({"x_train": trap}, {"y_train": trap}):
        write(path, **arrays)
        refuse(path)
    path.write_bytes(pickle.dumps(Trap()))
    refuse(path)
    assert not (path.parent / "trace").exists()


@pytest.mark.parametrize(
    "arrays",
    [
        {"x_train": IMAGES.astype(np.float32)},
        {"x_train": IMAGES[0]},
        {"x_train": IMAGES[..., None]},
        {"y_train": LABELS[:5]},
        {"y_train": LABELS[:, None]},
        {"y_train": LABELS.astype(str)},
        {"y_train": LABELS + 0.5},
    ],
    ids=["floats", "one image", "channels", "fewer labels", "label columns", "words", "half labels"],
)
def test_other_arrays_are_refused(path: Path, arrays: dict[str, np.ndarray]) -> None:
    refuse(write(path, **arrays))


def test_missing_arrays_are_refused(path: Path) -> None:
    np.savez(path, x_train=IMAGES)
    refuse(path)
