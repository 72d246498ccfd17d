"""Datasets of the Hugging Face Hub, from a stand-in of it on this machine, over its real routes."""

import io
import json
import logging
import shutil
import threading
import time
import traceback
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.data.hub_server import Hub, running
from tests.data.photos import class_folders, encoded, picture
from tests.data.sources.test_parquet import NAMES, make_parquet, pictures, standard
from vision_app.data import own, registry
from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.own import divide_own, open_own, published_parts
from vision_app.data.patch import patch_file
from vision_app.data.prepared import Preparation, prepare
from vision_app.data.reading import read_picture
from vision_app.data.sources import hub as hub_source
from vision_app.data.sources import hub_download
from vision_app.data.splits import SplitRule
from vision_app.errors import InputError

CANARY = "hf_canaryCANARYcanary"
TRAIN, TEST = "data/train-00000-of-00001.parquet", "data/test-00000-of-00001.parquet"
CARD = b"""---
license: mit
dataset_info:
  features:
  - name: image
    dtype: image
  - name: label
    dtype:
      class_label:
        names:
          '0': red
          '1': green
          '2': blue
---
# Colours
"""


@pytest.fixture(autouse=True)
def hub(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    from huggingface_hub import close_session

    monkeypatch.setattr(own, "_OPENED", {})
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    close_session()
    with running() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        yield server


def parquet_files(shift: int = 0) -> dict[str, bytes]:
    return {"README.md": CARD, ".gitattributes": b"x", TRAIN: standard(30, shift), TEST: standard(9, 100)}


def zipped(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def forget() -> None:
    """Make the next call look at the disk again."""
    own._OPENED.clear()


def left_behind(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.suffix == ".part"]


def test_a_parquet_dataset(hub: Hub, data_folder: Path) -> None:
    commit = hub.add("ann/colours", parquet_files()).names["main"]
    dataset = find_dataset("hub:ann/colours")
    assert dataset.name == f"hub:ann/colours@{commit}" and dataset.title == "ann/colours"
    assert dataset.classes == NAMES and dataset.counts == {"train": 30, "test": 9}
    assert dataset.image_shape == (20, 24, 3) and dataset.licence == "mit" and commit in dataset.homepage
    images, labels = load_split("hub:ann/colours", "test")
    assert labels.tolist() == [i % 3 for i in range(100, 109)]
    assert np.array_equal(images[8], read_picture(encoded(picture(NAMES[108 % 3], 108))))
    assert prepare(images, Preparation(8, 3, "stretch")).is_good.all()
    assert patch_file(dataset).is_relative_to(data_folder / "hub")


def test_class_names_come_from_the_card(hub: Hub) -> None:
    content = make_parquet({"image": pictures(30), "label": [i % 3 for i in range(30)]})
    hub.add("ann/colours", {"README.md": CARD, "train.parquet": content})
    dataset = find_dataset("hub:ann/colours")
    assert dataset.classes == NAMES and dataset.counts == {"train": 18, "validation": 6, "test": 6}


def test_class_folders(hub: Hub) -> None:
    files = class_folders(6, before="data/train/") | class_folders(2, before="data/val/")
    hub.add("ann/folders", files | {"preview.png": b"x", "assets/logo.png": b"x", "script.py": b"x"})
    dataset = find_dataset("hub:ann/folders")
    assert dataset.classes == ("blue", "green", "red") and dataset.counts == {"train": 18, "test": 6}
    assert dataset.left_out == {"outside of the dataset's folders": 2}
    images, labels = dataset.read("train")
    for image, name, label in zip(images, images.names, labels, strict=True):
        assert np.array_equal(image, read_picture(files[name])) and dataset.classes[label] in name
    assert not hub.asked("script.py") and not hub.asked("logo.png")


@pytest.mark.parametrize(
    "archives",
    [
        {"colours.zip": class_folders(8)},
        {"data/colours.zip": class_folders(8, before="colours/")},
        {f"{name}.zip": {f"{i}.png": encoded(picture(name, i)) for i in range(8)} for name in NAMES},
        {f"{name}.zip": {f"{name}/{i}.png": encoded(picture(name, i)) for i in range(8)} for name in NAMES},
    ],
)
def test_zips(hub: Hub, archives: dict[str, dict[str, bytes]]) -> None:
    hub.add("ann/zips", {name: zipped(files) for name, files in archives.items()} | {"preview.png": b"x"})
    dataset = find_dataset("hub:ann/zips")
    assert dataset.classes == ("blue", "green", "red") and sum(dataset.counts.values()) == 24
    images, labels = dataset.read("train")
    for image, label in zip(images, labels, strict=True):
        assert ("red", "green", "blue")[image.reshape(-1, 3).mean(0).argmax()] == dataset.classes[label]


@pytest.mark.parametrize("before", ["", "train/", "photos/"])
def test_a_zip_for_each_split(hub: Hub, before: str) -> None:
    test = before.replace("train", "test")
    archives = {"data/train.zip": class_folders(6, before=before), "data/test.zip": class_folders(2, before=test)}
    hub.add("ann/zips", {name: zipped(files) for name, files in archives.items()})
    assert find_dataset("hub:ann/zips").counts == {"train": 18, "test": 6}


def test_a_reference_keeps_its_commit_when_the_branch_moves(hub: Hub) -> None:
    repository = hub.add("ann/colours", parquet_files())
    first = repository.names["main"]
    repository.commit(parquet_files(), "v1.0")
    before = load_split("hub:ann/colours", "train")[0]
    second = repository.commit(parquet_files(shift=1))
    forget()
    assert find_dataset("hub:ann/colours").name == f"hub:ann/colours@{first}"
    assert load_split("hub:ann/colours", "train")[0].key == before.key
    assert find_dataset("hub:ann/colours@v1.0").name.endswith(first)
    newer = find_dataset(f"hub:ann/colours@{second}")
    assert newer.read("train")[0].files.read("train/000000.png") == encoded(picture(NAMES[1], 1))
    assert newer.read("train")[0].key != before.key
    assert before.files.read("train/000000.png") == encoded(picture(NAMES[0], 0))


def test_the_hubs_own_conversion_is_a_revision(hub: Hub) -> None:
    repository = hub.add("ann/odd", {"data.tar": b"x"})
    repository.commit({"default/train/0000.parquet": standard(30)}, "refs/convert/parquet")
    with pytest.raises(InputError, match=r"got \.tar; hub:ann/odd@refs/convert/parquet"):
        find_dataset("hub:ann/odd")
    assert sum(find_dataset("hub:ann/odd@refs/convert/parquet").counts.values()) == 30


def test_what_was_fetched_is_read_without_the_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("ann/colours", parquet_files())
    name = find_dataset("hub:ann/colours").name
    count = len(hub.requests)
    forget()
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    for reference in (name, "hub:ann/colours", "hub:ann/colours@main"):
        assert find_dataset(reference).counts == {"train": 30, "test": 9}
    assert len(hub.requests) == count


def test_without_a_network_it_is_told(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:1")
    with pytest.raises(InputError, match=r"Cannot reach the Hub at 127\.0\.0\.1 \(ConnectError\); connect"):
        find_dataset("hub:ann/colours")


@pytest.mark.parametrize(
    "reference", ["hub:", "hub:name", "hub:a/b/c", "hub:a/../b", "hub:../b", "hub:a/b@", "hub:a--b/c"]
)
def test_what_is_no_reference_is_told(hub: Hub, reference: str) -> None:
    with pytest.raises(InputError, match="Expected hub:owner/name or hub:owner/name@revision, got"):
        find_dataset(reference)
    assert not hub.requests


@pytest.mark.parametrize("token", [None, "hf_right"])
def test_unknown_datasets_and_revisions_are_told(hub: Hub, monkeypatch: pytest.MonkeyPatch, token: str | None) -> None:
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    hub.add("ann/colours", parquet_files())
    with pytest.raises(InputError, match="There is no dataset ann/none on the Hub, or it is private; check the name"):
        find_dataset("hub:ann/none")
    with pytest.raises(InputError, match="ann/colours has no revision 'v9'; expected a branch, tag or commit"):
        find_dataset("hub:ann/colours@v9")
    with pytest.raises(InputError, match="has no revision"):
        find_dataset(f"hub:ann/colours@{'0' * 40}")


def test_a_card_that_cannot_be_read_does_no_harm(hub: Hub) -> None:
    hub.add("ann/colours", parquet_files() | {"README.md": b"---\nlicense: [\n---\n\xff"})
    assert find_dataset("hub:ann/colours").classes == NAMES


@pytest.mark.parametrize("access", ["gated", "private"])
def test_what_needs_a_token_is_told_and_then_read(hub: Hub, monkeypatch: pytest.MonkeyPatch, access: str) -> None:
    hub.add("ann/colours", parquet_files(), **{access: True})
    with pytest.raises(InputError, match=access + ".*HF_TOKEN"):
        find_dataset("hub:ann/colours")
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(InputError, match=r"The Hub answered 401 .*set HF_TOKEN to a token that may read it"):
        find_dataset("hub:ann/colours")
    monkeypatch.setenv("HF_TOKEN", "hf_right")
    assert find_dataset("hub:ann/colours").counts == {"train": 30, "test": 9}


@pytest.mark.parametrize(
    ("status", "advice"), [(403, "set HF_TOKEN"), (500, "try again later"), (418, "try again later")]
)
def test_other_answers_are_told(hub: Hub, status: int, advice: str) -> None:
    hub.status = status
    with pytest.raises(InputError, match=f"The Hub answered {status} when asked for ann/colours; {advice}"):
        find_dataset("hub:ann/colours")


def test_an_answer_of_something_else_is_told(hub: Hub) -> None:
    hub.status = 200  # as the page of a hotel's network does
    with pytest.raises(InputError, match=r"127\.0\.0\.1 did not answer as the Hub does"):
        find_dataset("hub:ann/colours")


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({"README.md": CARD, "data.csv": b"a,b"}, r"Expected Parquet files or pictures in class folders in ann/odd, got \.csv, \.md"),
        ({}, "got nothing"),
        ({"a.png": b"x", "b.png": b"x"}, r"got \.png"),
        ({"one/a.png": b"x", "one/b.png": b"x"}, "Expected at least two folders named after classes in ann/odd, got only 'one'"),
        ({"train.parquet": b"PAR1 and no more"}, r"train\.parquet is damaged or missing; delete .*train\.parquet"),
        ({"train.parquet": make_parquet({"text": ["a"]})}, "Expected a column of pictures"),
        ({"train.parquet": make_parquet({"image": pictures(1)})}, "Expected a column 'label'"),
        ({"photos.zip": b"PK no zip"}, r"Expected a zip archive, but photos\.zip is damaged"),
        ({"../a.parquet": b"x"}, "names a file outside of itself"),
    ],
)  # fmt: skip
def test_what_is_no_dataset_is_told(hub: Hub, files: dict[str, bytes], problem: str) -> None:
    hub.add("ann/odd", files)
    with pytest.raises(InputError, match=problem):
        find_dataset("hub:ann/odd")


def test_a_damaged_file_can_be_deleted_and_fetched_again(hub: Hub) -> None:
    hub.add("ann/colours", parquet_files())
    folder = find_dataset("hub:ann/colours").place
    (folder / TRAIN).write_bytes(b"PAR1")
    forget()
    with pytest.raises(InputError, match=f"delete {folder / TRAIN} to fetch it again"):
        find_dataset("hub:ann/colours")
    (folder / TRAIN).unlink()
    assert find_dataset("hub:ann/colours").counts == {"train": 30, "test": 9}
    (folder / "hub.json").write_text("{")
    forget()
    with pytest.raises(InputError, match=r"hub\.json is damaged; delete"):
        find_dataset("hub:ann/colours")
    shutil.rmtree(folder)
    assert find_dataset("hub:ann/colours").counts == {"train": 30, "test": 9}


@pytest.mark.parametrize("spoil", [lambda c: c[:-1] + b"x", lambda c: c[:-9], lambda c: c + b"more"])
def test_altered_files_are_not_kept(hub: Hub, data_folder: Path, spoil) -> None:
    hub.add("ann/colours", parquet_files())
    hub.spoil = lambda path, content: spoil(content) if path == TEST else content
    with pytest.raises(InputError, match=f"did not send {TEST} of ann/colours as it describes it"):
        find_dataset("hub:ann/colours")
    assert not list(data_folder.rglob("test-*")) and not left_behind(data_folder)
    hub.spoil = lambda path, content: content
    assert find_dataset("hub:ann/colours").counts == {"train": 30, "test": 9}


def test_what_a_killed_process_left_is_cleared(hub: Hub, data_folder: Path) -> None:
    commit = hub.add("ann/colours", parquet_files()).names["main"]
    part = data_folder / "hub" / "ann--colours" / commit / "data" / "0123.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"half")
    find_dataset("hub:ann/colours")
    assert not left_behind(data_folder)


def test_a_data_folder_that_cannot_be_written_is_told(hub: Hub, data_folder: Path) -> None:
    (data_folder / "hub").write_text("a file")
    with pytest.raises(InputError, match=r"Cannot write to .*ann--colours \("):
        find_dataset("hub:ann/colours")


def test_a_class_may_be_called_test(hub: Hub) -> None:
    files = {f"{name}/{i}.png": encoded(picture("red", i)) for name in ("test", "dev") for i in range(6)}
    hub.add("ann/odd", files | {"other/1.png": b"x", "other/2.png": b"x", "other/3.png": b"x"})
    assert find_dataset("hub:ann/odd").classes == ("dev", "other", "test")


def test_a_broken_connection_leaves_nothing(hub: Hub, data_folder: Path) -> None:
    hub.add("ann/colours", parquet_files())
    hub.before_half = lambda path: (_ for _ in ()).throw(ConnectionError)
    with pytest.raises(InputError, match=r"Cannot reach the Hub .*\(RemoteProtocolError\)"):
        find_dataset("hub:ann/colours")
    assert not list(data_folder.rglob("*.parquet")) and not left_behind(data_folder)


def test_progress_counts_files_and_bytes(hub: Hub) -> None:
    hub.add("ann/folders", class_folders(20))
    said: list[tuple[float, str]] = []
    find_dataset("hub:ann/folders", lambda share, sentence: said.append((share, sentence)))
    shares = [share for share, sentence in said if sentence.startswith("Downloading")]
    assert shares == sorted(shares) and shares[-1] == 1
    assert said[-1][1].startswith("Downloading ann/folders: 60 of 60 files, 0.1 of 0.1 MB")


class Enough(Exception):
    """What a page raises to end a download."""


def test_a_download_is_interrupted_in_the_middle_of_a_file(
    hub: Hub, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tallies: list[hub_download._Tally] = []

    class Watched(hub_download._Tally):
        def __init__(self) -> None:
            super().__init__()
            tallies.append(self)

    def hold(path: str) -> None:
        """Send the second half of the training part only when the download was stopped."""
        while path == TRAIN and not tallies[-1].stopped:
            time.sleep(0.01)

    def stop(share: float, sentence: str) -> None:
        if "1 of 2 files" in sentence:
            raise Enough

    hub.add("ann/colours", parquet_files())
    hub.before_half = hold
    monkeypatch.setattr(hub_download, "_Tally", Watched)
    with pytest.raises(Enough):
        find_dataset("hub:ann/colours", stop)
    assert not left_behind(data_folder) and not list(data_folder.rglob("train-*"))
    assert not list(data_folder.rglob("hub.json")) and not list(data_folder.rglob("revisions.json"))
    hub.before_half, asked = lambda path: None, len(hub.asked("/storage/"))
    assert find_dataset("hub:ann/colours").counts == {"train": 30, "test": 9}
    assert [path.split("/")[-1] for path in hub.asked("/storage/")[asked:]] == [
        Path(TRAIN).name
    ]  # what was whole stays


@pytest.mark.parametrize("kind", [Enough, KeyboardInterrupt, ValueError, OSError])
def test_what_a_callback_raises_comes_through(hub: Hub, data_folder: Path, kind: type[BaseException]) -> None:
    hub.add("ann/colours", parquet_files())

    def stop(share: float, sentence: str) -> None:
        raise kind

    with pytest.raises(kind) as caught:
        find_dataset("hub:ann/colours", stop)
    assert not isinstance(caught.value, InputError) and not left_behind(data_folder)


def test_two_at_a_time_fetch_it_once(hub: Hub) -> None:
    hub.add("ann/colours", parquet_files())
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(hub_source.fetch("hub:ann/colours"))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1 and len(found) == 3 and len(hub.asked("/storage/")) == 2


def test_the_token_stays_secret(
    hub: Hub, data_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("HF_TOKEN", f" {CANARY}\n")  # as copied
    said: list[str] = []
    hub.token = "hf_other"
    hub.add("ann/colours", parquet_files(), gated=True)
    for status in (0, 403, 404):
        hub.status = status
        with pytest.raises(InputError) as caught:
            find_dataset("hub:ann/colours", lambda share, sentence: said.append(sentence))
        said.append("".join(traceback.format_exception(caught.value)))
    hub.status, hub.token = 0, CANARY
    dataset = find_dataset("hub:ann/colours", lambda share, sentence: said.append(sentence))
    monkeypatch.setenv("HF_TOKEN", f"{CANARY}é")
    with pytest.raises(InputError, match="HF_TOKEN holds characters that no token has") as caught:
        find_dataset("hub:ann/other")
    said += ["".join(traceback.format_exception(caught.value)), repr(dataset), caplog.text, *capfd.readouterr()]
    assert said and not any(CANARY in text for text in said)
    assert not any(CANARY.encode() in path.read_bytes() for path in data_folder.rglob("*") if path.is_file())
    tokens = {host.split(":")[0]: authorization for _, host, authorization in hub.requests}
    assert tokens == {"127.0.0.1": f"Bearer {CANARY}", "localhost": None}  # where the files are stored it is not sent


def test_a_token_that_is_stored_on_the_machine_is_not_used(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    (tmp_path / "token").write_text(CANARY)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    hub.add("ann/colours", parquet_files())
    find_dataset("hub:ann/colours")
    assert {authorization for _, _, authorization in hub.requests} == {None}


def test_it_is_divided_and_added_like_any_set(hub: Hub) -> None:
    hub.add("ann/colours", parquet_files())
    classes, parts = published_parts("hub:ann/colours")
    assert classes == NAMES and list(parts) == ["train", "test"]
    with pytest.raises(InputError, match="hub:ann/colours is divided as published"):
        divide_own("hub:ann/colours", SplitRule())
    counts, _ = divide_own("hub:ann/colours", SplitRule(0.5, 0.2, 0.3), force=True)
    forget()
    assert open_own("hub:ann/colours").counts == counts and sum(counts.values()) == 39
    added = registry.add(Path("hub:ann/colours"), "Colours", set())
    assert find_dataset(added.name).counts == counts


def test_a_folder_elsewhere_is_never_taken_for_one_of_the_hub(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / "hub.json").write_text(json.dumps({"repository": "a/b"}))
    assert not hub_source.is_fetched(folder)
