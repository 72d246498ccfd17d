"""Datasets that a person brings, in every form, from the path to the images."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.data.photos import FORMATS, class_folders, write_folder, write_zip
from vision_app.data import own, registry
from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.images import FileImages
from vision_app.data.own import open_own, published_parts
from vision_app.data.reading import read_picture
from vision_app.data.splits import SplitRule, make_splits
from vision_app.data.stored_splits import division_file, read_division, write_division
from vision_app.errors import InputError


@pytest.fixture(autouse=True)
def _fresh(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "_OPENED", {})
    monkeypatch.setattr(own, "AGAIN_SECONDS", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "colours", class_folders(20))


def test_a_folder_is_divided_70_15_15(folder: Path) -> None:
    dataset = open_own(str(folder))
    assert dataset.classes == ("blue", "green", "red")
    assert dataset.counts == {"train": 42, "validation": 9, "test": 9}
    assert dataset.image_shape == (20, 24, 3)
    assert (dataset.title, dataset.name) == ("colours", str(folder))
    names = [set(dataset.read(split)[0].names) for split in dataset.counts]
    assert not names[0] & names[1] and len(set.union(*names)) == 60


def test_labels_belong_to_their_pictures(folder: Path) -> None:
    dataset = find_dataset(str(folder))
    for split in dataset.counts:
        images, labels = load_split(str(folder), split)
        assert [name.split("/")[0] for name in images.names] == [dataset.classes[label] for label in labels]
        assert all(
            np.array_equal(image, read_picture(folder / name)) for image, name in zip(images, images.names, strict=True)
        )


def test_a_zip_is_the_same_set(folder: Path, tmp_path: Path) -> None:
    archive = write_zip(tmp_path / "colours.zip", class_folders(20, before="colours/"))
    for split in ("train", "validation", "test"):
        (images, labels), (zipped, zipped_labels) = (load_split(str(path), split) for path in (folder, archive))
        assert labels.tolist() == zipped_labels.tolist()
        assert all(np.array_equal(one, other) for one, other in zip(images, zipped, strict=True))


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format(tmp_path: Path, suffix: str) -> None:
    dataset = open_own(str(write_folder(tmp_path / "set", class_folders(4, suffix))))
    images, _ = dataset.read("train")
    assert images[0].shape == (20, 24, 3) and images[0].dtype == np.uint8


def test_a_published_division_stays(tmp_path: Path) -> None:
    files = class_folders(5, before="train/") | class_folders(2, before="test/") | class_folders(1, before="val/")
    dataset = open_own(str(write_folder(tmp_path / "set", files)))
    assert dataset.counts == {"train": 15, "validation": 3, "test": 6}
    assert all(name.startswith("test/") for name in dataset.read("test")[0].names)


def test_without_a_test_part_the_validation_part_tests(tmp_path: Path) -> None:
    files = class_folders(5, before="train/") | class_folders(2, before="val/")
    dataset = open_own(str(write_folder(tmp_path / "set", files)))
    assert dataset.counts == {"train": 15, "test": 6}
    assert all(name.startswith("val/") for name in dataset.read("test")[0].names)


def test_a_csv_of_files(folder: Path) -> None:
    rows = [f"{name},{name.split('/')[0].upper()}" for name in class_folders(20)]
    (folder / "list.csv").write_text("path,label\n" + "\n".join(rows))
    dataset = open_own(str(folder / "list.csv"))
    assert dataset.classes == ("BLUE", "GREEN", "RED") and sum(dataset.counts.values()) == 60


def test_arrays(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (40, 9, 9)).astype(np.uint8)
    np.savez(tmp_path / "set.npz", x=images, y=np.arange(40) % 2)
    dataset = open_own(str(tmp_path / "set.npz"))
    assert dataset.image_shape == (9, 9, 1) and dataset.counts == {"train": 28, "validation": 6, "test": 6}


def test_pictures_of_many_sizes_have_no_common_shape(folder: Path, tmp_path: Path) -> None:
    from tests.data.photos import encoded, picture

    (folder / "red" / "000.png").write_bytes(encoded(picture("red", 0, (50, 40))))
    names = [name for split in ("train", "validation", "test") for name in open_own(str(folder)).read(split)[0].names]
    assert "red/000.png" in names
    for name in folder.glob("blue/*"):
        name.write_bytes(encoded(picture("blue", 1, (30, 30))))
    own._OPENED.clear()
    assert open_own(str(folder)).image_shape is None


def test_a_changed_folder_is_read_again(folder: Path) -> None:
    assert sum(open_own(str(folder)).counts.values()) == 60
    shutil.copy(folder / "red" / "000.png", folder / "red" / "copy.png")
    os.utime(folder / "red", ns=(5, 5))
    assert sum(open_own(str(folder)).counts.values()) == 61


def test_a_division_of_ones_own_is_kept_and_made_again(folder: Path) -> None:
    classes, parts = published_parts(str(folder))
    images, labels = own.join(parts)
    rule = SplitRule(0.5, 0.0, 0.5, seed=9)
    positions = make_splits(labels, classes, rule)
    write_division(folder, rule, positions, len(labels))
    dataset = open_own(str(folder))
    assert dataset.counts == {"train": 30, "test": 30}
    assert dataset.read("test")[0].names == images[positions["test"]].names
    assert read_division(folder).rule == rule
    shutil.copy(folder / "red" / "000.png", folder / "red" / "copy.png")
    os.utime(folder / "red", ns=(5, 5))
    with pytest.raises(InputError, match="had 60 images when it was divided and has 61 now"):
        open_own(str(folder))
    division_file(folder).write_text("{")
    with pytest.raises(InputError, match=r"The division in .* is damaged"):
        open_own(str(folder))


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("none", None, "There is no dataset at"),
        ("text.txt", b"x", "Cannot read text.txt as a dataset"),
        ("a.zip", b"x", "Expected a zip archive"),
        ("a.npz", b"x", "Cannot read a.npz"),
        ("a.csv", b"x", "Expected a first row path,label"),
    ],
)
def test_what_is_no_dataset_is_told(tmp_path: Path, name: str, content: bytes | None, problem: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=problem):
        find_dataset(str(tmp_path / name))


def test_too_few_images_of_a_class_are_told_with_the_counts(tmp_path: Path) -> None:
    files = {
        name: content for name, content in class_folders(4).items() if name != "red/000.png" and name != "red/001.png"
    }
    with pytest.raises(InputError, match="needs at least 3 images to be divided; too few: red 2"):
        open_own(str(write_folder(tmp_path / "set", files)))


def test_images_are_chosen_without_being_read(folder: Path) -> None:
    images = FileImages(open_own(str(folder)).read("train")[0].files, [f"missing{i}.png" for i in range(5)])
    assert images[np.array([3, 1])].names == ("missing3.png", "missing1.png")
    assert images[1:3].names == ("missing1.png", "missing2.png")
    assert images[np.array([True, False, False, False, True])].names == ("missing0.png", "missing4.png")
    assert (images + images).names[5:] == images.names
    with pytest.raises(InputError, match=r"Cannot read missing0\.png"):
        images[0]


def test_added_sets_have_names(folder: Path, tmp_path: Path) -> None:
    first = registry.add(folder, "My colours!", {"digits"})
    second = registry.add(tmp_path / "other", "my COLOURS", {"digits"})
    third = registry.add(tmp_path / "third", "digits", {"digits"})
    assert [first.name, second.name, third.name] == ["my_colours", "my_colours_2", "digits_2"]
    dataset = find_dataset("my_colours")
    assert (dataset.name, dataset.title) == ("my_colours", "My colours!")
    assert load_split("my_colours", "test")[1].tolist() == load_split(str(folder), "test")[1].tolist()
    assert registry.add(folder, "Again", set()).name == "again"  # the same place is not listed twice
    assert [row.name for row in registry.list_added()] == ["my_colours_2", "digits_2", "again"]
    registry.remove("again")
    with pytest.raises(InputError, match="Unknown dataset 'again'"):
        find_dataset("again")
    with pytest.raises(InputError, match="no added dataset 'again'"):
        registry.remove("again")


def test_a_damaged_list_of_added_sets_is_told(data_folder: Path) -> None:
    (data_folder / "added.json").write_text("[{]")
    with pytest.raises(InputError, match=r"added\.json.* is damaged"):
        find_dataset("mine")
    assert find_dataset("digits").name == "digits"
