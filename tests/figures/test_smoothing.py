"""Smoothing, against pandas' exponentially weighted mean."""

import math

import numpy as np
import pandas as pd
import pytest

from vision_app.figures.curves import Series, curves
from vision_app.figures.smoothing import smooth, smoothed


@pytest.mark.parametrize("weight", [0.0, 0.3, 0.9, 0.99])
def test_it_is_the_weighted_mean_of_all_that_came_before(weight: float) -> None:
    values = np.random.default_rng(0).normal(3, 1, 200)
    expected = pd.Series(values).ewm(alpha=1 - weight, adjust=True).mean()
    assert np.allclose(smooth(values, weight), expected)


def test_a_gap_stays_a_gap_and_counts_for_nothing() -> None:
    found = smooth([1.0, math.nan, 3.0], 0.5)
    assert math.isnan(found[1])
    assert [found[0], found[2]] == smooth([1.0, 3.0], 0.5) == pytest.approx([1.0, 7 / 3])


def test_what_was_measured_stays_behind_the_smoothed_line() -> None:
    line = Series("Training", [0, 1, 2], [4.0, 0.0, 4.0], run=2)
    assert smoothed(line, 0.0) == [line]
    raw, front = smoothed(line, 0.5)
    assert (raw.ys, raw.faint, front.faint, front.run) == (line.ys, True, False, 2)
    drawn = curves([raw, front], title="t")
    assert drawn.count("<polyline") == 2 and drawn.count('opacity="0.3"') == 1
    assert drawn.count("<li>") == 1  # one entry in the legend
    assert drawn.index('opacity="0.3"') < drawn.rindex("<polyline")
