"""Every run's report says what is wrong with its data."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.data.photos import class_folders, write_folder
from vision_app.data import own
from vision_app.runs import Run, create_run
from vision_app.training.data_check import check_data
from vision_app.training.recipe import make_config
from vision_app.training.train import train

GOING_ON = SimpleNamespace(wanted=None)


@pytest.fixture
def run(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run on a small set with a broken file and a copy."""
    monkeypatch.setattr(own, "_OPENED", {})
    files = class_folders(20)
    files["red/003.png"] = b"no picture"
    files["red/copy.png"] = files["red/001.png"]
    folder = write_folder(tmp_path / "set", files)
    return create_run(make_config(str(folder), "lenet5", {"epochs": 1, "input_size": 20}))


def test_planted_faults_stand_in_the_report(run: Run) -> None:
    assert train(run, GOING_ON) == "completed"
    health = run.report()["health"]
    assert health["findings"]["broken"] == 1 and health["findings"]["exact_duplicate"] == 1
    assert "imbalance" in health["checked"] and "label_error" not in health["checked"]
    assert not (run.path / "health.json").exists()


def test_a_stopped_run_is_looked_at_and_one_that_is_asked_to_end_meanwhile_is_not(run: Run) -> None:
    assert check_data(run, SimpleNamespace(wanted="stopped"))["findings"]["broken"] == 1

    class Asked:
        def __init__(self) -> None:
            self.answers = iter([None, None, "interrupted"])

        @property
        def wanted(self) -> str | None:
            return next(self.answers, "interrupted")

    assert check_data(run, Asked()) is None


def test_what_cannot_be_looked_at_costs_no_run(
    run: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    gone = run.config().updated(dataset="/no/such/set.zip")
    monkeypatch.setattr(Run, "config", lambda self: gone)
    assert check_data(run, GOING_ON) is None
    assert "were not checked" in caplog.text
