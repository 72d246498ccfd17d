"""The command that searches."""

import json
from pathlib import Path

import pytest

from tests.fakes import launch_by
from tests.test_cli import answer, assert_refused, call, home  # noqa: F401 (a fixture)
from vision_app import cli_search
from vision_app.runs import Run, list_runs
from vision_app.training import jobs
from vision_app.training.launchers import LAUNCHERS

VALIDATION = {0.01: 0.8, 0.1: 0.9, 0.001: 0.7}


@pytest.fixture
def runs_end_at_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Runs that are over as soon as they are started; the worse on validation, the better on the test images."""

    def launch(run: Run) -> None:
        value = VALIDATION[run.config().learning_rate]
        run.update_status(state="completed", best_epoch=2, best_value=value, seconds=61.0)
        report = json.loads((home / "runs" / "early" / "report.json").read_text())
        run.report_file.write_text(json.dumps(report | {"accuracy": 1 - value}))

    launch_by(monkeypatch, launch)


def test_it_returns_the_best_on_the_validation_images(runs_end_at_once: None) -> None:
    grid = ("--grid", "learning_rate=0.01,0.1,0.001")
    found = answer(
        "search", "--dataset", "digits", "--model", "lenet5", *grid, "--epochs", 3, "--set", "train_limit=99"
    )
    assert [(run["fields"], run["validation_accuracy"]) for run in found["runs"]] == [
        ({"learning_rate": 0.1}, 0.9), ({"learning_rate": 0.01}, 0.8), ({"learning_rate": 0.001}, 0.7),
    ]  # fmt: skip
    assert found["best"] == found["runs"][0]["run"] and found["test_accuracy"] == pytest.approx(0.1)
    configs = [run.config() for run in list_runs()[:3]]
    assert {(config.model, config.epochs, config.train_limit) for config in configs} == {("lenet5", 3, 99)}
    assert answer("search", "--of", "latest") == found
    table = call("search", "--of", found["runs"][2]["run"]).stdout
    assert table.index("90.00 %") < table.index("80.00 %") < table.index("70.00 %")
    assert "learning_rate=0.001" in table and "1 min 01 s" in table and table.rstrip().endswith("10.00 %")


def test_what_ended_early_goes_on(runs_end_at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    launch = LAUNCHERS["local"].start
    launch_by(monkeypatch, lambda run: run.update_status(state="interrupted"))
    grid = ("--model", "lenet5", "--grid", "learning_rate=0.01,0.1")
    assert answer("search", *grid, exit_code=1)["best"] is None
    launch_by(monkeypatch, launch)
    found = answer("search", "--of", "latest", "--resume")
    assert [run["validation_accuracy"] for run in found["runs"]] == [0.9, 0.8]
    assert_refused(call("search", "--of", "latest", "--resume"), "No run of this search can be resumed")


def test_networks_are_values_like_any_other(runs_end_at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    launch_by(monkeypatch, lambda run: run.update_status(state="failed"))
    found = answer("search", "--model", "lenet5, simple_cnn", "--grid", "batch_size=8,16", exit_code=1)
    assert found["best"] is None and found["test_accuracy"] is None
    assert sorted(tuple(run["fields"].values()) for run in found["runs"]) == [
        ("lenet5", 8), ("lenet5", 16), ("simple_cnn", 8), ("simple_cnn", 16),
    ]  # fmt: skip


def test_some_are_drawn_at_random(runs_end_at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    launch_by(monkeypatch, lambda run: run.update_status(state="completed", best_value=0.5))
    drawn = ("--set", "learning_rate=loguniform(1e-4,1e-1)", "--grid", "optimizer=sgd,adam", "--random", 5)
    found = answer("search", "--model", "lenet5", *drawn, "--seed", 3)
    rates = [run["fields"]["learning_rate"] for run in found["runs"]]
    assert len(set(rates)) == 5 and all(1e-4 <= rate <= 1e-1 for rate in rates)
    assert {run.config().learning_rate for run in list_runs()[:5]} == set(rates)
    assert {run.config().seed for run in list_runs()[:5]} == {3}


def test_one_interruption_stops_all(runs_end_at_once: None, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    launch_by(monkeypatch, lambda run: None)

    def stop(run: Run) -> None:
        stopped.append(run.name)
        run.update_status(state="stopped")

    monkeypatch.setattr(jobs, "stop", stop)
    monkeypatch.setattr(cli_search, "follow", lambda run, interruptions, stop: stop(run))
    found = answer("search", "--model", "lenet5", "--grid", "seed=1,2,3", exit_code=1)
    assert stopped == [run["run"] for run in found["runs"]][::-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--grid", "learning_rate=0.1,200"), "(learning_rate=200)"),
        (("--grid", "seed"), "Expected --grid FIELD=V1,V2, got 'seed'"),
        (("--grid", "seed=1,2", "--grid", "seed=3"), "'seed' is in --grid twice"),
        (("--model", "lenet5"), "at least two different runs"),
        (("--set", "l2=uniform(0,1)"), "say how many runs to pick"),
        (("--of", "early"), "early is part of no search"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_it_starts(home: Path, options: tuple, message: str) -> None:  # noqa: F811
    assert_refused(call("search", *options, "--json"), message)
    assert len(list((home / "runs").iterdir())) == 2
