"""How far a run is, read from its directory: what the page and the command line show."""

import time
from dataclasses import dataclass

from vision_app.runs import Run

RECENT_SECONDS = 10.0


@dataclass(frozen=True)
class Validated:
    """What the validation images said after the last epoch that is over."""

    epoch: int
    accuracy: float
    loss: float


@dataclass(frozen=True)
class Progress:
    """How far a run is. Times in seconds; None where nothing is known yet.

    `testing`: trained, not yet over. `in_last_epoch`: it has been asked to end after the epoch that it is in.
    """

    state: str
    message: str
    has_begun: bool
    testing: bool
    in_last_epoch: bool
    device: str
    epoch: int
    epochs: int
    step: int
    total_steps: int | None
    images_per_second: float | None
    learning_rate: float | None
    elapsed_seconds: float | None
    remaining_seconds: float | None
    best_epoch: int | None
    best_value: float | None
    monitor: str
    validated: Validated | None

    @property
    def share(self) -> float:
        """The share of the run that is done, 0 to 1."""
        return min(1.0, self.step / self.total_steps) if self.total_steps else 0.0

    @property
    def chosen_epoch(self) -> int | None:
        """The epoch that was better than all others; None where there is none yet, or the last is kept whatever it is like."""
        return None if self.monitor == "last_epoch" else self.best_epoch


def read_progress(run: Run) -> Progress:
    """Return how far a run is."""
    return measure(run, run.history())


def measure(run: Run, history: list[dict]) -> Progress:
    """Return how far a run is, from a history that has been read already."""
    status, config = run.status(), run.config()
    batches = [line for line in history if line["kind"] == "batch"]
    step = batches[-1]["step"] + 1 if batches else 0
    total = status.steps_per_epoch * config.epochs if status.steps_per_epoch else None
    began = status.started
    # The worker notes how long training took as soon as it is over.
    testing = status.state == "running" and status.seconds is not None
    epoch = min(config.epochs, int(batches[-1]["epoch"] - 1e-9) + 1) if batches else 0
    in_last_epoch = status.state == "running" and not testing and run.last_epoch_file.exists()
    end = max(1, epoch) * status.steps_per_epoch if in_last_epoch and total else total
    elapsed = max(0.0, (status.finished or time.time()) - began) if began else None
    turn = config.fine_tune_from * (status.steps_per_epoch or 0) if config.fine_tune_epochs else 0
    now = [line for line in batches if line["time"] >= (began or 0) and (line["step"] >= turn) == (step > turn)]
    return Progress(
        state=status.state,
        message=status.message,
        has_begun=began is not None or bool(history),
        testing=testing,
        in_last_epoch=in_last_epoch,
        device=status.device,
        epoch=epoch,
        epochs=config.epochs,
        step=step,
        total_steps=total,
        images_per_second=_recent_speed(batches),
        learning_rate=batches[-1]["learning_rate"] if batches else None,
        elapsed_seconds=elapsed,
        remaining_seconds=_remaining(now, end, step) if status.state == "running" and not testing else None,
        best_epoch=status.best_epoch,
        best_value=status.best_value,
        monitor=config.monitor,
        validated=_validated(history),
    )


def _validated(history: list[dict]) -> Validated | None:
    last = next((line for line in reversed(history) if line["kind"] == "epoch"), None)
    return last and Validated(round(last["epoch"]), last["val_accuracy"], last["val_loss"])


def _recent_speed(batches: list[dict]) -> float | None:
    """Return the mean images a second of the last seconds: single batches jump about."""
    if not batches:
        return None
    recent = [line["images_per_second"] for line in batches if line["time"] > batches[-1]["time"] - RECENT_SECONDS]
    return len(recent) / sum(1 / max(rate, 1e-9) for rate in recent)


def _remaining(batches: list[dict], total: int | None, step: int) -> float | None:
    """Return the seconds left at the pace since the second line: the first holds the time to compile.

    Args:
        batches: of this stage, since the run last began or went on.
        total: steps of the whole run.
        step: that are done.
    """
    if total is None or len(batches) < 3:
        return None
    first, last = batches[1], batches[-1]
    if last["step"] <= first["step"]:
        return None
    since = max(0.0, time.time() - last["time"])
    pace = (last["time"] - first["time"]) / (last["step"] - first["step"])
    return max(0.0, pace * (total - step) - since)
