"""Learning curves as SVG: the plot stretches with the page, its text keeps its size."""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from vision_app.figures.marks import place_label
from vision_app.figures.scales import Scale, linear_scale, log_scale, tick_label, widen
from vision_app.readable import number

MAX_POINTS = 300
MAX_HOVER_POINTS = 60  # hover targets are elements of their own: only where they are few
BLUE, ORANGE = "var(--vw-blue, #0072b2)", "var(--vw-orange, #e69f00)"
# Okabe and Ito's colours in the order in which runs get them.
RUN_COLOURS = (
    BLUE,
    "var(--vw-vermillion, #d55e00)",
    "var(--vw-green, #009e73)",
    "var(--vw-purple, #cc79a7)",
    ORANGE,
    "var(--vw-sky, #56b4e9)",
)


@dataclass(frozen=True)
class Series:
    """One line: its name in the legend, its points, and what it is.

    Args:
        xs, ys: the points, of equal length, xs rising; points that are not finite are left out.
        kind: validation is dashed.
        run: which of several overlaid runs it belongs to; each has its own colour.
        faint: it stands behind its smoothed twin, and out of the legend.
    """

    name: str
    xs: Sequence[float]
    ys: Sequence[float]
    kind: Literal["training", "validation"] = "training"
    run: int = 0
    faint: bool = False


def curves(
    series: Sequence[Series],
    *,
    title: str,
    x_label: str = "Epoch",
    y_label: str = "",
    percent: bool = False,
    log: bool = False,
    x_max: float | None = None,
    best: tuple[float, float] | None = None,
    turn: tuple[float, str] | None = None,
    height: int = 220,
    empty: str = "No points yet.",
) -> str:
    """Return learning curves as HTML with an SVG in it.

    Args:
        series: the lines, from one or several runs.
        title: the finding: "Best at epoch 7; overfitting since 8".
        percent: the values are shares of 0..1, shown in percent.
        log: draw the values on a logarithmic axis (points at 0 and below are left out).
        x_max: the end of the x axis, so that it stands still while a run goes on.
        best: x and y of the best epoch, marked.
        turn: x from which something is different, and what, marked by a line.
        height: of the plot, in pixels.
        empty: what to say, in the same space, while there is no point.
    """
    lines = [_finite(line, log) for line in series]
    lines = [line for line in lines if line.xs]
    if not lines:
        return _figure(title, f'<div class="vw-empty" style="min-height:{height + 94}px">{html.escape(empty)}</div>')
    x_axis = linear_scale(min(0.0, *(line.xs[0] for line in lines)), _x_end(lines, x_max), 6, outward=False)
    y_axis = _y_axis(lines, percent, log)
    style = _Style(several=len({line.run for line in series}) > 1, percent=percent)
    drawn = "".join(_line(line, x_axis, y_axis, style) for line in lines)
    marks = "".join(_hover(line, x_axis, y_axis, style, x_label) for line in lines if not line.faint)
    marker = _best(best, lines, x_axis, y_axis, style, height) if best and math.isfinite(best[1]) else ""
    told = [line for line in lines if not line.faint]
    label = html.escape(f"{title}. {_summary(told, style, x_label)}")
    svg = (
        f'<svg height="{height}" role="img" aria-label="{label}">{_grid(x_axis, y_axis, percent, x_label, y_label)}'
        f'<svg viewBox="0 0 1000 1000" width="100%" height="100%" preserveAspectRatio="none">{drawn}</svg>'
        f"{_turn(turn, x_axis)}{marks}{marker}</svg>"
    )
    return _figure(title, f'{_legend(told, style)}<div class="vw-plot-box">{svg}</div>')


def downsample(xs: Sequence[float], ys: Sequence[float], limit: int = MAX_POINTS) -> tuple[list[float], list[float]]:
    """Thin a curve to at most `limit` points: the ends, and the lowest and highest of each stretch between."""
    if len(xs) <= limit:
        return list(xs), list(ys)
    num_bins = (limit - 2) // 2
    inner = len(xs) - 2
    kept = {0, len(xs) - 1}
    for i in range(num_bins):
        stretch = range(1 + i * inner // num_bins, 1 + (i + 1) * inner // num_bins)
        kept |= {min(stretch, key=ys.__getitem__), max(stretch, key=ys.__getitem__)}
    order = sorted(kept)
    return [xs[i] for i in order], [ys[i] for i in order]


@dataclass(frozen=True)
class _Style:
    several: bool
    percent: bool

    def colour(self, line: Series) -> str:
        if self.several:
            return RUN_COLOURS[line.run % len(RUN_COLOURS)]
        return ORANGE if line.kind == "validation" else BLUE

    def dash(self, line: Series) -> str:
        return ' stroke-dasharray="6 4"' if line.kind == "validation" else ""

    def opacity(self, line: Series) -> str:
        return ' opacity="0.3"' if line.faint else ""

    def text(self, value: float) -> str:
        return f"{100 * value:.2f} %" if self.percent else number(value)


def _finite(line: Series, log: bool) -> Series:
    pairs = [(x, y) for x, y in zip(line.xs, line.ys, strict=True) if _is_number(x) and _is_number(y)]
    pairs = [(float(x), float(y)) for x, y in pairs if y > 0 or not log]
    xs, ys = downsample([x for x, _ in pairs], [y for _, y in pairs])
    return replace(line, xs=xs, ys=ys)


def _is_number(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _x_end(lines: Sequence[Series], x_max: float | None) -> float:
    return max([line.xs[-1] for line in lines] + ([x_max] if x_max else []))


def _y_axis(lines: Sequence[Series], percent: bool, log: bool) -> Scale:
    low, high = min(min(line.ys) for line in lines), max(max(line.ys) for line in lines)
    if log:
        return log_scale(low, high)
    if percent and high <= 1:
        low = max(0.0, low - 0.02 * (high - low))
        # Ten points at the least; fewer near 100 %, where half of what is left to gain is much.
        return linear_scale(*widen(low, high, min(0.1, max(0.01, 0.5 * (1 - low))), 0.0, 1.0))
    low = 0.0 if 0 <= low < 0.5 * high or 0 <= low == high else low  # what never changes stands above zero
    return linear_scale(*widen(low, high, 0.2 * abs(high) or 1.0, 0.0 if low >= 0 else -math.inf, math.inf))


def _line(line: Series, x_axis: Scale, y_axis: Scale, style: _Style) -> str:
    places = [(1000 * x_axis.share(x), 1000 - 1000 * y_axis.share(y)) for x, y in zip(line.xs, line.ys, strict=True)]
    points = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
    return (
        f'<polyline points="{points}" fill="none" style="stroke:{style.colour(line)}" stroke-width="2"'
        f' stroke-linejoin="round" vector-effect="non-scaling-stroke"{style.dash(line)}{style.opacity(line)}/>'
    )


def _hover(line: Series, x_axis: Scale, y_axis: Scale, style: _Style, x_label: str) -> str:
    """Return a spot for each point that tells its value; they are seen as dots only where there are very few."""
    if len(line.xs) > MAX_HOVER_POINTS:
        return ""
    seen = f"fill:{style.colour(line)}"
    dots, spots = [], []
    for x, y in zip(line.xs, line.ys, strict=True):
        place = f'cx="{100 * x_axis.share(x):.2f}%" cy="{100 - 100 * y_axis.share(y):.2f}%"'
        if len(line.xs) <= 15:
            dots.append(f'<circle {place} r="3" style="{seen}"/>')
        told = html.escape(f"{line.name}, {x_label.lower()} {x:.4g}: {style.text(y)}")
        spots.append(f'<circle {place} r="8" fill="transparent"><title>{told}</title></circle>')
    return "".join(dots + spots)


def _best(
    best: tuple[float, float], lines: Sequence[Series], x_axis: Scale, y_axis: Scale, style: _Style, height: int
) -> str:
    left, up = x_axis.share(best[0]), y_axis.share(best[1])
    label = f"best {style.text(best[1])}"
    drawn = [[(x_axis.share(x), y_axis.share(y)) for x, y in zip(line.xs, line.ys, strict=True)] for line in lines]
    anchor, shift = place_label(label, (left, up), drawn, height)
    place = f'x="{100 * left:.2f}%" y="{100 - 100 * up:.2f}%"'
    return (
        f'<circle cx="{100 * left:.2f}%" cy="{100 - 100 * up:.2f}%" r="6" fill="none" stroke="currentColor"'
        f' stroke-width="2"/><text class="vw-strong" {place} dy="{shift}" text-anchor="{anchor}">{label}</text>'
    )


def _turn(turn: tuple[float, str] | None, x_axis: Scale) -> str:
    """Return an upright line with words at its foot, on the side that has room for them."""
    if turn is None or not 0 <= x_axis.share(turn[0]) <= 1:
        return ""
    left = x_axis.share(turn[0])
    anchor, shift = ("end", -6) if left > 0.5 else ("start", 6)
    x = f"{100 * left:.2f}%"
    return (
        f'<line class="vw-axis" x1="{x}" x2="{x}" y1="0" y2="100%" stroke-dasharray="2 4"/>'
        f'<text x="{x}" dx="{shift}" y="100%" dy="-6" text-anchor="{anchor}">{html.escape(turn[1])}</text>'
    )


def _grid(x_axis: Scale, y_axis: Scale, percent: bool, x_label: str, y_label: str) -> str:
    parts = []
    for tick in y_axis.ticks:
        y = f"{100 - 100 * y_axis.share(tick):.2f}%"
        label = f"{100 * tick:.6g} %" if percent else tick_label(tick)
        parts.append(f'<line class="vw-gridline" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="-8" y="{y}" dy="4" text-anchor="end">{label}</text>')
    for tick in x_axis.ticks:
        x = f"{100 * x_axis.share(tick):.2f}%"
        parts.append(f'<text x="{x}" y="100%" dy="18" text-anchor="middle">{tick_label(tick)}</text>')
    parts.append('<line class="vw-axis" x1="0" x2="100%" y1="100%" y2="100%"/>')
    parts.append(f'<text x="100%" y="100%" dy="36" text-anchor="end">{html.escape(x_label)}</text>')
    if y_label:
        parts.append(f'<text x="0" y="0" dy="-8">{html.escape(y_label)}</text>')
    return "".join(parts)


def _legend(lines: Sequence[Series], style: _Style) -> str:
    items = "".join(
        f'<li><svg width="26" height="10" aria-hidden="true"><line x1="1" x2="25" y1="5" y2="5" stroke-width="2.5"'
        f' style="stroke:{style.colour(line)}"{style.dash(line)}/></svg>{html.escape(line.name)}</li>'
        for line in lines
    )
    return f'<ul class="vw-legend">{items}</ul>'


def _summary(lines: Sequence[Series], style: _Style, x_label: str) -> str:
    told = [
        f"{line.name}: {style.text(line.ys[0])} to {style.text(line.ys[-1])}, {x_label.lower()} {line.xs[-1]:.4g}"
        for line in lines
    ]
    return "; ".join(told) + "."


def _figure(title: str, content: str) -> str:
    return f'<figure class="vw-chart"><figcaption>{html.escape(title)}</figcaption>{content}</figure>'
