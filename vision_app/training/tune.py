"""Which number format trains faster on this machine: measured by a few real steps, not guessed."""

from typing import NamedTuple

from vision_app.config import RunConfig
from vision_app.training.plan import Plan, plan_run

WORTH = 1.1  # times as fast: less is noise


class Tuned(NamedTuple):
    """A run in the faster number format, what it will take, and a sentence that says what was measured."""

    config: RunConfig
    plan: Plan
    said: str


def tune_precision(config: RunConfig) -> Tuned:
    """Measure a few steps of a run in 32 and in 16 bits (bfloat16); `mixed_precision` is then on where that is faster here.

    Raises:
        InputError: the run is impossible, with what its worker would say.
    """
    single, mixed = (plan_run(config.updated(mixed_precision=wanted)) for wanted in (False, True))
    is_worth_it = single.per_epoch / mixed.per_epoch >= WORTH
    said = (
        f"An epoch takes {single.per_epoch:.1f} s in 32 bits and {mixed.per_epoch:.1f} s in 16 bits here: "
        f"mixed precision is {'on' if is_worth_it else 'off'}."
    )
    return Tuned(config.updated(mixed_precision=is_worth_it), mixed if is_worth_it else single, said)
