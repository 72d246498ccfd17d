"""A run that was interrupted goes on as if nothing had happened."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from tests.data.photos import class_folders, write_folder
from tests.fakes import launch_by
from vision_app.errors import InputError
from vision_app.predict import _is_current
from vision_app.runs import Run, create_run
from vision_app.training import jobs, state
from vision_app.training import train as recipe
from vision_app.training.recipe import make_config
from vision_app.training.state import KEPT, State, list_states, read_state, write_state
from vision_app.training.train import train

GOING_ON = SimpleNamespace(wanted=None)
SETTINGS = {
    "epochs": 3, "train_limit": 200, "seed": 5, "augmentation": {"rotation": 10}, "dropout": 0.4, "patience": 3,
    "monitor": "val_loss",
}  # fmt: skip


class AskedAfter:
    """Asks a run to end once it has done so many epochs and some batches of the next."""

    def __init__(self, run: Run, epochs: int, state: str = "interrupted") -> None:
        self.run, self.epochs, self.state = run, epochs, state

    @property
    def wanted(self) -> str | None:
        lines = self.run.history() if self.run.history_file.exists() else []
        done = [line["kind"] for line in lines]
        over = "epoch" in done and done.count("epoch") >= self.epochs and done[-1] == "batch"
        return self.state if over else None


def trained(run: Run) -> list[np.ndarray]:
    import keras

    return keras.saving.load_model(run.model_file, compile=False).get_weights()


def curve(run: Run) -> list[tuple[float, ...]]:
    epochs = [line for line in run.history() if line["kind"] == "epoch"]
    return [(line["epoch"], line["step"], line["loss"], line["val_loss"], line["learning_rate"]) for line in epochs]


@pytest.mark.parametrize(
    ("model", "changes", "at_once"),
    [
        ("simple_cnn", {"optimizer": "adam", "schedule": "cosine"}, 4),
        ("simple_cnn", {"optimizer": "sgd", "learning_rate": 0.05, "schedule": "plateau", "warmup_epochs": 0}, 1),
        ("custom_cnn", {"optimizer": "muon", "learning_rate": 0.05, "ema": 0.8}, 2),
        ("simple_cnn", {"optimizer": "rmsprop", "label_smoothing": 0.1, "mixed_precision": True}, 1),
    ],
)
def test_a_resumed_run_equals_one_that_was_never_interrupted(
    model: str, changes: dict, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = make_config("digits", model, SETTINGS | changes)
    whole, broken = create_run(config), create_run(config)
    assert train(whole, GOING_ON) == "completed"
    monkeypatch.setattr(recipe, "steps_at_once", lambda *_: at_once)
    assert train(broken, AskedAfter(broken, 1)) == "interrupted"
    assert [file.name for file in list_states(broken)] == ["epoch-000001.npz"]
    assert train(broken, GOING_ON) == "completed"
    assert [line["epoch"] for line in broken.history() if line["kind"] == "epoch"] == [1, 2, 3]
    assert np.allclose(curve(broken), curve(whole), rtol=1e-5, atol=1e-6)
    assert max(np.abs(a - b).max() for a, b in zip(trained(broken), trained(whole), strict=True)) < 1e-5
    steps = [line["step"] for line in broken.history()]
    assert steps == sorted(steps) and '"kind": "resume"' in broken.history_file.read_text()
    assert not broken.state_folder.exists()  # there is nothing left to go on with
    assert broken.report()["accuracy"] == whole.report()["accuracy"]


def test_a_stopped_run_can_go_on() -> None:
    run = create_run(make_config("digits", "lenet5", {"epochs": 3, "train_limit": 200}))
    assert train(run, AskedAfter(run, 1, "stopped")) == "stopped"
    assert run.report() is not None
    run.update_status(state="stopped")
    assert jobs.can_resume(run)
    assert train(run, AskedAfter(run, 2)) == "interrupted"
    # It has a better model now, which the report of the one before is not about, and neither is what was served.
    assert run.status().best_epoch == 2 and run.report() is None
    assert not _is_current(run)
    assert train(run, GOING_ON) == "completed"
    assert run.report() is not None and _is_current(run)
    assert [line["epoch"] for line in run.history() if line["kind"] == "epoch"] == [1, 2, 3]


def test_a_run_that_was_interrupted_in_its_first_epoch_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recipe, "finish", lambda *_: None)
    run = create_run(make_config("digits", "lenet5", {"epochs": 2, "train_limit": 200}))

    class AskedInFirstEpoch:
        wanted = property(lambda self: "interrupted" if run.history() else None)

    assert train(run, AskedInFirstEpoch()) == "interrupted"
    run.update_status(state="interrupted")
    assert run.history() and not list_states(run) and jobs.can_resume(run)
    assert train(run, GOING_ON) == "completed"
    steps = [line["step"] for line in run.history() if line["kind"] == "batch"]
    assert steps == list(range(2 * run.status().steps_per_epoch))


class AskedToFinishEpoch:
    """Asks a run to end after its epoch while it is in the middle of one; is itself never asked to end at once."""

    def __init__(self, run: Run, epoch: int) -> None:
        self.run, self.epoch = run, epoch

    @property
    def wanted(self) -> str | None:
        lines = self.run.history() if self.run.history_file.exists() else []
        if lines and self.epoch - 1 < lines[-1]["epoch"] < self.epoch:
            self.run.last_epoch_file.touch()
        return None


def test_a_run_that_is_stopped_after_its_epoch_has_all_of_it_and_goes_on_with_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tested = []
    monkeypatch.setattr(recipe, "finish", lambda run, *_: tested.append(run.status().best_epoch))
    launch_by(monkeypatch, lambda run: None)
    run = create_run(make_config("digits", "lenet5", {"epochs": 3, "train_limit": 200}))
    run.state_folder.mkdir()
    assert train(run, AskedToFinishEpoch(run, 2)) == "stopped"
    steps = run.status().steps_per_epoch
    assert [line["epoch"] for line in run.history() if line["kind"] == "epoch"] == [1, 2]
    assert max(line["step"] for line in run.history()) == 2 * steps - 1
    assert read_state(run).epoch == 2 and len(tested) == 1 and run.model_file.exists()
    run.update_status(state="stopped")
    jobs.resume(run)
    # Asked for while it is in the last one, it changes nothing.
    assert train(run, AskedToFinishEpoch(run, 3)) == "completed"
    assert [line["epoch"] for line in run.history() if line["kind"] == "epoch"] == [1, 2, 3]
    assert '"resume"' in run.history_file.read_text() and not run.state_folder.exists()


def test_other_data_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    run = create_run(make_config("digits", "lenet5", {"epochs": 3, "train_limit": 200}))
    train(run, AskedAfter(run, 1))
    values = json.loads((run.path / "config.json").read_text())
    (run.path / "config.json").write_text(json.dumps(values | {"seed": 9}))
    with pytest.raises(InputError, match="The data have changed since this run began"):
        train(run, GOING_ON)


def some_state(epoch: int) -> State:
    arrays = (np.full((2, 3), epoch, np.float32), np.array(7, np.int64))
    return State(epoch, 1.5 * epoch, {"KeepBest": {"best": 0.25 * epoch}}, arrays, arrays[:1])


def test_the_last_two_states_are_kept_and_read_back() -> None:
    run = create_run(make_config("digits", "lenet5", {}))
    assert read_state(run) is None
    for epoch in range(1, 13):
        write_state(run, some_state(epoch))
    assert [file.name for file in run.state_folder.iterdir() if file not in list_states(run)] == []
    assert [int(file.stem.split("-")[1]) for file in list_states(run)] == [12, 11][:KEPT]
    found = read_state(run)
    assert (found.epoch, found.seconds, found.memory) == (12, 18.0, {"KeepBest": {"best": 3.0}})
    assert all(np.array_equal(a, b) for a, b in zip(found.model, some_state(12).model, strict=True))
    assert len(found.optimizer) == 1


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.999])
def test_a_damaged_state_costs_one_epoch(share: float, caplog: pytest.LogCaptureFixture) -> None:
    run = create_run(make_config("digits", "lenet5", {}))
    for epoch in (1, 2):
        write_state(run, some_state(epoch))
    last = list_states(run)[0]
    last.write_bytes(last.read_bytes()[: int(share * last.stat().st_size)])
    assert read_state(run).epoch == 1
    assert "the epoch before it is used" in caplog.text
    list_states(run)[1].write_bytes(b"")
    with pytest.raises(InputError, match="is damaged; start it again as a new run"):
        read_state(run)


def test_a_full_disk_leaves_the_last_state_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    run = create_run(make_config("digits", "lenet5", {}))
    write_state(run, some_state(1))

    def fail(file: object, **arrays: object) -> None:
        file.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(state.np, "savez", fail)
    with pytest.raises(OSError, match="No space left"):
        write_state(run, some_state(2))
    assert read_state(run).epoch == 1 and len(list(run.state_folder.iterdir())) == 1


def test_a_state_of_another_network_is_refused() -> None:
    import keras

    from vision_app.training.state import restore

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(keras.optimizers.Adam(), "mse")
    with pytest.raises(InputError, match="belongs to another network or optimizer"):
        restore(model, some_state(1))


@pytest.mark.parametrize("kind", ["running", "completed"])
def test_only_what_ended_early_is_resumed(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = create_run(make_config("digits", "lenet5", {}))
    monkeypatch.setattr(Run, "status", lambda self: SimpleNamespace(state=kind))
    with pytest.raises(InputError, match=f"is {kind}; only a run that ended early can be resumed"):
        jobs.resume(run)


def test_a_run_that_never_began_begins_when_it_is_resumed(monkeypatch: pytest.MonkeyPatch) -> None:
    started = []
    launch_by(monkeypatch, started.append)
    run = create_run(make_config("digits", "lenet5", {}))
    run.update_status(state="interrupted", finished=time.time())
    assert jobs.can_resume(run)
    jobs.resume(run)
    assert started == [run] and run.status().state == "queued" and run.status().finished is None


def test_a_run_goes_on_with_its_images_where_they_are_now(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = class_folders(4)
    here, there = (str(write_folder(tmp_path / place, files)) for place in ("here", "there"))
    other = str(write_folder(tmp_path / "other", {name.replace("red", "pink"): files[name] for name in files}))
    launch_by(monkeypatch, lambda run: None)
    run = create_run(make_config(here, "simple_cnn", {}))
    run.update_status(state="interrupted")
    with pytest.raises(InputError, match="learns other classes than those of"):
        jobs.resume(run, other)
    assert run.status().state == "interrupted" and run.config().dataset == here
    jobs.resume(run, there)
    before = make_config(here, "simple_cnn", {})
    assert run.status().state == "queued" and run.config() == before.updated(dataset=there)


def test_a_run_that_saved_nothing_is_not_resumed() -> None:
    run = create_run(make_config("digits", "lenet5", {}))
    run.update_status(state="failed", started=time.time())
    assert not jobs.can_resume(run)
    with pytest.raises(InputError, match="ended before its first epoch was over"):
        jobs.resume(run)


def test_a_worker_goes_on_where_it_was_killed() -> None:
    run = jobs.start(make_config("digits", "lenet5", {"epochs": 40, "early_stopping": False, "train_limit": 300}))
    limit = time.monotonic() + 120
    while not list_states(run):
        assert time.monotonic() < limit, run.log_tail()
        time.sleep(0.02)
    psutil.Process(run.status().pid).kill()
    jobs.wait(run, 30)
    assert run.status().state == "interrupted" and jobs.can_resume(run)
    done = read_state(run).epoch
    jobs.resume(run)
    with pytest.raises(InputError, match="only a run that ended early"):
        jobs.resume(run)  # a second click
    assert jobs.wait(run, 200)
    assert run.status().state == "completed", run.log_tail()
    epochs = [line["epoch"] for line in run.history() if line["kind"] == "epoch"]
    assert epochs == list(range(1, 41)) and done < 40
    assert f'"epoch": {done}' in next(line for line in run.history_file.read_text().splitlines() if "resume" in line)


def break_off_in_its_test(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train a run, which then breaks off while its best model is tested."""

    def fail(*_: object) -> None:
        raise OSError("the power went")

    with monkeypatch.context() as broken:
        broken.setattr(recipe, "finish", fail)
        with pytest.raises(OSError, match="the power went"):
            train(run, GOING_ON)


def test_a_run_that_ended_while_it_was_tested_is_only_tested_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = create_run(make_config("digits", "lenet5", {"epochs": 2, "train_limit": 200}))
    break_off_in_its_test(run, monkeypatch)
    assert read_state(run).epoch == 2 and run.report() is None
    before = run.model_file.read_bytes()
    assert train(run, GOING_ON) == "completed"
    assert [line["epoch"] for line in run.history() if line["kind"] == "epoch"] == [1, 2]
    assert run.report()["count"] == 359 and run.model_file.read_bytes() == before


def test_a_run_that_stopped_early_and_was_broken_off_in_its_test_trains_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    early = {"epochs": 9, "train_limit": 200, "early_stopping": True, "patience": 1, "min_delta": 0.9}
    run = create_run(make_config("digits", "lenet5", early))
    break_off_in_its_test(run, monkeypatch)
    assert read_state(run).epoch == 2 and read_state(run).is_over
    before = run.model_file.read_bytes()
    assert train(run, GOING_ON) == "completed"
    assert [line["epoch"] for line in run.history() if line["kind"] == "epoch"] == [1, 2]
    assert run.model_file.read_bytes() == before
