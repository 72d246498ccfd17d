"""A network as the stages that a picture goes through, and as the table of its layers."""

import html
import math
import textwrap
from collections.abc import Sequence

from vision_app import readable
from vision_app.models.summary import Layer, Stage

WIDTH = 380  # pixels: what a narrow phone has room for
TEXT_LEFT = 124
LINE = 17
LETTERS = 36  # that fit beside a stage
SMALLEST, LARGEST = 12.0, 68.0  # sides of the drawn maps
SHEET = 3.5  # pixels between the sheets of a stack
GAP = 18  # between two stages, for the arrow
LEFT, BAR = 14, 10  # where pictures begin, and the height of a row of numbers


def network_diagram(title: str, stages: Sequence[Stage]) -> str:
    """Return the stages from top to bottom, each as a stack of maps: the larger the maps, the wider; the more, the deeper.

    Args:
        title: of the network.
        stages: in order, the picture first.
    """
    side = max(stage.shape[0] for stage in stages)
    parts, top = [], 4.0
    for number, stage in enumerate(stages):
        lines = _lines(stage)
        height = max(_height(stage, side), LINE * len(lines) + 4)
        picture = _stack(stage, side, top + (height - _height(stage, side)) / 2)
        if number:
            parts.append(_arrow(top - GAP + 3, top - 4))
        parts += [picture, *_text(lines, top + height / 2)]
        top += height + GAP
    told = "; ".join(", ".join((_lines(stage)[0], *stage.words)) for stage in stages)
    name = html.escape(f"{title}, stage by stage: {told}")
    return f'<svg class="vw-network" viewBox="0 0 {WIDTH} {top - GAP + 4:.0f}" role="img" aria-label="{name}">{"".join(parts)}</svg>'


def layer_table(layers: Sequence[Layer]) -> str:
    """Return all layers with the shape of their output and their parameters, scrolling in a box of their own."""
    rows = "".join(map(_row, layers))
    total = sum(layer.parameters for layer in layers)
    return (
        '<div class="vw-scroll" style="max-height:420px" tabindex="0" role="region" aria-label="Layers">'
        '<table class="vw-table vw-layers"><thead><tr><th scope="col">Layer</th><th scope="col">What</th>'
        '<th scope="col">Output</th><th scope="col">Parameters</th></tr></thead>'
        f'<tbody>{rows}</tbody><tfoot><tr><td colspan="3">All {len(layers)} layers</td><td>{total:,}</td></tr></tfoot>'
        "</table></div>"
    )


def _stack(stage: Stage, side: int, top: float) -> str:
    """Draw a stage's maps as sheets behind one another, or its row of numbers as a bar."""
    if len(stage.shape) < 3:
        return f'<rect class="vw-sheet" x="{LEFT}" y="{top:.1f}" width="{LARGEST}" height="{BAR}" rx="3"/>'
    edge, sheets = _edge(stage, side), _sheets(stage)
    return "".join(
        f'<rect class="vw-sheet" x="{LEFT + SHEET * back:.1f}" y="{top + SHEET * (sheets - 1 - back):.1f}" '
        f'width="{edge:.1f}" height="{edge:.1f}" rx="2"/>'
        for back in reversed(range(sheets))
    )


def _height(stage: Stage, side: int) -> float:
    return BAR if len(stage.shape) < 3 else _edge(stage, side) + SHEET * (_sheets(stage) - 1)


def _edge(stage: Stage, side: int) -> float:
    return SMALLEST + (LARGEST - SMALLEST) * math.sqrt(stage.shape[0] / side)


def _sheets(stage: Stage) -> int:
    """Return how many sheets stand for a stage's channels: one for a picture, at most seven."""
    return 1 if stage.shape[2] <= 3 else min(7, 1 + round(math.log2(stage.shape[2]) / 1.6))


def _lines(stage: Stage) -> list[str]:
    """Return what stands beside a stage: its size, what happens there (broken between things only), its parameters."""
    size = _size(stage.shape) if len(stage.shape) > 1 else f"{stage.shape[0]} probabilities"
    said = textwrap.wrap(
        ", ".join(words.replace(" ", _SPACE) for words in stage.words), LETTERS, break_long_words=False
    )
    parameters = [f"{readable.count(stage.parameters)} parameters"] if stage.parameters else []
    return [size, *said, *parameters]


def _text(lines: Sequence[str], middle: float) -> list[str]:
    first = middle - LINE * (len(lines) - 1) / 2 + 4.5
    return [
        f'<text x="{TEXT_LEFT}" y="{first + LINE * number:.1f}"{"" if number else _BOLD}>{html.escape(line)}</text>'
        for number, line in enumerate(lines)
    ]


def _arrow(start: float, end: float) -> str:
    return f'<path class="vw-arrow" d="M28 {start:.1f}V{end:.1f}m-4 -4l4 4l4 -4"/>'


def _row(layer: Layer) -> str:
    parameters = f"{layer.parameters:,}" if layer.parameters else "-"
    cells = (layer.name, _with_kernel(layer), _size(layer.shape, "×"), parameters)
    return f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>"


def _with_kernel(layer: Layer) -> str:
    return f"{layer.kind} {' × '.join(map(str, layer.kernel))}" if layer.kernel else layer.kind


def _size(shape: Sequence[int], times: str = " × ") -> str:
    return times.join(map(str, shape))


_SPACE = "\N{NO-BREAK SPACE}"
_BOLD = ' class="vw-strong"'
