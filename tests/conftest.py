"""What every test starts from: a runs folder of its own, real data only where it asks for it, one small trained run."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vision_app.data.datasets import find_dataset
from vision_app.data.download import data_root
from vision_app.data.fetching import is_available
from vision_app.runs import Run

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture(scope="session", autouse=True)
def _own_data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests away from the datasets and corrections of whoever runs them, unless VISION_APP_DATA names a folder."""
    with pytest.MonkeyPatch.context() as patch:
        if "VISION_APP_DATA" not in os.environ:
            patch.setenv("VISION_APP_DATA", str(tmp_path_factory.mktemp("data")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _quick_packages() -> Iterator[None]:
    """Let processes that tests start find stand-ins of packages that take long before they do anything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).with_name("quick_packages")))
        yield


@pytest.fixture(autouse=True)
def _own_runs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_APP_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the real data."""
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("VISION_APP_DATA", str(folder))
    return folder


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A completed run of the real training process: LeNet-5 after two epochs on 400 digits. For reading only."""
    from vision_app.training import jobs
    from vision_app.training.recipe import make_config

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISION_APP_RUNS", str(tmp_path_factory.mktemp("trained")))
        run = jobs.start(make_config("digits", "lenet5", {"epochs": 2, "train_limit": 400}))
        assert jobs.wait(run, 240), run.log_tail()
    assert run.status().state == "completed", run.log_tail()
    return run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take minutes, those in a browser, so that no process ends with one while others are idle."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip `@pytest.mark.data("mnist")` where that set is not on the disk; under CI, which prepares the data, fail."""
    names = [name for marker in item.iter_markers("data") for name in marker.args]
    missing = [name for name in names if not is_available(find_dataset(name))]
    if not missing:
        return
    reason = f"{', '.join(missing)} not found in {data_root()}: set VISION_APP_DATA to a folder that has it"
    if os.environ.get("CI") == "true" and os.environ.get("VISION_APP_DATA"):
        pytest.fail(reason)
    pytest.skip(reason)
