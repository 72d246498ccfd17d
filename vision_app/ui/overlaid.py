"""Learning curves of several runs in one plot."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from vision_app.figures import Series, curves, smoothed
from vision_app.readable import number, percent

Histories = Mapping[str, Sequence[Mapping[str, Any]]]


def overlaid_curves(histories: Histories, field: str, log: bool = False, smoothing: float = 0.0) -> str:
    """Return one chart: training solid, validation dashed, a colour for each run.

    Args:
        histories: a run's lines of whole epochs, by the name that the legend gives it.
        field: "loss" or "accuracy".
        log: draw the values on a logarithmic axis.
        smoothing: 0 to below 1; see `figures.smoothed`.
    """
    series = []
    for index, (name, lines) in enumerate(histories.items()):
        for kind, key in (("training", field), ("validation", f"val_{field}")):
            points = [(line["epoch"], line[key]) for line in lines if _is_number(line.get(key)) and "epoch" in line]
            xs, ys = [x for x, _ in points], [y for _, y in points]
            series += smoothed(Series(f"{name}, {kind}", xs, ys, kind, index), smoothing)
    return curves(
        series,
        title=_best(histories, field),
        y_label=f"{field.title()}{', logarithmic' if log else ''}",
        percent=field == "accuracy",
        log=log,
        height=260,
        empty="No epoch has been finished yet.",
    )


def _best(histories: Histories, field: str) -> str:
    """Return the finding: whose validation value is the best, and when."""
    key = f"val_{field}"
    found = [
        (line[key], line["epoch"], name)
        for name, lines in histories.items()
        for line in lines
        if _is_number(line.get(key))
    ]
    if not found:
        return field.title()
    if field == "loss":
        value, epoch, name = min(found)
        return f"Lowest validation loss: {number(value)} at epoch {epoch}{_of(name, histories)}"
    value, epoch, name = max(found, key=lambda point: (point[0], -point[1]))
    return f"Highest validation accuracy: {percent(value)} at epoch {epoch}{_of(name, histories)}"


def _of(name: str, histories: Histories) -> str:
    return f", {name}" if len(histories) > 1 else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
