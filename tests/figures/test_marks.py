import pytest

from vision_app.figures.marks import FALL, HEADROOM, LETTER, RING, RISE, WIDTH, place_label

HEIGHT = 220
TEXT = "best 98.90 %"


def box_of(point: tuple[float, float], anchor: str, shift: int) -> tuple[float, float, float, float]:
    """Return where the label stands: left, right, top, bottom in pixels."""
    width = LETTER * len(TEXT)
    left = WIDTH * point[0] - {"start": 0, "middle": width / 2, "end": width}[anchor]
    base = (1 - point[1]) * HEIGHT + shift
    return left, left + width, base - RISE, base + FALL


def heights_in(line: list, left: float, right: float) -> list[float]:
    """Return how far down a line of many points runs between two places, in pixels."""
    return [(1 - y) * HEIGHT for x, y in line if left <= x * WIDTH <= right]


@pytest.mark.parametrize(
    ("point", "line"),
    [
        ((0.5, 0.5), [(i / 500, 0.5) for i in range(501)]),  # flat
        ((0.5, 0.95), [(i / 500, 0.95) for i in range(501)]),  # flat at the top
        ((0.5, 0.02), [(i / 500, 0.02) for i in range(501)]),  # flat at the bottom
        ((0.4, 0.4), [(i / 500, 1 - 1.5 * i / 500) for i in range(334)]),  # steep
        ((0.5, 0.5), [(i / 500, 0.5 if i < 250 else 0.62) for i in range(501)]),  # a step just above it
    ],
)
def test_a_label_stands_off_the_line(point: tuple[float, float], line: list) -> None:
    left, right, top, bottom = box_of(point, *place_label(TEXT, point, [line], HEIGHT))
    assert not [y for y in heights_in(line, left, right) if top < y < bottom]


@pytest.mark.parametrize("x", [0.0, 0.05, 0.5, 0.97, 1.0])
@pytest.mark.parametrize("y", [0.0, 0.5, 1.0])
def test_a_label_stays_in_the_plot(x: float, y: float) -> None:
    left, right, top, bottom = box_of((x, y), *place_label(TEXT, (x, y), [[(x, y)]], HEIGHT))
    assert left >= -RING and right <= WIDTH + RING
    assert top >= -HEADROOM and bottom <= HEIGHT


def test_a_label_is_near_where_nothing_is_in_the_way() -> None:
    assert place_label(TEXT, (0.5, 0.5), [[(0.5, 0.5)]], HEIGHT) == ("middle", -14)


def test_where_all_is_full_there_is_still_a_place() -> None:
    rain = [[(i / 100, y) for i in range(101)] for y in (k / 40 for k in range(41))]
    assert place_label(TEXT, (0.5, 0.5), rain, HEIGHT)[0] in ("start", "middle", "end")
