"""Corrections: what they do to the splits, and that the originals stay as they are."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.data.photos import class_folders, write_folder
from vision_app.data import own
from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.patch import known_patch, parse_patch, patch_file, patch_text, patched, read_patch, write_patch
from vision_app.data.ready import fingerprint, ready_split, ready_training
from vision_app.data.splits import SplitRule
from vision_app.edits import Edit
from vision_app.errors import InputError
from vision_app.training.recipe import make_config

EXCLUDE = Edit(action="exclude", split="train", index=3, why="broken")
RELABEL = Edit(action="relabel", split="train", index=5, label="7")
MOVE = Edit(action="move", split="test", index=2, to="train")


@pytest.fixture
def folder(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(own, "_OPENED", {})
    return write_folder(tmp_path / "set", class_folders(20))


def test_what_edits_do_to_a_split() -> None:
    labels = np.array([0, 1, 2, 0, 1, 2])
    edits = (
        Edit(action="exclude", split="train", index=1),
        Edit(action="relabel", split="train", index=2, label="a"),
        Edit(action="move", split="train", index=4, to="test"),
        Edit(action="move", split="train", index=1, to="test"),  # excluded, so it goes nowhere
        Edit(action="exclude", split="test", index=0),
    )
    stays, corrected, leaves = patched("train", labels, ("a", "b", "c"), edits)
    assert stays.tolist() == [0, 2, 3, 5]
    assert corrected.tolist() == [0, 1, 0, 0, 1, 2] and labels.tolist() == [0, 1, 2, 0, 1, 2]
    assert {to: positions.tolist() for to, positions in leaves.items()} == {"test": [4]}


def test_the_file_lies_beside_the_dataset(folder: Path, data_folder: Path) -> None:
    assert patch_file(find_dataset(str(folder))) == folder.with_name("set.patch.json")
    assert patch_file(find_dataset("digits")) == data_folder / "patches" / "digits.patch.json"


def test_written_edits_are_read_again_and_the_last_one_counts(data_folder: Path) -> None:
    digits = find_dataset("digits")
    assert read_patch(digits) == ()
    again = RELABEL.model_copy(update={"label": "8"})
    write_patch(digits, [EXCLUDE, RELABEL, MOVE, again])
    assert read_patch(digits) == (EXCLUDE, again, MOVE)
    assert parse_patch(patch_text(digits, (EXCLUDE,)), digits, "x") == (EXCLUDE,)
    write_patch(digits, [])
    assert read_patch(digits) == ()


def test_a_run_sees_the_corrected_images(folder: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*.png")}
    dataset = find_dataset(str(folder))
    (train, train_labels), (test, test_labels) = (load_split(str(folder), split) for split in ("train", "test"))
    clean = make_config(str(folder), "simple_cnn", {})
    write_patch(
        dataset,
        [
            Edit(action="exclude", split="train", index=3),
            Edit(action="relabel", split="train", index=5, label="red"),
            Edit(action="move", split="test", index=2, to="train"),
        ],
    )
    config = make_config(str(folder), "simple_cnn", {})
    assert len(config.patch) == 3 and clean.patch == ()
    part = ready_split(config, str(folder), "train")
    plain = ready_split(clean, str(folder), "train")
    expected = np.append(np.delete(np.where(np.arange(len(train)) == 5, 2, train_labels), 3), test_labels[2])
    assert part.labels.tolist() == expected.tolist()
    assert np.array_equal(part.images[:-1], np.delete(plain.images[:], 3, axis=0))
    assert np.array_equal(part.images[-1:], ready_split(clean, str(folder), "test").images[2:3])
    assert len(ready_split(config, str(folder), "test")) == len(test) - 1
    assert fingerprint(*ready_training(config)) != fingerprint(*ready_training(clean))
    assert {path: path.read_bytes() for path in folder.rglob("*.png")} == before
    assert len(load_split(str(folder), "train")[1]) == len(train)


def test_edits_work_on_arrays_too(data_folder: Path) -> None:
    write_patch(find_dataset("digits"), [EXCLUDE, RELABEL, MOVE])
    config = make_config("digits", "simple_cnn", {})
    images, labels = load_split("digits", "train")
    part = ready_split(config, "digits", "train")
    assert len(part) == len(labels) and part.labels[4] == 7
    assert np.array_equal(part.originals[3], images[4])
    assert np.array_equal(part.originals[-1], load_split("digits", "test")[0][2])


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        ({"action": "exclude", "split": "train", "index": 5000}, "corrects image 5,000 of train, but .* has 1,438"),
        ({"action": "exclude", "split": "validation", "index": 0}, "has 0 there"),
        ({"action": "relabel", "split": "train", "index": 0, "label": "x"}, "the class 'x'"),
        ({"action": "relabel", "split": "train", "index": 0}, "the class 'None'"),
        ({"action": "move", "split": "train", "index": 0, "to": "train"}, "nowhere else"),
        ({"action": "move", "split": "train", "index": 0}, "nowhere else"),
        ({"action": "burn", "split": "train", "index": 0}, "as this app writes them"),
        ({"action": "exclude", "split": "train", "index": -1}, "as this app writes them"),
    ],
)
def test_edits_that_do_not_fit_are_refused(edit: dict, problem: str, data_folder: Path) -> None:
    digits = find_dataset("digits")
    with pytest.raises(InputError, match=problem):
        parse_patch(json.dumps({"edits": [edit]}), digits, "digits.patch.json")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"edits": 5}', "null"])
def test_a_damaged_file_is_told(text: str, data_folder: Path) -> None:
    digits = find_dataset("digits")
    patch_file(digits).parent.mkdir()
    patch_file(digits).write_text(text)
    with pytest.raises(InputError, match=r"digits\.patch\.json; correct or delete the file"):
        read_patch(digits)


def test_two_corrections_of_one_kind_for_one_image_are_refused() -> None:
    digits = find_dataset("digits")
    edits = [{"action": "move", "split": "train", "index": 3, "to": to} for to in ("test", "validation")]
    with pytest.raises(InputError, match="two corrections of one kind for image 3 of train; keep one"):
        parse_patch(json.dumps({"edits": edits}), digits, "p.json")


def test_corrections_of_another_division_are_refused(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "_OPENED", {})
    folder = str(write_folder(tmp_path / "set", class_folders(20)))
    write_patch(find_dataset(folder), [Edit(action="exclude", split="train", index=3)])
    with pytest.raises(InputError, match="undo them all in the Browse tab, or delete the file, and divide again"):
        own.divide_own(folder, SplitRule(seed=1))
    file = patch_file(find_dataset(folder))
    kept = file.read_text()
    file.unlink()
    own.divide_own(folder, SplitRule(seed=1))
    file.write_text(kept)
    with pytest.raises(InputError, match="were made for other files of set, or another division"):
        read_patch(find_dataset(folder))
    assert known_patch(find_dataset(folder)) == ()


def test_one_set_has_one_place_for_its_corrections(tmp_path: Path, data_folder: Path) -> None:
    folder = write_folder(tmp_path / "set", class_folders(8))
    spelled = find_dataset(str(folder / "red" / ".."))
    assert spelled.name == str(folder) and patch_file(spelled) == tmp_path / "set.patch.json"


@pytest.mark.parametrize("text", ["[" * 100_000, '{"edits": 5}'])
def test_rubbish_is_no_patch(text: str) -> None:
    with pytest.raises(InputError, match="Expected corrections as this app writes them"):
        parse_patch(text, find_dataset("digits"), "p.json")
