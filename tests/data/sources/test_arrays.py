"""NumPy arrays under the names that people give them."""

from pathlib import Path

import numpy as np
import pytest

from vision_app.data.sources.arrays import load_arrays
from vision_app.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (6, 5, 4, 3)).astype(np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def saved(folder: Path, **arrays: np.ndarray) -> Path:
    np.savez(folder / "set.npz", **arrays)
    return folder / "set.npz"


@pytest.mark.parametrize(
    ("x", "y"),
    [("x_train", "y_train"), ("X_train", "Y_train"), ("train_images", "train_labels"), ("train_x", "train_y")],
)
def test_names_of_splits(tmp_path: Path, x: str, y: str) -> None:
    test = {x.replace("train", "test"): IMAGES[:2], y.replace("train", "test"): LABELS[:2]}
    classes, parts = load_arrays(saved(tmp_path, **{x: IMAGES, y: LABELS}, **test))
    assert classes == ("0", "1", "2")
    assert np.array_equal(parts["train"][0], IMAGES) and parts["test"][1].tolist() == [0, 1]


def test_a_folder_of_npy_files(tmp_path: Path) -> None:
    for name, array in {"X_train": IMAGES, "y_train": LABELS, "X_val": IMAGES[:3], "y_val": LABELS[:3]}.items():
        np.save(tmp_path / f"{name}.npy", array)
    assert load_arrays(tmp_path)[1].keys() == {"train", "validation"}


def test_without_splits(tmp_path: Path) -> None:
    for x, y in (("x", "y"), ("images", "labels"), ("data", "target")):
        assert load_arrays(saved(tmp_path, **{x: IMAGES, y: LABELS}))[1].keys() == {"all"}


def test_labels_of_every_kind_become_positions(tmp_path: Path) -> None:
    for labels, names in (
        (np.array(["dog", "cat", "dog", "owl", "cat", "owl"]), ("cat", "dog", "owl")),
        (np.array([7, 3, 7, 9, 3, 9]), ("3", "7", "9")),
        (np.eye(3)[[1, 0, 1, 2, 0, 2]], ("0", "1", "2")),
        (np.array([[1], [0], [1], [2], [0], [2]]), ("0", "1", "2")),
    ):
        classes, parts = load_arrays(saved(tmp_path, x=IMAGES, y=labels))
        assert classes == names
        assert parts["all"][1].tolist() == [1, 0, 1, 2, 0, 2]


def test_named_classes(tmp_path: Path) -> None:
    named = np.array(["a", "b", "c", "d"])
    assert load_arrays(saved(tmp_path, x=IMAGES, y=LABELS, classes=named))[0] == ("a", "b", "c", "d")
    with pytest.raises(InputError, match="Expected labels 0 to 1"):
        load_arrays(saved(tmp_path, x=IMAGES, y=LABELS, classes=named[:2]))


def test_pixels_of_every_kind_become_bytes(tmp_path: Path) -> None:
    for images, expected in (
        (IMAGES.astype(np.float32) / 255, IMAGES),
        (IMAGES.astype(np.float64), IMAGES),
        (IMAGES.astype(np.int64), IMAGES),
        (IMAGES.transpose(0, 3, 1, 2), IMAGES),
        (IMAGES[..., 0], IMAGES[..., :1]),
    ):
        assert np.array_equal(load_arrays(saved(tmp_path, x=images, y=LABELS))[1]["all"][0], expected)


@pytest.mark.parametrize(
    ("arrays", "problem"),
    [
        ({"a": IMAGES}, "Expected arrays such as x_train and y_train"),
        ({"x": IMAGES, "y": LABELS[:3]}, "6 images but 3 labels"),
        ({"x": IMAGES * -1.0, "y": LABELS}, "Expected pixel values 0 to 255"),
        ({"x": IMAGES * np.nan, "y": LABELS}, "Expected pixel values 0 to 255"),
        ({"x": IMAGES[0, 0], "y": LABELS}, "Expected images"),
        ({"x": IMAGES, "y": LABELS * 0}, "at least two classes"),
        ({"x": IMAGES, "y": LABELS * 0.5}, "Expected whole numbers or names"),
    ],
)
def test_what_is_no_dataset_is_told(tmp_path: Path, arrays: dict, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        load_arrays(saved(tmp_path, **arrays))


class Harm:
    """Would write a file when it is unpickled."""

    def __reduce__(self) -> tuple:
        return (open, (str(Harm.target), "w"))


def test_a_pickle_is_never_loaded(tmp_path: Path) -> None:
    Harm.target = tmp_path / "harm.txt"
    np.savez(tmp_path / "set.npz", x=np.array([Harm()], object), y=LABELS)
    with pytest.raises(InputError, match="without Python objects"):
        load_arrays(tmp_path / "set.npz")
    np.save(tmp_path / "x_train.npy", np.array([Harm()], object), allow_pickle=True)
    with pytest.raises(InputError, match="without Python objects"):
        load_arrays(tmp_path)
    assert not Harm.target.exists()


@pytest.mark.parametrize("cut", [0, 10, 300])
def test_a_damaged_file_is_told(tmp_path: Path, cut: int) -> None:
    path = saved(tmp_path, x=IMAGES, y=LABELS)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"Cannot read set\.npz"):
        load_arrays(path)


def test_labels_that_are_names_are_found_among_the_classes(tmp_path: Path) -> None:
    words = np.array(["b", "a", "c", "b", "a", "c"])
    classes, parts = load_arrays(saved(tmp_path, x=IMAGES, y=words, classes=np.array(["c", "b", "a"])))
    assert classes == ("c", "b", "a") and parts["all"][1].tolist() == [1, 2, 0, 1, 2, 0]
    with pytest.raises(InputError, match=r"Expected labels among the class names of set\.npz, got 'c'"):
        load_arrays(saved(tmp_path, x=IMAGES, y=words, classes=np.array(["a", "b"])))


@pytest.mark.parametrize(
    "classes", [np.array(3), np.array([["a", "b", "c"]]), np.array(["a", "a", "b"]), np.array(["a"])]
)
def test_class_names_are_a_list_of_different_ones(tmp_path: Path, classes: np.ndarray) -> None:
    with pytest.raises(InputError, match="Expected a list of at least two different class names"):
        load_arrays(saved(tmp_path, x=IMAGES, y=LABELS, classes=classes))


def test_what_is_neither_labels_nor_one_hot_is_refused(tmp_path: Path) -> None:
    hot = np.eye(3)[LABELS]
    assert load_arrays(saved(tmp_path, x=IMAGES, y=hot))[1]["all"][1].tolist() == LABELS.tolist()
    with pytest.raises(InputError, match="Expected a 1 and else 0 in each row"):
        load_arrays(saved(tmp_path, x=IMAGES, y=hot * 0.5))
