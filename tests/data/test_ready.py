"""What a run trains on, validates on and tests on."""

from pathlib import Path

import numpy as np
import pytest

from tests.data.photos import class_folders, write_folder
from vision_app.data import own
from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.patch import write_patch
from vision_app.data.prepared import Preparation, prepare
from vision_app.data.ready import fingerprint, ready_split, ready_training
from vision_app.edits import Edit
from vision_app.errors import InputError
from vision_app.training.recipe import make_config


@pytest.fixture
def folder(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(own, "_OPENED", {})
    return write_folder(tmp_path / "set", class_folders(20))


def test_a_share_of_the_training_split_validates() -> None:
    config = make_config("digits", "simple_cnn", {"validation_fraction": 0.25, "input_size": 10})
    train, validation = ready_training(config)
    _, labels = load_split("digits", "train")
    assert len(train) + len(validation) == len(labels)
    assert np.abs(np.bincount(validation.labels) - np.bincount(labels) / 4).max() <= 1
    own_images = {image.tobytes() for image in train.originals} & {image.tobytes() for image in validation.originals}
    assert not own_images  # no picture of digits is there twice
    assert train.images[:].shape == (len(train), 10, 10, 1)


def test_a_published_validation_split_validates(folder: Path) -> None:
    config = make_config(str(folder), "simple_cnn", {"validation_fraction": 0.5})
    train, validation = ready_training(config)
    assert (len(train), len(validation)) == (42, 9)
    _, labels = load_split(str(folder), "validation")
    assert validation.labels.tolist() == labels.tolist()


def test_broken_pictures_are_left_out(folder: Path) -> None:
    images, labels = load_split(str(folder), "train")
    for name in images.names[3:6]:
        (folder / name).write_bytes(b"broken")
    own._OPENED.clear()
    train = ready_split(make_config(str(folder), "simple_cnn", {}), str(folder), "train")
    assert len(train) == 39 and train.num_broken == 3
    assert train.labels.tolist() == np.delete(labels, [3, 4, 5]).tolist()


def test_a_limit_draws_from_every_class() -> None:
    config = make_config("digits", "simple_cnn", {"train_limit": 200})
    train, validation = ready_training(config)
    assert abs(len(train) + len(validation) - 200) <= 5
    assert (np.bincount(train.labels, minlength=10) > 10).all()


def test_a_class_without_images_is_refused_with_the_counts(folder: Path) -> None:
    for name in folder.glob("red/*"):
        name.write_bytes(b"broken")
    with pytest.raises(InputError, match=r"none of red among 28 training images .* has 14"):
        ready_training(make_config(str(folder), "simple_cnn", {}))


def test_the_fingerprint_tells_images_and_labels_apart(folder: Path) -> None:
    config = make_config(str(folder), "simple_cnn", {})
    first = fingerprint(*ready_training(config))
    assert first == fingerprint(*ready_training(make_config(str(folder), "simple_cnn", {"input_size": 20})))
    train, validation = ready_training(config)
    swapped = train.choose(np.arange(len(train))[::-1])
    assert len({first, fingerprint(train), fingerprint(swapped, validation), fingerprint(validation, train)}) == 4


def moved(split: str, indices: range, to: str) -> list[Edit]:
    return [Edit(action="move", split=split, index=index, to=to) for index in indices]


def test_images_moved_to_validation_validate_where_no_such_split_is_published(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "_OPENED", {})
    files = {**class_folders(12, before="train/"), **class_folders(4, before="test/")}
    folder = str(write_folder(tmp_path / "set", files))
    settings = {"input_size": 20}
    before = ready_training(make_config(folder, "simple_cnn", settings))
    write_patch(find_dataset(folder), moved("train", range(6), "validation"))
    train, validation = ready_training(make_config(folder, "simple_cnn", settings))
    assert len(train) + len(validation) == sum(map(len, before)) == 36
    names = {image.tobytes() for image in validation.originals}
    published = prepare(load_split(folder, "train")[0], Preparation(20, 3, "crop"))
    assert {published.digests[index].tobytes() for index in range(6)} <= names


@pytest.mark.parametrize(("split", "to"), [("test", None), ("test", "train"), ("validation", None)])
def test_a_split_that_corrections_empty_is_told_before_training(folder: Path, split: str, to: str | None) -> None:
    row = find_dataset(str(folder))
    indices = range(row.counts[split])
    edits = moved(split, indices, to) if to else [Edit(action="exclude", split=split, index=index) for index in indices]
    write_patch(row, edits)
    config = make_config(str(folder), "simple_cnn", {})
    with pytest.raises(InputError, match=f"No image is left in {split}: the corrections leave all of them out"):
        ready_split(config, str(folder), split)


def test_too_few_images_to_validate_on_are_told(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "_OPENED", {})
    files = {**class_folders(1, before="train/"), **class_folders(2, before="test/")}
    folder = str(write_folder(tmp_path / "set", files))
    with pytest.raises(InputError, match="3 training images of 3 classes leave none to validate on; add images"):
        ready_training(make_config(folder, "simple_cnn", {}))
