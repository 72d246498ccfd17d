"""Images as a network receives them: the same from memory and from the file, and built once whatever happens."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from tests.data.photos import class_folders, write_folder
from tests.fakes import random_pictures
from vision_app.data import prepared
from vision_app.data.images import FileImages, FolderFiles
from vision_app.data.prepared import Chosen, Preparation, Stored, prepare
from vision_app.data.preprocess import preprocess
from vision_app.errors import InputError

SMALL = Preparation(16, 3, "crop")


@pytest.fixture
def images(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> FileImages:
    monkeypatch.setattr(prepared, "CHUNK", 4)
    files = class_folders(6)
    return FileImages(FolderFiles(write_folder(tmp_path / "set", files)), sorted(files))


def expected(images: FileImages, preparation: Preparation = SMALL) -> np.ndarray:
    size, channels, fit = preparation.size, preparation.channels, preparation.fit
    return np.concatenate([preprocess(image[None], size, channels, fit) for image in images])


@pytest.mark.parametrize("preparation", [SMALL, Preparation(9, 1, "pad"), Preparation(32, 3, "stretch")])
def test_files_are_decoded_as_everywhere(images: FileImages, preparation: Preparation) -> None:
    ready = prepare(images, preparation)
    assert ready.shape == (18, preparation.size, preparation.size, preparation.channels)
    assert np.array_equal(ready[:], expected(images, preparation))
    assert np.array_equal(ready[np.array([7, 0, 7])], expected(images, preparation)[[7, 0, 7]])
    assert ready.is_good.all() and ready.sizes.tolist() == [[20, 24]] * 18
    content = images.files.read(images.names[3])
    assert ready.digests[3].tobytes() == sha256(content).digest()


def test_the_second_time_nothing_is_decoded(images: FileImages, monkeypatch: pytest.MonkeyPatch) -> None:
    first = prepare(images, SMALL)[:]
    monkeypatch.setattr(prepared, "read_picture", lambda content: pytest.fail("decoded again"))
    said: list[float] = []
    assert np.array_equal(prepare(images, SMALL, lambda share, words: said.append(share))[:], first)
    assert said == []


def test_a_changed_file_is_decoded_again(images: FileImages, tmp_path: Path) -> None:
    prepare(images, SMALL)
    (tmp_path / "set" / images.names[0]).write_bytes(images.files.read(images.names[17]))
    again = FileImages(images.files, images.names)
    assert again.key != FileImages(images.files, images.names[:-1]).key
    assert np.array_equal(prepare(again, SMALL)[:], expected(again))


@pytest.mark.parametrize("after", [1, 3, 4])
def test_an_interrupted_build_goes_on_where_it_was(
    images: FileImages, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(Exception):
        pass

    def stop(share: float, words: str) -> None:
        if share >= after * 4 / 18 - 1e-9:
            raise Interrupted

    with pytest.raises(Interrupted):
        prepare(images, SMALL, stop)
    decoded = []
    read = prepared.read_picture
    monkeypatch.setattr(prepared, "read_picture", lambda content: decoded.append(1) or read(content))
    assert np.array_equal(prepare(images, SMALL)[:], expected(images))
    assert len(decoded) == 18 - 4 * after


def test_broken_pictures_are_known_and_the_rest_is_there(images: FileImages, tmp_path: Path) -> None:
    whole = images.files.read(images.names[5])
    for index, content in ((2, b""), (5, whole[: len(whole) // 2]), (9, b"text")):
        (tmp_path / "set" / images.names[index]).write_bytes(content)
    (tmp_path / "set" / images.names[11]).unlink()
    again = FileImages(images.files, images.names)
    ready = prepare(again, SMALL)
    assert np.flatnonzero(~ready.is_good).tolist() == [2, 5, 9, 11]
    good = np.flatnonzero(ready.is_good)
    assert np.array_equal(ready[good], expected(again[good]))


def test_nothing_but_broken_pictures_is_told(images: FileImages, tmp_path: Path) -> None:
    for name in images.names:
        (tmp_path / "set" / name).write_bytes(b"text")
    with pytest.raises(InputError, match="Not one of 18 pictures can be read"):
        prepare(FileImages(images.files, images.names), SMALL)


@pytest.mark.parametrize("name", ["state.bin", "digests.bin", "sizes.bin", "images.bin"])
@pytest.mark.parametrize("damage", ["zeros", "half", "rubbish", "gone"])
@pytest.mark.parametrize("finished", [True, False])
def test_each_of_its_files_is_checked(
    images: FileImages, data_folder: Path, name: str, damage: str, finished: bool
) -> None:
    whole = prepare(images, SMALL)
    [folder] = [path for path in (data_folder / "cache" / "prepared").iterdir() if path.is_dir()]
    content = (folder / name).read_bytes()
    if not finished:
        if damage in ("zeros", "rubbish"):
            return  # the right length, and no checksum yet: nothing can tell
        (folder / "checks.json").unlink()
    if damage == "gone":
        (folder / name).unlink()
    else:
        changed = {"zeros": bytes(len(content)), "half": content[: len(content) // 2], "rubbish": content[::-1]}[damage]
        if changed == content:
            changed = bytes(2 for _ in content)
        (folder / name).write_bytes(changed)
    again = prepare(FileImages(images.files, images.names), SMALL)
    assert np.array_equal(again[:], expected(images)) and again.is_good.all()
    assert np.array_equal(again.digests, whole.digests) and np.array_equal(again.sizes, whole.sizes)


@pytest.mark.parametrize("text", ["5", "null", "[" * 100_000, "{}", '{"chunks": [1], "facts": 2}'])
def test_checksums_that_are_none_are_made_again(images: FileImages, data_folder: Path, text: str) -> None:
    prepare(images, SMALL)
    next(data_folder.rglob("checks.json")).write_text(text)
    assert np.array_equal(prepare(FileImages(images.files, images.names), SMALL)[:], expected(images))


@pytest.mark.parametrize("damage", ["flip", "cut", "no checks", "rubbish"])
def test_a_damaged_file_is_built_again(images: FileImages, data_folder: Path, damage: str) -> None:
    prepare(images, SMALL)
    [folder] = [path for path in (data_folder / "cache" / "prepared").iterdir() if path.is_dir()]
    content = bytearray((folder / "images.bin").read_bytes())
    if damage == "flip":
        content[100] ^= 255
        (folder / "images.bin").write_bytes(content)
    elif damage == "cut":
        (folder / "images.bin").write_bytes(content[:-50])
    elif damage == "no checks":
        (folder / "checks.json").unlink()
    else:
        (folder / "checks.json").write_text("[1")
    assert np.array_equal(prepare(FileImages(images.files, images.names), SMALL)[:], expected(images))


def test_a_full_disk_is_told_before_anything_is_decoded(images: FileImages, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    monkeypatch.setattr(prepared.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(InputError, match=r"Preparing 18 images takes 67.1 MB of disk; free some space"):
        prepare(images, SMALL)


@pytest.mark.parametrize(
    "positions",
    [slice(None), slice(2, 9), slice(9, 2, -3), [3], [4, 5, 6, 1, 2, 9, 9], [17, 16, 0], [], slice(5, 5)],
)
def test_what_is_asked_for_is_read(images: FileImages, positions: slice | list[int]) -> None:
    ready = prepare(images, SMALL)
    assert isinstance(ready, Stored)
    chosen = positions if isinstance(positions, slice) else np.array(positions, int)
    assert np.array_equal(ready[chosen], expected(images)[chosen])


def test_a_file_that_was_cut_off_is_told(images: FileImages, data_folder: Path) -> None:
    ready = prepare(images, SMALL)
    file = next(data_folder.rglob("images.bin"))
    with file.open("r+b") as opened:
        opened.truncate(5000)
    with pytest.raises(InputError, match="have been cut off; delete cache/prepared"):
        ready[:]


@pytest.mark.parametrize("limit", [0, 2**28])
@pytest.mark.parametrize("size", [12, 20])
def test_arrays_are_brought_to_size_at_once_or_when_asked_for(
    size: int, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared, "MAX_ADVANCE_BYTES", limit)
    array = random_pictures((7, 12, 12, 1))
    ready = prepare(array, Preparation(size, 3, "crop"))
    assert ready.shape == (7, size, size, 3)
    assert np.array_equal(ready[:], preprocess(array, size, 3, "crop"))
    some = Chosen(ready, np.array([6, 2, 4]))
    assert len(some) == 3 and np.array_equal(some[np.array([2, 0])], preprocess(array[[4, 6]], size, 3, "crop"))


def test_the_faster_way_is_found_by_trying_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    used, clock = [], [0.0]
    monkeypatch.setattr(prepared.time, "perf_counter", lambda: clock[0])

    def way(name: str, seconds: float) -> Callable:
        def mapped(function: Callable, items: range) -> list[int]:
            used.append(name)
            clock[0] += seconds * len(items)
            return [function(item) for item in items]

        return mapped

    decode = prepared._FasterOf(way("slow", 0.004), way("fast", 0.001), way("slower", 0.008))
    for start in range(0, 50, 10):
        assert decode(lambda item: item + 1, range(start, start + 10)) == list(range(start + 1, start + 11))
    assert used == ["slow", "fast", "slower", "fast", "fast"]


def test_a_data_folder_that_cannot_be_written_to_is_named(images: FileImages, data_folder: Path) -> None:
    (data_folder / "cache").mkdir(exist_ok=True)
    (data_folder / "cache" / "prepared").write_text("in the way")
    with pytest.raises(InputError, match=r"Cannot write to the data folder, .*; set VISION_APP_DATA"):
        prepare(images, SMALL)
