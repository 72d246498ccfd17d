"""What happens beside the training itself: history, best model, learning rate, stopping."""

import json
import math
import time
from collections.abc import Sequence
from typing import Any, Protocol

import keras
import numpy as np

from vision_app.config import RunConfig
from vision_app.data.pipeline import TrainingBatches
from vision_app.runs import Run, commit, open_to_append
from vision_app.training.schedules import rate_at

MAX_BATCH_LINES = 2000
MAX_QUIET_SECONDS = 0.25  # doubled whenever so many lines have come together again


class Stopped(Exception):
    """The run was asked to end; the argument is the state it ends in."""


class TrainingFailed(Exception):
    """Training cannot go on, for a reason that the message tells a person."""


class Asked(Protocol):
    """Something that may have been asked to end the run: in state "stopped" or "interrupted"."""

    wanted: str | None


class StopWhenAsked(keras.callbacks.Callback):
    """Ends training after the current batch."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self.asked = asked

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        self._check()

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        self._check()

    def _check(self) -> None:
        if self.asked.wanted:
            raise Stopped(self.asked.wanted)


class EndWhenInterrupted(keras.callbacks.Callback):
    """Ends answering after the current batch when the app shuts down; a run that was stopped is tested all the same."""

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self.asked = asked

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        if self.asked.wanted == "interrupted":
            raise Stopped(self.asked.wanted)


class StopAfterEpoch(keras.callbacks.Callback):
    """Ends training after an epoch when the run has been asked to; comes after what saves the epoch.

    A file asks, not a signal: it works on every system, and the page can tell that somebody has asked.

    Args:
        run: which may have been asked.
        epochs: of the whole run; after the last it ends anyway.
    """

    def __init__(self, run: Run, epochs: int) -> None:
        super().__init__()
        self.run, self.epochs = run, epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        is_last = epoch + 1 >= self.epochs or self.model.stop_training
        if self.run.last_epoch_file.exists() and not is_last:
            raise Stopped("stopped")


class StartEpoch(keras.callbacks.Callback):
    """Has the batches of each epoch shuffled and changed by its number; Keras ends a dataset's epochs at other times."""

    def __init__(self, batches: TrainingBatches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        self.batches.start_epoch(epoch)


class Rates(keras.optimizers.schedules.LearningRateSchedule):
    """The rate of every step as part of the step itself, so that several steps can be handed to Keras at once."""

    def __init__(self, rates: Sequence[float]) -> None:
        self.rates = np.float32(rates)

    def __call__(self, step: keras.KerasTensor) -> keras.KerasTensor:
        """Return the rate of a step, counted from 0."""
        last = len(self.rates) - 1
        return keras.ops.take(self.rates, keras.ops.minimum(keras.ops.cast(step, "int32"), last))

    def get_config(self) -> dict[str, Any]:
        """See Keras."""
        return {"rates": self.rates.tolist()}


class LearningRate(keras.callbacks.Callback):
    """Has every step of a stage learn at the rate of the run's schedule.

    A plateau is the exception: its rate is a variable, which a callback lowers.

    Args:
        config: of the run.
        steps_per_epoch: steps in an epoch.
        begin, end: the epochs between which the stage lies; its optimizer counts its steps from 0.
    """

    def __init__(self, config: RunConfig, steps_per_epoch: int, begin: int, end: int) -> None:
        super().__init__()
        self.config, self.steps_per_epoch = config, steps_per_epoch
        self.steps = range(begin * steps_per_epoch, end * steps_per_epoch)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        if self.config.schedule == "plateau":
            self.model.optimizer.learning_rate = rate_at(self.config, self.steps.start, self.steps_per_epoch)
        else:
            rates = [rate_at(self.config, step, self.steps_per_epoch) for step in self.steps]
            self.model.optimizer.learning_rate = Rates(rates)

    def at(self, step: int) -> float:
        """Return the rate of a step that has just been done, counted from 0 over the whole run."""
        if self.config.schedule == "plateau":
            return float(self.model.optimizer.learning_rate.numpy())
        return rate_at(self.config, step, self.steps_per_epoch)


class HistoryWriter(keras.callbacks.Callback):
    """Appends to history.jsonl: often enough for a live curve, seldom enough to stay small.

    Keras reports the mean since the epoch began; a line holds the mean since the line before.
    """

    def __init__(self, run: Run, rates: LearningRate, batch_size: int, steps_per_epoch: int, epochs: int) -> None:
        super().__init__()
        self.rates, self.batch_size, self.steps_per_epoch = rates, batch_size, steps_per_epoch
        self.every = max(1, steps_per_epoch * epochs // MAX_BATCH_LINES)
        self.lines = len(run.history())
        self.file = open_to_append(run.history_file)
        self.step = 0

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        self.epoch, self.epoch_began = epoch, time.perf_counter()
        self.done, self.mark, self.means, self.marked_at = 0, 0, {}, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        now = time.perf_counter()
        done = min(batch + 1, self.steps_per_epoch)  # of several steps at once the last ones may be missing
        self.step += done - self.done
        self.done = done
        quiet = MAX_QUIET_SECONDS * 2 ** (self.lines // MAX_BATCH_LINES)
        if done - self.mark < self.every and now - self.marked_at < quiet and done < self.steps_per_epoch:
            return
        means = {name: float(logs[name]) for name in ("loss", "accuracy")}
        if not math.isfinite(means["loss"]):
            raise TrainingFailed(
                f"The loss became {means['loss']} at step {self.step}: training diverged. Lower the learning rate."
            )
        values = {
            name: (mean * done - self.means.get(name, 0.0) * self.mark) / (done - self.mark)
            for name, mean in means.items()
        }
        values["accuracy"] = min(1.0, max(0.0, values["accuracy"]))  # differences of means carry rounding
        values["loss"] = max(0.0, values["loss"])
        rate = self.batch_size * (done - self.mark) / (now - self.marked_at)
        self._write("batch", self.epoch + done / self.steps_per_epoch, **values, images_per_second=round(rate, 1))
        self.mark, self.means, self.marked_at = done, means, now

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        values = {name: float(logs[name]) for name in ("loss", "accuracy", "val_loss", "val_accuracy")}
        if not math.isfinite(values["val_loss"]):
            raise TrainingFailed(
                f"The validation loss became {values['val_loss']} in epoch {epoch + 1}. Lower the learning rate."
            )
        self._write("epoch", epoch + 1, **values, seconds=round(time.perf_counter() - self.epoch_began, 3))

    def _write(self, kind: str, epoch: float, **values: float) -> None:
        record = {"kind": kind, "step": self.step - 1, "epoch": round(epoch, 4), "time": round(time.time(), 3)}
        record["learning_rate"] = float(f"{self.rates.at(self.step - 1):.6g}")
        rounded = {name: float(f"{value:.6g}") for name, value in values.items()}
        self.file.write(json.dumps({**record, **rounded}) + "\n")
        self.lines += 1


class KeepBest(keras.callbacks.Callback):
    """Replaces model.keras, atomically, after each epoch that is better than all before, or after each, to keep the last."""

    def __init__(self, run: Run, serving: keras.Model, monitor: str) -> None:
        super().__init__()
        self.run, self.serving, self.keeps_last = run, serving, monitor == "last_epoch"
        self.monitor = "val_accuracy" if self.keeps_last else monitor
        self.sign = 1 if self.monitor == "val_accuracy" else -1
        self.best = -math.inf

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        value = float(logs[self.monitor])
        if math.isfinite(value) and (self.keeps_last or self.sign * value > self.best):
            self.best = self.sign * value
            self.save()
            self.run.update_status(best_epoch=epoch + 1, best_value=value)

    def save(self) -> None:
        """Write the current weights as the run's model."""
        if self.serving is not self.model:
            take_weights(self.serving, self.model)
        temporary = self.run.path / ".model.saving.keras"
        try:
            self.serving.save(temporary)
            self.run.report_file.unlink(missing_ok=True)  # of the model before, where a run that was tested goes on
            commit(temporary, self.run.model_file)
        finally:
            temporary.unlink(missing_ok=True)  # half a file would keep a full disk full


def take_weights(target: keras.Model, source: keras.Model) -> None:
    """Copy weights by the names of the layers; the source may have further layers, such as classifiers that only help it."""
    for layer in target.layers:
        if layer.weights:
            layer.set_weights(source.get_layer(layer.name).get_weights())
