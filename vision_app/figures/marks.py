"""Where a label can stand in a plot: near its point, and off the lines."""

from collections.abc import Sequence
from itertools import pairwise

Place = tuple[float, float]
Box = tuple[float, float, float, float]

# A plot's width changes with the page. What is free in the narrowest one, where letters take the largest share, is free
# in every wider one.
WIDTH = 290.0
LETTER, RISE, FALL = 7.0, 12.0, 4.0  # pixels: a letter's width, and a line of text above and below its base line
RING = 8.0  # around the point itself
HEADROOM = 16.0  # pixels above the plot that a label may use
SHIFTS = (-14, 24, -30, 40, -46, 56, -62, 72)


def place_label(text: str, point: Place, lines: Sequence[Sequence[Place]], height: float) -> tuple[str, int]:
    """Return a label's text-anchor, and its shift down from the point, so that it lies on as few lines as can be.

    Args:
        text: what it says.
        point: what it belongs to, as shares of the plot: from the left, from the bottom.
        lines: everything drawn, in the same shares, each from left to right.
        height: of the plot, in pixels.
    """
    drawn = [[_pixels(place, height) for place in line] for line in lines]
    left, top = _pixels(point, height)
    anchors = {"middle": left - LETTER * len(text) / 2, "start": left, "end": left - LETTER * len(text)}
    choices = []
    for shift in SHIFTS:
        for anchor, start in anchors.items():
            box = (start, start + LETTER * len(text), top + shift - RISE, top + shift + FALL)
            if _is_inside(box, height):
                choices.append((sum(_crossings(line, box) for line in drawn), anchor, shift))
    best = min(choices, key=lambda choice: choice[0], default=(0, "middle", SHIFTS[0]))
    return best[1], best[2]


def _pixels(place: Place, height: float) -> Place:
    return place[0] * WIDTH, (1 - place[1]) * height


def _is_inside(box: Box, height: float) -> bool:
    left, right, top, bottom = box
    return left >= -RING and right <= WIDTH + RING and top >= -HEADROOM and bottom <= height


def _crossings(line: Sequence[Place], box: Box) -> int:
    """Count the pieces of a line that touch a box; a line of one point is that point's dot."""
    pieces = pairwise(line) if len(line) > 1 else [(line[0], line[0])]
    return sum(_touches(start, end, box) for start, end in pieces)


def _touches(start: Place, end: Place, box: Box) -> bool:
    left, right, top, bottom = box
    (x0, y0), (x1, y1) = start, end
    if x1 < left or x0 > right:
        return False
    slope = (y1 - y0) / max(x1 - x0, 1e-9)
    ends = [y0 + slope * (x - x0) for x in (max(left, x0), min(right, x1))]
    return min(ends) < bottom and max(ends) > top
