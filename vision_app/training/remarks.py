"""What a teacher would say about a run's curves: it diverges, it does not learn, it learns by heart."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vision_app.config import RunConfig
from vision_app.evaluation.epochs import EpochResult
from vision_app.readable import number, percent

PATIENT_EPOCHS = 3
RECENT_LINES = 5
FAR = 10  # times the loss of guessing: no network starts there
RISEN = 30  # times the lowest loss there has been
LEARNT = 0.1  # of the way from guessing to no error at all

Lines = list[dict[str, Any]]


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a run: in a few words for a title, and in a sentence with advice. Empty where nothing is."""

    words: str = ""
    advice: str = ""


def judge(config: RunConfig, history: Lines, results: Sequence[EpochResult] = ()) -> Verdict:
    """Say what the curves show; guessing among all classes, with its loss of ln(number of classes), is the measure.

    Args:
        config: of the run.
        history: its lines.
        results: how it answered the validation images after each epoch, where that was written.
    """
    epochs = [line for line in history if line["kind"] == "epoch"]
    guessing = math.log(max(2, len(config.classes)))
    if diverges(config, history):
        return Verdict(
            "training diverges",
            f"Training diverges: the training loss reached {number(max(line['loss'] for line in history))}, that of "
            f"guessing is {number(guessing)}. The learning rate of {config.learning_rate:g} is too high; try a tenth of it.",
        )
    if guesses(config, epochs):
        return Verdict(
            "no better than guessing",
            f"Not learning: after {len(epochs)} epochs the network is no better than guessing (training accuracy "
            f"{percent(epochs[-1]['accuracy'])}). Try another learning rate, ten times lower or higher.",
        )
    if (only := only_answer(results)) is not None:
        return Verdict(
            "always the same answer",
            f"Not learning: for {PATIENT_EPOCHS} epochs it has taken every validation image for {config.classes[only]}. "
            "Try another learning rate, ten times lower or higher; with classes of very different sizes, even them out.",
        )
    if since := overfitting_since(epochs):
        return Verdict(
            f"overfitting since epoch {since}",
            f"Overfitting: the validation loss has risen since epoch {since} while the training loss still falls.",
        )
    return Verdict()


def diverges(config: RunConfig, history: Lines) -> bool:
    """Whether the training loss is, or was and left nothing but guessing, far above what no learning at all would give."""
    batches = [line["loss"] for line in history if line["kind"] == "batch"]
    epochs = [line for line in history if line["kind"] == "epoch"]
    losses = batches or [line["loss"] for line in epochs]
    if not losses:
        return False
    start = math.log(max(2, len(config.classes)))
    if config.l2:  # a penalty on large weights is part of the loss, and may exceed that of guessing from the start
        start = max(start, losses[0])
    now = min(losses[-RECENT_LINES:])  # a single batch may be an accident
    has_risen = now > start and now > RISEN * min((line["loss"] for line in epochs), default=math.inf)
    return now > FAR * start or has_risen or (max(losses) > FAR * start and guesses(config, epochs))


def guesses(config: RunConfig, epochs: Lines) -> bool:
    """Whether the last epochs are about as good as choosing a class at random."""
    num_classes = max(2, len(config.classes))
    learnt = 1 / num_classes + LEARNT * (1 - 1 / num_classes)
    return len(epochs) >= PATIENT_EPOCHS and all(
        max(line["accuracy"], line["val_accuracy"]) < learnt and line["loss"] > 0.98 * math.log(num_classes)
        for line in epochs[-PATIENT_EPOCHS:]
    )


def only_answer(results: Sequence[EpochResult]) -> int | None:
    """Return the class that the last epochs took every image of several classes for; among very unequal classes, such a
    network may seem much better than guessing."""
    last = [result.answers() for result in results[-PATIENT_EPOCHS:]]
    if len(last) < PATIENT_EPOCHS or any(len(answers) > 1 for answers in last) or len(set(last)) > 1:
        return None
    return next(iter(last[0])) if sum(n > 0 for n in results[-1].support) > 1 else None


def overfitting_since(epochs: Lines) -> int | None:
    """Return the epoch of the lowest validation loss if the last epochs lie clearly above it and training still improves."""
    if len(epochs) <= PATIENT_EPOCHS:
        return None
    lowest = min(range(len(epochs)), key=lambda i: epochs[i]["val_loss"])
    later = epochs[lowest + 1 :][-PATIENT_EPOCHS:]
    if len(later) < PATIENT_EPOCHS or later[-1]["loss"] >= epochs[lowest]["loss"]:
        return None
    rise = sum(line["val_loss"] for line in later) / len(later) - epochs[lowest]["val_loss"]
    return epochs[lowest]["epoch"] if rise > max(0.02, 0.15 * epochs[lowest]["val_loss"]) else None
