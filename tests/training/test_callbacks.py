"""What is written beside the training, fed with logs as Keras gives them."""

import errno
import json
import math
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from vision_app.config import RunConfig
from vision_app.runs import Run, create_run
from vision_app.training import callbacks
from vision_app.training.callbacks import (
    MAX_BATCH_LINES,
    HistoryWriter,
    KeepBest,
    LearningRate,
    StopAfterEpoch,
    Stopped,
    StopWhenAsked,
    TrainingFailed,
)
from vision_app.training.worker import explain


class FakeServing:
    """A model whose file is a mark that says which save it was."""

    def __init__(self) -> None:
        self.count = 0

    def save(self, path: Path) -> None:
        self.count += 1
        Path(path).write_text(str(self.count))


@pytest.fixture
def run() -> Run:
    return create_run(RunConfig(classes=("a", "b"), input_size=8, channels=1))


def make_writer(run: Run, steps_per_epoch: int, epochs: int = 1) -> HistoryWriter:
    rates = LearningRate(RunConfig(epochs=epochs), steps_per_epoch, 0, epochs)
    writer = HistoryWriter(run, rates, batch_size=10, steps_per_epoch=steps_per_epoch, epochs=epochs)
    writer.on_epoch_begin(0)
    return writer


def write_epoch(run: Run, losses: list[float], epochs: int = 1) -> list[dict]:
    """Feed the writer with the running means that Keras reports and return the batch lines."""
    writer = make_writer(run, steps_per_epoch=len(losses), epochs=epochs)
    for index in range(len(losses)):
        mean = float(np.mean(losses[: index + 1]))
        writer.on_train_batch_end(index, {"loss": mean, "accuracy": min(1.0, mean)})
    return [json.loads(line) for line in run.history_file.read_text().splitlines()]


def test_a_line_holds_the_loss_of_its_own_batches_not_the_mean_since_the_epoch_began(run: Run) -> None:
    losses = [4.0, 2.0, 1.0, 3.0]
    assert [line["loss"] for line in write_epoch(run, losses)] == pytest.approx(losses, rel=1e-5)


def test_a_long_run_is_thinned_without_losing_anything_from_the_means(run: Run) -> None:
    losses = list(np.random.default_rng(0).uniform(0, 3, 400))
    lines = write_epoch(run, losses, epochs=100)  # 40,000 steps: every 20th
    steps = [line["step"] for line in lines]
    assert len(lines) <= 30
    assert steps[-1] == 399
    counts = np.diff([-1, *steps])
    assert np.sum(counts * [line["loss"] for line in lines]) == pytest.approx(np.sum(losses), rel=1e-4)


def test_a_run_of_many_hours_writes_ever_more_seldom(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(callbacks.time, "perf_counter", lambda: clock.now)
    for lines, expected in ((0, 16), (MAX_BATCH_LINES, 8), (2 * MAX_BATCH_LINES, 4), (3 * MAX_BATCH_LINES, 2)):
        run.history_file.write_text("{}\n" * lines)  # as of a run that goes on
        writer = make_writer(run, steps_per_epoch=20_000, epochs=1000)
        for step in range(16):
            clock.now += 0.3  # lines are due after 0.25, 0.5, 1 and 2 s
            writer.on_train_batch_end(step, {"loss": 1.0, "accuracy": 0.5})
        assert len(run.history_file.read_text().splitlines()) - lines == expected


def test_shares_stay_between_0_and_1_in_spite_of_rounding(run: Run) -> None:
    writer = make_writer(run, steps_per_epoch=2)
    writer.on_train_batch_end(0, {"loss": 1.0, "accuracy": 0.9999})
    writer.on_train_batch_end(1, {"loss": 1.0, "accuracy": 0.99999})
    last = json.loads(run.history_file.read_text().splitlines()[-1])
    assert last["accuracy"] <= 1


def test_a_line_of_several_steps_at_once_counts_them_all_and_no_more(run: Run) -> None:
    writer = make_writer(run, steps_per_epoch=10, epochs=1)
    for last, mean in ((3, 2.0), (7, 1.5), (11, 1.4)):  # as Keras counts: 4 steps each time, of which the last has 2
        writer.on_train_batch_end(last, {"loss": mean, "accuracy": 0.5})
    lines = [json.loads(line) for line in run.history_file.read_text().splitlines()]
    assert [(line["step"], line["epoch"]) for line in lines] == [(3, 0.4), (7, 0.8), (9, 1.0)]
    assert [line["loss"] for line in lines] == pytest.approx([2.0, 1.0, (1.4 * 10 - 1.5 * 8) / 2])


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_fails_the_run_in_words(run: Run, loss: float) -> None:
    with pytest.raises(TrainingFailed, match="Lower the learning rate"):
        write_epoch(run, [1.0, loss])


def test_the_best_epoch_is_kept_and_a_first_epoch_without_a_number_is_not(run: Run) -> None:
    serving = FakeServing()
    keeper = KeepBest(run, serving, "val_loss")
    keeper.set_model(serving)
    kept = []
    for epoch, value in enumerate([math.nan, 0.9, 1.2, 0.5, 0.5, 0.7]):
        keeper.on_epoch_end(epoch, {"val_loss": value})
        kept.append(run.model_file.read_text() if run.model_file.exists() else None)
    assert kept == [None, "1", "1", "2", "2", "2"]
    assert (run.status().best_epoch, run.status().best_value) == (4, 0.5)
    assert not list(run.path.glob(".model*"))


@pytest.mark.parametrize(
    ("monitor", "values", "kept", "best"),
    [("val_accuracy", [0.5, 0.4, 0.6], "112", 0.6), ("last_epoch", [0.5, 0.75, 0.25], "123", 0.25)],
)
def test_a_higher_accuracy_is_kept_or_whatever_came_last(
    run: Run, monitor: str, values: list[float], kept: str, best: float
) -> None:
    serving = FakeServing()
    keeper = KeepBest(run, serving, monitor)
    keeper.set_model(serving)
    for epoch, value in enumerate(values):
        keeper.on_epoch_end(epoch, {"val_accuracy": value})
        assert run.model_file.read_text() == kept[epoch]
    assert (run.status().best_epoch, run.status().best_value) == (3, best)


def set_rates(schedule: str, begin: int, end: int) -> tuple[LearningRate, keras.optimizers.Optimizer]:
    config = RunConfig(epochs=end, learning_rate=0.5, schedule=schedule)
    callback = LearningRate(config, 5, begin, end)
    optimizer = keras.optimizers.SGD(0.1)
    callback.set_model(SimpleNamespace(optimizer=optimizer))
    callback.on_train_begin()
    return callback, optimizer


def test_a_plateau_rule_can_lower_the_rate() -> None:
    callback, optimizer = set_rates("plateau", 0, 2)
    assert callback.at(0) == 0.5
    optimizer.learning_rate = 0.25
    assert callback.at(7) == 0.25


def test_a_schedule_sets_the_rate_of_every_step() -> None:
    weight = keras.Variable(0.0)
    callback, optimizer = set_rates("triangular", 0, 2)
    expected = [0.5 * (1 - 0.99 * step / 10) for step in range(10)]
    for step, rate in enumerate(expected):
        before = float(weight.numpy())
        optimizer.apply([keras.ops.convert_to_tensor(-1.0)], [weight])
        assert float(weight.numpy()) - before == pytest.approx(rate, rel=1e-5)
        assert callback.at(step) == pytest.approx(rate)


def test_the_optimizer_of_a_later_stage_begins_at_the_rate_of_its_first_step() -> None:
    callback, optimizer = set_rates("triangular", 1, 2)
    assert float(optimizer.learning_rate) == pytest.approx(callback.at(5)) == pytest.approx(0.5 * (1 - 0.99 / 2))


@pytest.mark.parametrize("wanted", ["stopped", "interrupted"])
def test_training_ends_after_the_batch_in_which_it_was_asked_to(wanted: str) -> None:
    asked = SimpleNamespace(wanted=None)
    callback = StopWhenAsked(asked)
    callback.on_train_batch_end(0)
    asked.wanted = wanted
    with pytest.raises(Stopped, match=wanted):
        callback.on_train_batch_end(1)


def test_a_full_disk_keeps_the_old_model_and_no_half_one(tmp_path: Path) -> None:
    class Full:
        def save(self, path: Path) -> None:
            path.write_bytes(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")

    run = Run(tmp_path)
    run.model_file.write_bytes(b"good")
    keeper = KeepBest(run, Full(), "val_loss")
    keeper.set_model(keeper.serving)
    with pytest.raises(OSError, match="No space") as caught:
        keeper.save()
    assert run.model_file.read_bytes() == b"good"
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]
    assert explain(caught.value).startswith("The disk is full")
    assert explain(RuntimeError("OutOfRange: No space left on device")).startswith("The disk is full")


@pytest.mark.parametrize(
    ("asked", "epoch", "stops_early", "ends"),
    [(True, 0, False, True), (False, 0, False, False), (True, 1, False, False), (True, 0, True, False)],
)
def test_an_epoch_is_made_the_last_one_unless_it_is_the_last_anyway(
    run: Run, asked: bool, epoch: int, stops_early: bool, ends: bool
) -> None:
    run.state_folder.mkdir()
    callback = StopAfterEpoch(run, epochs=2)
    callback.set_model(SimpleNamespace(stop_training=stops_early))
    if asked:
        run.last_epoch_file.touch()
    if ends:
        with pytest.raises(Stopped, match="stopped"):
            callback.on_epoch_end(epoch)
    else:
        callback.on_epoch_end(epoch)
