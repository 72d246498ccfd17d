"""Who uses the page over a network names no place of the machine that serves it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.data.photos import class_folders, write_folder
from vision_app import places
from vision_app.data.datasets import find_dataset
from vision_app.errors import InputError
from vision_app.processes import GROWING
from vision_app.runs import create_run
from vision_app.training.recipe import make_config
from vision_app.ui import server
from vision_app.ui.browse_add import add_dataset


@pytest.fixture(autouse=True)
def _open(data_folder: Path) -> Iterator[None]:
    yield
    places.open_all()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "set", class_folders(12))


def serve_on(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Do what happens before the page is served on an address."""
    monkeypatch.setenv(GROWING, "true")  # so that it is as before afterwards
    monkeypatch.setattr(server, "listen", lambda *_: contextlib.closing(None))

    def no_server() -> None:
        raise SystemExit

    monkeypatch.setattr(server, "create_server", no_server)
    with contextlib.suppress(AttributeError):  # there is no socket to close
        server.serve(host, 0)


@pytest.mark.parametrize(("host", "is_open"), [("127.0.0.1", True), ("::1", True), ("0.0.0.0", False), ("::", False)])
def test_the_address_that_is_served_decides(host: str, is_open: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    serve_on(host, monkeypatch)
    assert places.are_open() is is_open


def test_a_space_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
    monkeypatch.setenv("SPACE_ID", "someone/space")
    serve_on("", monkeypatch)
    assert not places.are_open()


def test_nothing_can_be_learned_about_the_disk(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    added = add_dataset(None, str(folder), "mine")
    places.close(exempt=set)
    said = set()
    for place in (folder, tmp_path / "nothing here"):
        with pytest.raises(InputError, match="on the machine itself") as refused:
            make_config(str(place), "lenet5", {})
        said.add(str(refused.value))
        with pytest.raises(InputError, match="on the machine itself"):
            make_config("digits", "mobilenet_v2", {"weights": str(place)})
        with pytest.raises(InputError, match="on the machine itself"):
            add_dataset(None, str(place), "x")
    assert len(said) == 1  # the same for what is there and what is not
    with pytest.raises(InputError, match="Unknown dataset 'set'"):
        find_dataset("set")
    assert find_dataset("digits").name == "digits" and find_dataset(added).num_train == 24


def test_what_a_run_learned_from_is_still_shown(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create_run(make_config(str(folder), "lenet5", {}))
    serve_on("0.0.0.0", monkeypatch)
    assert find_dataset(str(folder)).num_train == 24
    with pytest.raises(InputError, match="on the machine itself"):
        find_dataset(str(folder.parent))
