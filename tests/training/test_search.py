"""Searches: planned, started, found again, ranked by validation alone."""

import json

import pytest

from tests.fakes import launch_by
from tests.ui.stored_runs import epoch_line, write_history
from vision_app.config import RunConfig
from vision_app.errors import InputError
from vision_app.runs import Run, create_run, list_runs
from vision_app.training import jobs
from vision_app.training.recipe import default_values, make_config
from vision_app.training.search import find_search, plan_search, rank, resume_all, start_search, stop_all

RATES = {"learning_rate": [0.01, 0.1, 0.001]}


@pytest.fixture(autouse=True)
def launched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Start no processes; the names of the runs that would have been started."""
    names: list[str] = []
    launch_by(monkeypatch, lambda run: names.append(run.name))
    return names


def searched(**choices: list) -> list[Run]:
    return start_search(plan_search("digits", "lenet5", choices or RATES, {"epochs": 3}))


def done(run: Run, values: list[float], losses: list[float] | None = None, state: str = "completed") -> None:
    """Have a run's best epoch chosen as the worker does."""
    losses = losses or [1.0] * len(values)
    lines = [
        epoch_line(number, 1.0, loss, value)
        for number, (value, loss) in enumerate(zip(values, losses, strict=True), start=1)
    ]
    if run.config().monitor == "val_accuracy":
        best = max(range(len(values)), key=values.__getitem__)
        found = {"best_epoch": best + 1, "best_value": values[best]}
    else:
        best = min(range(len(values)), key=losses.__getitem__)
        found = {"best_epoch": best + 1, "best_value": losses[best]}
    write_history(run, lines, state=state, **found)


def test_every_run_is_a_whole_config_that_differs_only_in_what_is_tried() -> None:
    planned = plan_search("digits", "lenet5", RATES, {"epochs": 3, "seed": 7})
    assert [item.config.learning_rate for item in planned] == [0.01, 0.1, 0.001]
    assert [item.fields for item in planned] == [{"learning_rate": rate} for rate in RATES["learning_rate"]]
    rest = {item.config.updated(learning_rate=1).to_json() for item in planned}
    assert rest == {make_config("digits", "lenet5", {"epochs": 3, "seed": 7, "learning_rate": 1}).to_json()}


def test_each_network_keeps_its_own_recipe_unless_a_field_is_given() -> None:
    planned = plan_search("digits", "lenet5", {"model": ["lenet5", "fast_cnn"]}, {"epochs": 3})
    assert [item.config.model for item in planned] == ["lenet5", "fast_cnn"]
    assert planned[1].config.optimizer == default_values("digits", "fast_cnn")["optimizer"]
    base = make_config("digits", "lenet5", {"label_smoothing": 0.2})
    based = plan_search("digits", "lenet5", {"model": ["lenet5", "fast_cnn"]}, {}, base=base)
    assert based[0].config == base and based[1].config.optimizer == planned[1].config.optimizer


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"learning_rate": [0.1, 200]}, r"impossible \(learning_rate=200\): .*less than or equal to 100"),
        ({"schedule": ["cosine", "plateau"], "warmup_epochs": [1]}, "takes no warm-up"),
        ({"colour": [1, 2]}, "Unknown field 'colour'"),
        ({"model": ["lenet5", "lenet"]}, "Did you mean 'lenet5'"),
        ({"dataset": ["digits", "shapes"]}, "search on one dataset at a time"),
        (
            {"train_limit": [100, 500]},
            r"cannot be compared, and Training images \(train_limit\) changes which are held out",
        ),
        ({"seed": [3]}, "at least two different runs"),
        ({"batch_size": [64, 64.0]}, "at least two different runs"),
    ],
)
def test_an_impossible_search_is_refused_as_a_whole(choices: dict, words: str, launched: list[str]) -> None:
    with pytest.raises(InputError, match=words):
        start_search(plan_search("digits", "lenet5", choices, {"epochs": 3}))
    assert list_runs() == launched == []


def test_runs_are_started_in_their_order_and_each_finds_the_others(launched: list[str]) -> None:
    alone = create_run(RunConfig())
    runs, others = searched(), searched(seed=[1, 2])
    assert launched == [run.name for run in (*runs, *others)]
    assert [find_search(run) for run in runs] == [runs] * 3
    assert find_search(others[0]) == others and find_search(alone) == []
    assert json.loads(runs[1].search_file.read_text())["fields"] == {"learning_rate": 0.1}
    (others[1].path / "status.json").write_text("{")
    assert find_search(others[0]) == others[:1]
    runs[0].search_file.write_text("{")
    assert find_search(runs[0]) == [] and find_search(runs[1]) == runs[1:]


def test_the_best_is_the_one_with_the_best_validation_accuracy_and_the_test_is_not_looked_at() -> None:
    first, second, third = searched()
    done(first, [0.5, 0.7, 0.6])
    done(second, [0.9, 0.8])
    (first.path / "report.json").write_text('{"accuracy": 1.0}')
    assert [(each.run, each.validation_accuracy, each.best_epoch, each.state) for each in rank([first, second, third])] == [
        (second.name, 0.9, 1, "completed"), (first.name, 0.7, 2, "completed"), (third.name, None, None, "queued"),
    ]  # fmt: skip


def test_what_counts_is_the_accuracy_of_the_model_that_is_kept() -> None:
    by_loss, by_accuracy = searched(monitor=["val_loss", "val_accuracy"])
    done(by_loss, [0.95, 0.6], losses=[2.0, 1.0])  # keeps its second epoch, for its loss
    done(by_accuracy, [0.7, 0.7], losses=[1.0, 2.0])
    assert [(each.run, each.validation_accuracy) for each in rank([by_loss, by_accuracy])] == [
        (by_accuracy.name, 0.7), (by_loss.name, 0.6),
    ]  # fmt: skip


def test_equal_ones_stay_in_their_order() -> None:
    runs = searched()
    for run in runs:
        done(run, [0.5])
    assert [each.run for each in rank(runs)] == [run.name for run in runs]


def test_all_are_stopped_the_waiting_ones_first(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, stopped = searched(), []

    def stop(run: Run) -> None:
        stopped.append(run.name)
        if run == runs[1]:
            raise InputError("it has ended just now")

    monkeypatch.setattr(jobs, "stop", stop)
    done(runs[2], [0.5])
    stop_all(runs)
    assert stopped == [runs[1].name, runs[0].name]


def test_those_that_ended_early_go_on_in_their_order(launched: list[str]) -> None:
    runs = searched(seed=[1, 2, 3, 4])
    launched.clear()
    done(runs[1], [0.5])
    for run, state in ((runs[3], "interrupted"), (runs[2], "failed"), (runs[0], "failed")):
        run.update_status(state=state)
    runs[0].state_folder.mkdir()
    (runs[0].state_folder / "epoch-000001.npz").touch()
    assert resume_all(runs) == [runs[0], runs[3]]  # the third failed and saved nothing
    assert launched == [runs[0].name, runs[3].name]
    with pytest.raises(InputError, match="had saved nothing"):
        resume_all(runs)


def test_when_one_cannot_be_started_none_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[str] = []
    monkeypatch.setattr(jobs, "stop", lambda run: stopped.append(run.name))

    def full(run: Run) -> None:
        if len(list_runs()) == 3:
            raise OSError(28, "No space left on device")

    launch_by(monkeypatch, full)
    with pytest.raises(OSError, match="No space"):
        searched()
    assert stopped == [run.name for run in list_runs()[1:]]
