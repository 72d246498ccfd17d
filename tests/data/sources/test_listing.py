"""Classes and splits are read off folders as people lay them out."""

import pytest

from vision_app.data.sources.listing import is_picture, list_class_folders, list_rows
from vision_app.errors import InputError


@pytest.mark.parametrize("name", ["a.jpg", "x/B.JPEG", "c.png", "d.webp", "e.bmp", "f.gif", "g.tif", "h.TIFF"])
def test_pictures_are_known_by_their_names(name: str) -> None:
    assert is_picture(name)


@pytest.mark.parametrize(
    "name",
    ["a.txt", ".hidden.jpg", ".ipynb_checkpoints/a.jpg", "__MACOSX/cat/a.jpg", "cat/._a.jpg", "jpg", "@eaDir/a.jpg"],
)
def test_hidden_and_system_files_are_none(name: str) -> None:
    assert not is_picture(name)


def split_names(names: list[str]) -> dict[str, list[str]]:
    listing = list_class_folders(names, "here")
    return {
        split: [f"{name} {listing.classes[label]}" for name, label in zip(members, labels.tolist(), strict=True)]
        for split, (members, labels) in listing.splits.items()
    }


def test_class_folders() -> None:
    names = [
        "dog/b.jpg",
        "cat/a.jpg",
        "cat/deep/er/c.png",
        "notes.txt",
        "__MACOSX/cat/a.jpg",
        ".ipynb_checkpoints/x/a.jpg",
    ]
    assert split_names(names) == {"all": ["cat/a.jpg cat", "cat/deep/er/c.png cat", "dog/b.jpg dog"]}


@pytest.mark.parametrize("wrapper", ["", "photos/", "my/photos/"])
@pytest.mark.parametrize(("train", "test"), [("train", "test"), ("Training", "eval"), ("TRAIN", "val")])
def test_splits_above_the_classes(wrapper: str, train: str, test: str) -> None:
    names = [f"{wrapper}{train}/cat/a.jpg", f"{wrapper}{train}/dog/b.jpg", f"{wrapper}{test}/dog/c.jpg"]
    found = split_names(names)
    assert found["train"] == [f"{names[0]} cat", f"{names[1]} dog"]
    assert found["validation" if test == "val" else "test"] == [f"{names[2]} dog"]


def test_only_a_training_folder() -> None:
    assert split_names(["train/cat/a.jpg", "train/dog/b.jpg"]) == {
        "train": ["train/cat/a.jpg cat", "train/dog/b.jpg dog"]
    }


def test_a_class_may_be_called_like_a_split() -> None:
    assert split_names(["test/a.jpg", "cat/b.jpg"]) == {"all": ["cat/b.jpg cat", "test/a.jpg test"]}


def test_pictures_outside_of_any_class_are_counted() -> None:
    listing = list_class_folders(["cat/a.jpg", "dog/b.jpg", "c.jpg", "d.jpg"], "here")
    assert listing.left_out == {"outside of any class folder": 2}
    assert listing.classes == ("cat", "dog")


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        ([], "got none in here"),
        (["readme.txt"], "got none in here"),
        (["a.jpg", "b.jpg"], "got 2 pictures outside of any class folder"),
        (["cat/a.jpg", "cat/b.jpg"], "got only 'cat'"),
    ],
)
def test_what_is_no_dataset_is_said(names: list[str], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        list_class_folders(names, "here")


def test_rows_of_a_table() -> None:
    listing = list_rows([("a", "x", "train"), ("b", "y", "val"), ("c", "x", "test")], "t.csv")
    assert listing.classes == ("x", "y")
    assert {split: (names, labels.tolist()) for split, (names, labels) in listing.splits.items()} == {
        "train": (("a",), [0]),
        "validation": (("b",), [1]),
        "test": (("c",), [0]),
    }
    assert list(list_rows([("a", "x", ""), ("b", "y", "")], "t.csv").splits) == ["all"]
    with pytest.raises(
        InputError, match=r"a split in every row of t\.csv or in none, got 1 rows without, such as that of b"
    ):
        list_rows([("a", "x", "train"), ("b", "y", "")], "t.csv")
    with pytest.raises(InputError, match="got 'holdout'"):
        list_rows([("a", "x", "holdout"), ("b", "y", "train")], "t.csv")


@pytest.mark.parametrize("beside", ["cover.png", "extra/x.png", "docs/deep/x.png"])
def test_what_lies_beside_the_splits_is_left_out(beside: str) -> None:
    names = [f"set/{split}/{name}/{n}.png" for split in ("train", "test") for name in ("cat", "dog") for n in range(3)]
    if beside.startswith("docs"):  # as deep as the pictures: it could as well be a class
        assert "docs" in list_class_folders([*names, f"set/{beside}"], "set").classes
        return
    listing = list_class_folders([*names, f"set/{beside}"], "set")
    assert listing.classes == ("cat", "dog") and list(listing.splits) == ["train", "test"]
    assert listing.left_out == {"outside of any class folder": 1}
