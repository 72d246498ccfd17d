from itertools import pairwise

import pytest

from vision_app.figures.scales import MAX_DECADES, linear_scale, log_scale, tick_label, widen


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0, 1, (0, 0.2, 0.4, 0.6, 0.8, 1)),
        (0, 2.3, (0, 0.5, 1, 1.5, 2, 2.5)),
        (0.1, 0.3, (0.1, 0.15, 0.2, 0.25, 0.3)),
        (0, 12345, (0, 5000, 10000, 15000)),
        (-1, 1, (-1, -0.5, 0, 0.5, 1)),
    ],
)
def test_linear_ticks_are_round_and_enclose_the_values(low: float, high: float, ticks: tuple) -> None:
    scale = linear_scale(low, high)
    assert scale.ticks == pytest.approx(ticks)
    assert scale.low <= low <= high <= scale.high


def test_inward_axis_ends_at_the_values() -> None:
    scale = linear_scale(0, 7, 6, outward=False)
    assert (scale.low, scale.high) == (0, 7)
    assert scale.ticks == (0, 2, 4, 6)


def test_share_is_linear_and_stays_inside() -> None:
    scale = linear_scale(0, 10)
    assert [scale.share(v) for v in (-5, 0, 2.5, 10, 11)] == [0, 0, 0.25, 1, 1]


def test_log_axis_has_powers_of_ten_in_equal_steps() -> None:
    scale = log_scale(0.001, 100)
    assert scale.ticks == pytest.approx((0.001, 0.01, 0.1, 1, 10, 100))
    assert [scale.share(t) for t in scale.ticks] == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])


@pytest.mark.parametrize("value", [0, 1, 1e-9, 1e9, -3])
def test_one_value_still_gives_an_axis(value: float) -> None:
    for scale in (linear_scale(value, value), log_scale(value, value)):
        assert scale.low < scale.high
        assert len(scale.ticks) >= 2


def test_a_long_log_axis_keeps_room_between_its_ticks() -> None:
    ticks = log_scale(1e-3, 4e12).ticks
    assert 4 <= len(ticks) <= MAX_DECADES
    assert {round(b / a) for a, b in pairwise(ticks)} == {1000}


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.4, 0.42, (0.36, 0.46)),
        (0.0, 0.0, (0.0, 0.1)),
        (0.99, 1.0, (0.9, 1.0)),
        (0.2, 0.9, (0.2, 0.9)),
    ],
)
def test_a_short_range_is_widened_within_its_limits(low: float, high: float, expected: tuple) -> None:
    assert widen(low, high, 0.1, 0.0, 1.0) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.05, "0.05"),
        (20, "20"),
        (12000, "12,000"),
        (0.1 + 0.2, "0.3"),
        (4e12, "4e12"),
        (1.25e12, "1.25e12"),
        (-3e5, "-3e5"),
        (0.00015, "1.5e-4"),
    ],
)
def test_tick_label(value: float, text: str) -> None:
    assert tick_label(value) == text
