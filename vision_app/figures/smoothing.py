"""Smoothing of noisy curves, as TensorBoard's slider does it."""

import math
from collections.abc import Sequence
from dataclasses import replace

from vision_app.figures.curves import Series


def smoothed(line: Series, weight: float) -> list[Series]:
    """Return a line as measured, faint, and smoothed in front of it; with a weight of 0 only the line itself."""
    if not weight:
        return [line]
    return [replace(line, faint=True), replace(line, ys=smooth(line.ys, weight))]


def smooth(values: Sequence[float], weight: float) -> list[float]:
    """Return the running mean that forgets exponentially, corrected for its start at nothing.

    Args:
        values: of one curve, in order; what is not finite stays as it is and counts for nothing.
        weight: share of the mean that is kept at each step, 0 (unchanged) to below 1.

    Kingma and Ba, "Adam", 2015, section 3, derives the correction.
    """
    mean, seen, means = 0.0, 0, []
    for value in values:
        if not math.isfinite(value):
            means.append(value)
            continue
        mean, seen = weight * mean + (1 - weight) * value, seen + 1
        means.append(mean / (1 - weight**seen))
    return means
