"""How the learning rate changes over a run: plain functions of the share of the run done, so a curve needs no framework."""

import math
from collections.abc import Callable

from vision_app.config import RunConfig

SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "step": lambda done: 0.1 ** int(done * 3),
    "exponential": lambda done: 0.01**done,
    "cosine": lambda done: 0.5 * (1 + math.cos(math.pi * done)),
    "triangular": lambda done: 1 - done * (1 - 0.01),
    "plateau": lambda done: 1.0,  # lowered by a callback that watches the validation loss
}


def rate_at(config: RunConfig, step: int, steps_per_epoch: int) -> float:
    """Return the learning rate of one step.

    Args:
        config: its learning_rate is the highest rate; warmup_epochs rise to it in a straight line. Fine-tuning begins anew
            at its own rate, which changes in the same way, without warm-up.
        step: counted from 0 over the whole run.
        steps_per_epoch: steps in an epoch.
    """
    begin = config.fine_tune_from * steps_per_epoch
    if step >= begin and config.fine_tune_epochs:
        done = (step - begin) / (config.fine_tune_epochs * steps_per_epoch)
        return config.fine_tune_learning_rate * SCHEDULES[config.schedule](done)
    warmup = config.warmup_epochs * steps_per_epoch
    if step < warmup:
        return config.learning_rate * (step + 1) / (warmup + 1)
    return config.learning_rate * SCHEDULES[config.schedule]((step - warmup) / max(1, begin - warmup))
