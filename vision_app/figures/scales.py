"""Axes: where a value stands, and which values are worth a tick."""

import math
from dataclasses import dataclass

from vision_app.readable import tidy

MAX_DECADES = 8  # more ticks than that would touch one another


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic axis from `low` to `high`, with its ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]
    log: bool = False

    def share(self, value: float) -> float:
        """Return where a value stands between the ends, 0..1, kept inside."""
        low, high = self._measure(self.low), self._measure(self.high)
        return min(1.0, max(0.0, (self._measure(value) - low) / (high - low)))

    def _measure(self, value: float) -> float:
        return math.log10(max(value, 1e-12)) if self.log else value


def linear_scale(low: float, high: float, num_ticks: int = 5, outward: bool = True) -> Scale:
    """Return an axis with ticks at 1, 2 or 5 times a power of ten; `outward` widens it to the next ticks."""
    if high <= low:
        spread = abs(low) * 0.1 or 0.5
        low, high = low - spread, high + spread
    step = _nice_step((high - low) / max(1, num_ticks))
    digits = max(0, -math.floor(math.log10(step)) + 1)
    dust = 1e-9  # 0.3 / 0.1 is not quite 3
    if outward:
        start, stop = math.floor(low / step + dust), math.ceil(high / step - dust)
    else:
        start, stop = math.ceil(low / step - dust), math.floor(high / step + dust)
    ticks = tuple(round(step * k, digits) for k in range(start, stop + 1))
    return Scale(ticks[0], ticks[-1], ticks) if outward else Scale(low, high, ticks)


def log_scale(low: float, high: float) -> Scale:
    """Return a logarithmic axis with ticks at powers of ten, and at 2 and 5 times them where it is short."""
    low, high = max(low, 1e-12), max(high, 1e-12)
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1,) if len(decades) > 4 else (1, 2, 5)
    candidates = [factor * 10.0**decade for decade in decades for factor in factors]
    start = max((tick for tick in candidates if tick <= low * 1.0001), default=low)
    stop = min((tick for tick in candidates if tick >= high * 0.9999), default=high)
    if stop <= start:
        start, stop = start / 2, stop * 2
    ticks = tuple(tick for tick in candidates if start * 0.9999 <= tick <= stop * 1.0001)
    every = -(-len(ticks) // MAX_DECADES) if factors == (1,) else 1
    return Scale(start, stop, ticks[::every], log=True)


def widen(low: float, high: float, span: float, least: float, most: float) -> tuple[float, float]:
    """Return low..high, made at least `span` long around its middle; it stays within least..most."""
    length = max(span, high - low)
    start = low - (length - (high - low)) / 2
    start = max(least, min(start, most - length))
    return start, start + length


def tick_label(value: float) -> str:
    """Return a tick as people write it, short enough for the side of a plot: 0.05, 20, 12,000, 4e12."""
    if value and not 1e-3 <= abs(value) < 1e5:
        return tidy(f"{value:.2e}")
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.6g}"


def _nice_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next((factor * power for factor in (1, 2, 5) if factor * power >= rough * 0.999), 10 * power)
