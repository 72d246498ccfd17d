"""Accuracy against latency: which model is worth its time."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

from vision_app.figures.scales import Scale, linear_scale, log_scale, tick_label
from vision_app.readable import milliseconds, percent

LINE = 15  # pixels that a name needs, from top to bottom
SHIFTS = (0, -LINE, LINE, -2 * LINE, 2 * LINE, 3 * LINE)
# Widths are shares of the plot's, taken for a narrow one of 360 pixels.
DOT, LETTER = 8 / 360, 8 / 360


@dataclass(frozen=True)
class Point:
    """One model: its name, test accuracy 0..1 and median latency in milliseconds."""

    name: str
    latency_ms: float
    accuracy: float


def accuracy_against_latency(points: Sequence[Point], title: str | None = None, height: int = 260) -> str:
    """Return a scatter plot with a name beside each point; up and to the left is better."""
    if not points:
        return '<div class="vw-empty">No model has both an accuracy and a latency yet.</div>'
    best = max(points, key=lambda point: (point.accuracy, -point.latency_ms))
    title = title or f"Most accurate: {best.name}, {percent(best.accuracy)} at {milliseconds(best.latency_ms)}"
    x_axis, y_axis = _axes(points)
    told = "; ".join(f"{p.name}: {percent(p.accuracy)}, {milliseconds(p.latency_ms)}" for p in points)
    return (
        f'<figure class="vw-chart"><figcaption>{html.escape(title)}</figcaption><div class="vw-plot-box">'
        f'<svg height="{height}" role="img" aria-label="{html.escape(f"{title}. {told}")}">'
        f"{_grid(x_axis, y_axis)}{_marks(points, x_axis, y_axis, height)}</svg></div></figure>"
    )


def _axes(points: Sequence[Point]) -> tuple[Scale, Scale]:
    latencies, accuracies = [p.latency_ms for p in points], [p.accuracy for p in points]
    wide = max(latencies) > 8 * max(min(latencies), 1e-9)
    x_axis = log_scale(min(latencies), max(latencies)) if wide else linear_scale(0, max(latencies) * 1.05)
    low, high = min(accuracies), max(accuracies)
    return x_axis, linear_scale(low - 0.05 * (high - low), max(high, low + 0.01), 4)


def _marks(points: Sequence[Point], x_axis: Scale, y_axis: Scale, height: int) -> str:
    """Draw each point with its name on the first free line: beside it, else above or below."""
    places = [(x_axis.share(p.latency_ms), (1 - y_axis.share(p.accuracy)) * height) for p in points]
    taken = [(left - DOT, left + DOT, top) for left, top in places]  # a name must not cover a point either
    parts = []
    for point, (left, top) in sorted(zip(points, places, strict=True), key=lambda pair: -pair[0].accuracy):
        width = DOT + LETTER * len(point.name)
        start, end = (left - width, left - DOT) if left > 0.6 else (left + DOT, left + width)
        line = next((top + shift for shift in SHIFTS if _is_free(start, end, top + shift, taken)), top)
        taken.append((start, end, line))
        side, anchor = (-12, "end") if left > 0.6 else (12, "start")
        told = html.escape(f"{point.name}: {percent(point.accuracy)}, {milliseconds(point.latency_ms)}")
        parts.append(
            f'<circle cx="{100 * left:.2f}%" cy="{top:.1f}" r="6" style="fill:var(--vw-blue, #0072b2)">'
            f'<title>{told}</title></circle><text class="vw-strong" x="{100 * left:.2f}%" y="{line + 4:.1f}"'
            f' dx="{side}" text-anchor="{anchor}">{html.escape(point.name)}</text>'
        )
    return "".join(parts)


def _is_free(start: float, end: float, line: float, taken: Sequence[tuple[float, float, float]]) -> bool:
    return all(right <= start or end <= left or abs(y - line) >= LINE for left, right, y in taken)


def _grid(x_axis: Scale, y_axis: Scale) -> str:
    parts = []
    for tick in y_axis.ticks:
        y = f"{100 - 100 * y_axis.share(tick):.2f}%"
        parts.append(f'<line class="vw-gridline" x1="0" x2="100%" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="-8" y="{y}" dy="4" text-anchor="end">{100 * tick:.6g} %</text>')
    for tick in x_axis.ticks:
        x = f"{100 * x_axis.share(tick):.2f}%"
        parts.append(f'<text x="{x}" y="100%" dy="18" text-anchor="middle">{tick_label(tick)}</text>')
    parts.append('<line class="vw-axis" x1="0" x2="100%" y1="100%" y2="100%"/>')
    parts.append('<text x="0" y="0" dy="-8">Test accuracy</text>')
    parts.append('<text x="100%" y="100%" dy="36" text-anchor="end">Median latency, ms</text>')
    return "".join(parts)
