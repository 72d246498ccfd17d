"""The command that writes a dataset out."""

from pathlib import Path

import pytest

from tests.data.hub_server import running
from tests.data.photos import class_folders, write_folder
from tests.test_cli import answer, assert_refused, call
from vision_app.data import own
from vision_app.data.datasets import find_dataset


@pytest.fixture
def folder(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(own, "_OPENED", {})
    monkeypatch.setattr(own, "AGAIN_SECONDS", 0)
    files = class_folders(4, before="train/") | class_folders(2, before="test/")
    return write_folder(tmp_path / "colours", files)


def test_split_names_a_dataset_of_the_hub_by_its_commit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import close_session

    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    monkeypatch.delenv("HF_TOKEN", raising=False)
    close_session()
    with running() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        commit = hub.add("ann/folders", class_folders(6)).names["main"]
        assert answer("split", "hub:ann/folders")["dataset"] == f"hub:ann/folders@{commit}"
    assert answer("split", folder, "--force")["dataset"] == str(folder)


@pytest.mark.parametrize("command", ["split", "health", "write", "train", "evaluate", "compare"])
def test_help_names_every_kind_of_reference(command: str) -> None:
    assert "hub:owner/name[@revision]" in " ".join(call(command, "--help").stdout.split())


def test_write(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = answer("write", folder, out, "--augmentation", "flip,rotation=10", "--copies", 3, "--seed", 1)
    assert made["path"] == str(out) and made["splits"] == {"train": 36, "test": 6}
    assert (made["written"], made["already_there"], made["broken"], made["excluded"]) == (42, 0, 0, 0)
    assert made["renamed_classes"] == {}
    assert find_dataset(str(out)).counts == made["splits"]
    again = call("write", folder, out, "--augmentation", "flip,rotation=10", "--copies", 3, "--seed", 1)
    assert again.exit_code == 0 and "train 36, test 6" in again.stdout and "already there    42" in again.stdout


def test_write_a_zip(folder: Path, tmp_path: Path) -> None:
    made = answer("write", folder, tmp_path / "out.zip")
    assert find_dataset(made["path"]).counts == made["splits"] == {"train": 12, "test": 6}


def test_write_refuses(folder: Path, tmp_path: Path) -> None:
    assert_refused(call("write", folder, folder), "lie within each other")
    assert_refused(call("write", "nothing", tmp_path / "out", "--json"), "Unknown dataset 'nothing'")
    assert_refused(call("write", folder, tmp_path / "out", "--augmentation", "flip"), "at least 2 copies")
    assert_refused(call("write", folder, tmp_path / "out", "--augmentation", "flip=x"), "should be a number, got 'x'")
    assert_refused(
        call("write", folder, tmp_path / "out", "--augmentation", "fly", "--copies", 2), "Unknown augmentation"
    )
    assert not (tmp_path / "out").exists()
    help_text = call("write", "--help")
    assert help_text.exit_code == 0 and "OUT" in help_text.stdout
