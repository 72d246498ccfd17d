"""Datasets written out: what is read again is what was there."""

import csv
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.photos import class_folders, encoded, picture, write_folder, write_zip
from vision_app.data import own, writing, writing_places
from vision_app.data.augment import Augmenter
from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.patch import write_patch
from vision_app.data.reading import read_picture
from vision_app.data.safe_names import safe_names
from vision_app.data.writing import write_dataset
from vision_app.data.writing_places import LIST, RECEIPT
from vision_app.edits import Edit
from vision_app.errors import InputError


@pytest.fixture(autouse=True)
def _fresh(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.node.get_closest_marker("data") is None:
        request.getfixturevalue("data_folder")
    monkeypatch.setattr(own, "_OPENED", {})
    monkeypatch.setattr(own, "AGAIN_SECONDS", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A set of files in its publisher's division."""
    files = class_folders(6, before="train/") | class_folders(2, "jpg", "val/") | class_folders(3, before="test/")
    return write_folder(tmp_path / "colours", files)


def arrays(path: Path, channels: int = 3, classes: tuple[str, ...] = ("cat", "dog", "frog")) -> Path:
    """Write a .npz like CIFAR-10: small images in random order of their classes."""
    generator = np.random.default_rng(0)
    stored = {"classes": np.array(classes)}
    for split, count in (("train", 60), ("test", 20)):
        stored[f"x_{split}"] = generator.integers(0, 256, (count, 32, 32, channels), np.uint8)
        stored[f"y_{split}"] = generator.permutation(np.arange(count) % len(classes))
    np.savez(path, **stored)
    return path


def content(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def pixels(name: str, split: str) -> list[tuple[str, bytes]]:
    """Return the class and the pixels of every picture of a split."""
    dataset, (images, labels) = find_dataset(name), load_split(name, split)
    found = []
    for image, label in zip(images, labels, strict=True):
        image = np.repeat(image, 3, -1) if image.shape[-1] == 1 else image
        found.append((dataset.classes[label], repr(image.shape).encode() + image.tobytes()))
    return found


@pytest.mark.parametrize("end", ["out", "out.zip"])
@pytest.mark.parametrize("channels", [1, 3])
def test_arrays_come_back_the_same(tmp_path: Path, channels: int, end: str) -> None:
    source, target = str(arrays(tmp_path / "set.npz", channels)), tmp_path / end
    written = write_dataset(source, target)
    assert (written.path, written.splits) == (target, {"train": 60, "test": 20})
    assert (written.num_written, written.num_kept, written.num_broken, written.num_excluded) == (80, 0, 0, 0)
    before, after = find_dataset(source), find_dataset(str(target))
    assert (after.classes, after.counts, after.image_shape) == (before.classes, before.counts, before.image_shape)
    for split in before.counts:
        assert sorted(pixels(str(target), split)) == sorted(pixels(source, split))
        assert (
            np.bincount(load_split(str(target), split)[1]).tolist()
            == np.bincount(load_split(source, split)[1]).tolist()
        )


def test_the_list_keeps_the_order_and_the_names(tmp_path: Path) -> None:
    source = str(arrays(tmp_path / "set.npz", classes=("T-shirt/top", '=sum, "quoted"', "CON")))
    written = write_dataset(source, tmp_path / "out")
    assert written.folders == {'=sum, "quoted"': "=sum, _quoted_", "CON": "_CON", "T-shirt/top": "T-shirt_top"}
    listed = str(tmp_path / "out" / LIST)
    assert find_dataset(listed).classes == tuple(sorted(find_dataset(source).classes))
    for split in ("train", "test"):
        assert pixels(listed, split) == pixels(source, split)
    with open(listed, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert set(rows[0]) == {"path", "label", "split"} and len(rows) == 80
    assert rows[0]["path"].endswith("/00001.png")


def test_digits_have_a_list_and_numbers(tmp_path: Path) -> None:
    said: list[tuple[float, str]] = []
    write_dataset("digits", tmp_path / "out", lambda share, text: said.append((share, text)))
    assert said[-1] == (1.0, "Writing pictures: 1,797 of 1,797")
    assert (tmp_path / "out" / "train" / "7" / "00001.png").is_file()
    again = str(tmp_path / "out")
    assert find_dataset(again).counts == {"train": 1438, "test": 359} and find_dataset(again).image_shape == (8, 8, 1)
    assert sorted(pixels(again, "test")) == sorted(pixels("digits", "test"))


@pytest.mark.data("cifar10")
def test_cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = {split: tuple(part[:400] for part in load_split("cifar10", split)) for split in ("train", "test")}
    monkeypatch.setattr(writing, "load_split", lambda name, split, progress: first[split])
    write_dataset("cifar10", tmp_path / "out.zip")
    again = find_dataset(str(tmp_path / "out.zip"))
    assert (again.classes, again.image_shape) == (find_dataset("cifar10").classes, (32, 32, 3))
    for split, (images, labels) in first.items():
        expected = [(again.classes[label], image.tobytes()) for image, label in zip(images, labels, strict=True)]
        found = [(again.classes[label], image.tobytes()) for image, label in zip(*again.read(split), strict=True)]
        assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("end", ["out", "out.zip"])
def test_files_keep_their_bytes_and_names(folder: Path, tmp_path: Path, end: str) -> None:
    write_dataset(str(folder), tmp_path / end)
    if end == "out":
        found = content(tmp_path / end)
    else:
        with zipfile.ZipFile(tmp_path / end) as archive:
            found = {name: archive.read(name) for name in archive.namelist()}
    expected = {path.replace("val/", "validation/"): data for path, data in content(folder).items()}
    assert {path: data for path, data in found.items() if path not in (LIST, RECEIPT)} == expected
    assert find_dataset(str(tmp_path / end)).counts == find_dataset(str(folder)).counts
    for split in ("train", "validation", "test"):
        assert sorted(pixels(str(tmp_path / end), split)) == sorted(pixels(str(folder), split))


def test_a_set_that_nobody_divided_keeps_the_division_made_here(tmp_path: Path) -> None:
    source = write_zip(tmp_path / "colours.zip", class_folders(10))
    write_dataset(str(source), tmp_path / "out")
    for split in ("train", "validation", "test"):
        assert pixels(str(tmp_path / "out"), split) == pixels(str(source), split)


def test_files_of_one_name_are_all_written(tmp_path: Path) -> None:
    files = {
        f"{colour}/{place}/same{end}": encoded(picture(colour, number))
        for number, (colour, place, end) in enumerate(
            (colour, place, end) for colour in ("red", "green") for place in "abcd" for end in (".png", ".PNG")
        )
    }
    source = write_folder(tmp_path / "set", files)
    write_dataset(str(source), tmp_path / "out")
    found = {path.casefold(): data for path, data in content(tmp_path / "out").items() if path.lower().endswith("png")}
    assert sorted(found.values()) == sorted(files.values())


def test_files_whose_name_does_not_say_what_they_are_get_a_suffix(tmp_path: Path) -> None:
    names = [f"{colour}{number}.data" for colour in ("red", "blue") for number in range(5)]
    files = {name: encoded(picture(name[:-6], 1), "JPEG") for name in names}
    table = "path,label\n" + "".join(f"{name},{name[:-6]}\n" for name in names)
    source = write_folder(tmp_path / "set", files | {"list.csv": table.encode()}) / "list.csv"
    write_dataset(str(source), tmp_path / "out")
    assert sum(find_dataset(str(tmp_path / "out")).counts.values()) == 10
    assert {path[-9:] for path in content(tmp_path / "out") if path.endswith("jpg")} == {".data.jpg"}


def test_corrections_are_applied(folder: Path, tmp_path: Path) -> None:
    names, test = load_split(str(folder), "train")[0].names, load_split(str(folder), "test")[0].names
    write_patch(
        find_dataset(str(folder)),
        [
            Edit(action="exclude", split="train", index=0),
            Edit(action="relabel", split="train", index=1, label="red"),
            Edit(action="move", split="test", index=0, to="train"),
            Edit(action="relabel", split="test", index=0, label="green"),
        ],
    )
    written = write_dataset(str(folder), tmp_path / "out")
    assert written.splits == {"train": 18, "validation": 6, "test": 8} and written.num_excluded == 1
    found = content(tmp_path / "out")
    assert names[0].endswith("blue/000.png") and "train/blue/000.png" not in found
    red, green = (
        {data for path, data in found.items() if path.startswith(f"train/{colour}/")} for colour in ("red", "green")
    )
    assert len(red) == len(green) == 7
    assert (folder / names[1]).read_bytes() in red and (folder / test[0]).read_bytes() in green
    assert "train/blue/001.png" not in found and "test/blue/000.png" not in found


def test_broken_files_are_left_out_and_counted(folder: Path, tmp_path: Path) -> None:
    (folder / "train" / "red" / "000.png").write_bytes(b"no picture")
    written = write_dataset(str(folder), tmp_path / "out", augmentation={"flip": 1}, copies=2)
    assert (written.num_broken, written.splits["train"]) == (1, 34)
    assert not list((tmp_path / "out" / "train" / "red").glob("000*"))
    assert "000.png,red,train" not in (tmp_path / "out" / LIST).read_text()


class Killed(Exception):
    """Stands for whatever ends a writing."""


def kill_at(share: float):
    def progress(done: float, text: str) -> None:
        if done > share and text.startswith("Writing"):
            raise Killed

    return progress


def test_an_interrupted_folder_is_finished(tmp_path: Path) -> None:
    with pytest.raises(Killed):
        write_dataset("digits", tmp_path / "out", kill_at(0.3))
    half = content(tmp_path / "out")
    assert 500 < len(half) < 700 and LIST not in half
    assert all(Image.open(io.BytesIO(data)).verify() is None for path, data in half.items() if path.endswith("png"))
    (damaged, gone), left = sorted(path for path in half if path.endswith("png"))[:2], "train/0/00009.png.ab.part"
    (tmp_path / "out" / damaged).write_bytes(b"x" * len(half[damaged]))
    (tmp_path / "out" / gone).unlink()
    (tmp_path / "out" / left).write_bytes(b"half")
    written = write_dataset("digits", tmp_path / "out")
    assert written.num_kept == len(half) - 3 and written.num_written == 1797 - written.num_kept
    write_dataset("digits", tmp_path / "other")
    assert content(tmp_path / "out") == content(tmp_path / "other")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.png")}
    assert write_dataset("digits", tmp_path / "out").num_written == 0
    assert {path: path.stat().st_mtime_ns for path in times} == times


def test_an_interrupted_zip_leaves_nothing(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "out.zip"
    with pytest.raises(Killed):
        write_dataset(str(folder), target, kill_at(0.3))
    assert list(target.parent.iterdir()) == []
    first = write_dataset(str(folder), target)
    again = write_dataset(str(folder), target)
    assert (again.splits, again.num_written, again.num_kept) == (first.splits, 0, 33)
    write_dataset(str(folder), tmp_path / "twin.zip")
    assert target.read_bytes() == (tmp_path / "twin.zip").read_bytes()


def test_what_somebody_else_made_is_not_touched(folder: Path, tmp_path: Path) -> None:
    busy = write_folder(tmp_path / "busy", {"letter.txt": b"dear"})
    (tmp_path / "busy.zip").write_bytes(b"dear")
    for target, problem in (
        (busy, "is not empty, and was not written by this app"),
        (busy / "letter.txt", "Expected a folder or a .zip to write, got the file"),
        (tmp_path / "busy.zip", "is there already, and was not written by this app"),
        (folder / "out", "lie within each other"),
        (tmp_path, "lie within each other"),
    ):
        with pytest.raises(InputError, match=problem):
            write_dataset(str(folder), target)
    assert content(busy) == {"letter.txt": b"dear"} and (tmp_path / "busy.zip").read_bytes() == b"dear"
    (tmp_path / "empty").mkdir()
    assert write_dataset(str(folder), tmp_path / "empty").num_written == 33


@pytest.mark.parametrize("end", ["out", "out.zip"])
def test_another_writing_is_not_mixed_in(folder: Path, tmp_path: Path, end: str) -> None:
    write_dataset(str(folder), tmp_path / end)
    write_dataset(str(folder), tmp_path / end, seed=3)  # a seed of no changes
    with pytest.raises(InputError, match="was written from other images, corrections or settings"):
        write_dataset(str(folder), tmp_path / end, augmentation={"flip": 1}, copies=2)
    (folder / "train" / "red" / "000.png").write_bytes(b"changed")
    with pytest.raises(InputError, match="was written from other images"):
        write_dataset(str(folder), tmp_path / end)


def test_two_cannot_write_to_one_place(folder: Path, tmp_path: Path) -> None:
    def again(share: float, text: str) -> None:
        if text.startswith("Writing"):
            write_dataset(str(folder), tmp_path / "out")

    with pytest.raises(InputError, match="Something else is writing to"):
        write_dataset(str(folder), tmp_path / "out", again)


def test_a_full_disk_is_told(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(target: Path, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing_places, "put", full)
    with pytest.raises(InputError, match=r"Cannot write .* \(No space left on device\)"):
        write_dataset(str(folder), tmp_path / "out")


@pytest.mark.parametrize("channels", [1, 3])
def test_changed_copies_of_the_training_images(tmp_path: Path, channels: int) -> None:
    source, strengths = str(arrays(tmp_path / "set.npz", channels)), {"flip": 1.0, "noise": -1}
    written = write_dataset(source, tmp_path / "out", augmentation=strengths, copies=3, seed=5)
    assert written.splits == {"train": 180, "test": 20}
    found, images = content(tmp_path / "out"), load_split(source, "train")[0]
    write_dataset(source, tmp_path / "plain")
    plain = content(tmp_path / "plain")
    assert {path: data for path, data in plain.items() if path.endswith("png")}.items() <= found.items()
    with open(tmp_path / "out" / LIST, encoding="utf-8", newline="") as file:
        rows = [row["path"] for row in csv.DictReader(file) if row["split"] == "train"]
    assert [path.rpartition("_a")[2] for path in rows[:3]] == [rows[0], "1.png", "2.png"]
    for index in (0, 59):
        for copy in (1, 2):
            expected = Augmenter({"flip": 1.0, "noise": 0.05})(
                images[index : index + 1], np.random.default_rng([5, 0, index, copy])
            )[0]
            shown = read_picture(found[rows[index * 3 + copy]])
            assert np.array_equal(shown, np.broadcast_to(expected, shown.shape))
    for target, seed in ((tmp_path / "same", 5), (tmp_path / "other", 6)):
        write_dataset(source, target, augmentation=strengths, copies=3, seed=seed)
    assert content(tmp_path / "same") == found
    changed = {path for path, data in content(tmp_path / "other").items() if data != found[path]}
    assert changed == {path for path in found if "_a" in path} | {RECEIPT}


def test_changed_copies_of_files_are_png_and_the_same_in_a_zip(folder: Path, tmp_path: Path) -> None:
    for end in ("out", "out.zip"):
        write_dataset(str(folder), tmp_path / end, augmentation={"rotation": 20}, copies=2)
        assert find_dataset(str(tmp_path / end)).counts == {"train": 36, "validation": 6, "test": 9}
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == content(tmp_path / "out")
    assert (tmp_path / "out" / "train" / "red" / "003_a1.png").is_file()


@pytest.mark.parametrize(
    ("wishes", "problem"),
    [
        ({"augmentation": {"flip": 1}}, "need both an augmentation and at least 2 copies, got flip and 0"),
        ({"augmentation": {"flip": 0}, "copies": 2}, "got none and 2"),
        ({"copies": 2}, "got none and 2"),
        ({"copies": -1}, "must be 0 to 100, got -1"),
        ({"copies": 2, "augmentation": {"mixup": 1}}, "Mixup averages classes"),
        ({"copies": 2, "augmentation": {"spin": 1}}, "Unknown augmentation 'spin'"),
        ({"copies": 2, "augmentation": {"flip": 1}, "seed": -1}, "seed must be 0 or more"),
    ],
)
def test_impossible_wishes_are_refused(wishes: dict, problem: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=problem):
        write_dataset("digits", tmp_path / "out", **wishes)
    assert not (tmp_path / "out").exists()


HARD = ("a/b", "a_b", "A_B", "a\\b", "..", ".hidden", "con", "NUL.txt", "com1", "x. ", "x", "", "?", "*", "é", "e\u0301",
        "w" * 300, "w" * 299, "日" * 100, "__MACOSX", "$RECYCLE.BIN", "\udc80", "a\0b", "LPT³")  # fmt: skip


def test_safe_names() -> None:
    safe = safe_names(HARD)
    assert len({name.casefold() for name in safe}) == len(HARD)
    assert all(0 < len(name.encode()) < 130 and not set(name) & set('<>:"/\\|?*\0') for name in safe)
    assert all(name[0] != "." and name[-1] not in ". " for name in safe)
    reserved = {"con", "nul", "com1", "lpt³", "__macosx", "$recycle.bin"}
    assert not {name.split(".")[0].lower() for name in safe} & reserved
    kept = dict(zip(HARD, safe, strict=True))
    assert all(kept[name] == name for name in ("a_b", "x", "é"))
    assert safe_names(("cat", "Dog", "T-shirt")) == ("cat", "Dog", "T-shirt")


def test_hard_class_names_survive_as_folders(tmp_path: Path) -> None:
    classes = tuple(name for name in HARD if name.strip() == name and name and "\0" not in name and name != "\udc80")
    source = arrays(tmp_path / "set.npz", classes=classes)
    write_dataset(str(source), tmp_path / "out")
    assert len(find_dataset(str(tmp_path / "out")).classes) == len(classes)
    assert find_dataset(str(tmp_path / "out" / LIST)).classes == tuple(sorted(classes))
