from itertools import pairwise
from xml.etree import ElementTree

import pytest

from vision_app.figures.scatter import Point, accuracy_against_latency

HOSTILE = '<img src=x onerror="alert(1)">'


def test_up_is_accurate_and_left_is_fast() -> None:
    figure = ElementTree.fromstring(accuracy_against_latency([Point("fast", 0.1, 0.9), Point("good", 5.0, 0.99)]))
    good, fast = figure.iter("circle")  # drawn best first
    assert float(fast.get("cx").rstrip("%")) < float(good.get("cx").rstrip("%"))
    assert float(fast.get("cy")) > float(good.get("cy"))
    assert figure.find("figcaption").text == "Most accurate: good, 99.00 % at 5 ms"


def test_names_do_not_cover_each_other() -> None:
    points = [Point(f"model {i}", 0.1, 0.99) for i in range(4)]
    texts = [t for t in ElementTree.fromstring(accuracy_against_latency(points)).iter("text") if t.get("class")]
    lines = sorted(float(text.get("y")) for text in texts)
    assert len(lines) == 4
    assert all(b - a >= 14 for a, b in pairwise(lines))


@pytest.mark.parametrize("points", [[Point("a", 0.0, 0.0)], [Point("a", 1, 1), Point("b", 1, 1)]])
def test_equal_points_still_give_a_figure(points: list[Point]) -> None:
    assert len(list(ElementTree.fromstring(accuracy_against_latency(points)).iter("circle"))) == len(points)


def test_names_are_shown_as_text() -> None:
    text = accuracy_against_latency([Point(HOSTILE, 1.0, 0.5)])
    assert "<img" not in text
    assert HOSTILE in "".join(ElementTree.fromstring(text).itertext())


def test_without_points_it_says_so() -> None:
    assert "No model" in accuracy_against_latency([])
