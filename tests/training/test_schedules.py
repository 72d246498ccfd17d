"""Learning-rate schedules against values worked out by hand."""

import itertools

import pytest

from vision_app.config import RunConfig
from vision_app.training.schedules import SCHEDULES, rate_at

STEPS = 10


def config(schedule: str, **fields: float) -> RunConfig:
    return RunConfig(schedule=schedule, learning_rate=0.4, epochs=4, **fields)


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_starts_at_the_full_rate_and_never_rises(schedule: str) -> None:
    rates = [rate_at(config(schedule), step, STEPS) for step in range(4 * STEPS)]
    assert rates[0] == pytest.approx(0.4)
    assert all(later <= earlier + 1e-12 for earlier, later in itertools.pairwise(rates))
    assert min(rates) >= 0


@pytest.mark.parametrize(
    ("schedule", "step", "rate"),
    [
        ("constant", 39, 0.4),
        ("plateau", 39, 0.4),
        ("step", 13, 0.4),
        ("step", 14, 0.04),  # a third of 40 steps is over
        ("step", 27, 0.004),
        ("exponential", 20, 0.04),  # 0.01 ** 0.5
        ("cosine", 20, 0.2),
        ("triangular", 20, 0.4 * 0.505),
    ],
)
def test_known_values(schedule: str, step: int, rate: float) -> None:
    assert rate_at(config(schedule), step, STEPS) == pytest.approx(rate)


def test_warmup_rises_in_a_straight_line_and_then_the_schedule_starts() -> None:
    warm = config("cosine", warmup_epochs=1)
    rates = [rate_at(warm, step, STEPS) for step in range(11)]
    assert rates[0] == pytest.approx(0.4 / 11)
    differences = [later - earlier for earlier, later in itertools.pairwise(rates)]
    assert differences == pytest.approx([0.4 / 11] * 10)
    assert rates[10] == pytest.approx(0.4)
