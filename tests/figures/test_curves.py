import math
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from vision_app.figures.curves import Series, curves, downsample

HOSTILE = '<img src=x onerror="alert(1)">${1}`$\\x'
TRAINING = Series("Training", [0, 1, 2, 3], [2.0, 1.0, 0.5, 0.25])
VALIDATION = Series("Validation", [1, 2, 3], [1.2, 0.6, 0.7], "validation")


def parse(text: str) -> ElementTree.Element:
    """Read a figure as XML: whatever is not well formed, or not escaped, fails here."""
    return ElementTree.fromstring(text)


def test_training_is_solid_blue_and_validation_dashed_orange() -> None:
    first, second = parse(curves([TRAINING, VALIDATION], title="Falling", y_label="Loss")).iter("polyline")
    assert "#0072b2" in first.get("style")
    assert first.get("stroke-dasharray") is None
    assert "#e69f00" in second.get("style")
    assert second.get("stroke-dasharray")


def test_points_stand_where_the_axes_say() -> None:
    figure = parse(curves([Series("A", [0, 5, 10], [0, 0.5, 1])], title="t", percent=True))
    assert next(figure.iter("polyline")).get("points") == "0.0,1000.0 500.0,500.0 1000.0,0.0"
    labels = [text.text for text in figure.iter("text")]
    assert {"0 %", "100 %", "10"} <= set(labels)


def test_what_never_changes_stands_above_zero() -> None:
    figure = parse(curves([Series("Learning rate", [0, 10], [0.25, 0.25])], title="t"))
    first, last = (float(point.split(",")[1]) for point in next(figure.iter("polyline")).get("points").split())
    assert first == last < 500  # 1000 is the bottom, at 0
    assert "0" in [text.text for text in figure.iter("text") if text.get("text-anchor") == "end"]


def test_the_x_axis_can_wait_for_the_rest_of_the_run() -> None:
    figure = parse(curves([Series("A", [0, 5], [1, 2])], title="t", x_max=10))
    assert next(figure.iter("polyline")).get("points").split()[-1].startswith("500.0,")


def test_label_and_title_say_the_result() -> None:
    figure = parse(curves([TRAINING, VALIDATION], title="Best at epoch 2", best=(2, 0.6)))
    assert figure.find("figcaption").text == "Best at epoch 2"
    label = figure.find(".//svg[@role='img']").get("aria-label")
    assert "Best at epoch 2" in label
    assert "Training: 2 to 0.25" in label
    assert "best 0.6" in [text.text for text in figure.iter("text")]


def test_overlaid_runs_have_their_own_colours() -> None:
    kinds = ("training", "validation")
    lines = [Series(f"run {i}", [1, 2], [i, i + 1], kind, run=i) for i in range(3) for kind in kinds]
    drawn = list(parse(curves(lines, title="t")).iter("polyline"))
    assert len({line.get("style") for line in drawn}) == 3
    assert [bool(line.get("stroke-dasharray")) for line in drawn] == [False, True] * 3


def test_values_that_are_no_numbers_are_left_out() -> None:
    line = Series("A", [0, 1, 2, 3], [1.0, math.nan, None, math.inf])
    assert len(next(parse(curves([line], title="t")).iter("polyline")).get("points").split()) == 1


def test_log_axis_leaves_out_zero() -> None:
    drawn = next(parse(curves([Series("A", [0, 1, 2], [0, 0.1, 1])], title="t", log=True)).iter("polyline"))
    assert len(drawn.get("points").split()) == 2


def y_labels(figure: ElementTree.Element) -> list[str]:
    return [text.text for text in figure.iter("text") if text.get("x") == "-8"]


@pytest.mark.parametrize("losses", [[4e12, 3.0, 2.0], [4e12], [0.0], [0.0, 0.0], [2.3, 2.3001], [1e-9, 3e-9]])
@pytest.mark.parametrize("log", [False, True])
def test_a_loss_axis_is_never_negative_and_its_labels_are_short(losses: list[float], log: bool) -> None:
    labels = y_labels(parse(curves([Series("A", range(len(losses)), losses)], title="t", log=log)))
    assert not [label for label in labels if label.startswith("-")]
    assert all(len(label) <= 6 for label in labels)


def test_a_loss_below_zero_is_still_shown_where_it_is() -> None:
    labels = y_labels(parse(curves([Series("A", [0, 1], [-2.0, -1.0])], title="t")))
    assert labels[0] == "-2"


@pytest.mark.parametrize(
    ("values", "least"), [([0.1715, 0.174], 0.1), ([0.1], 0.1), ([0.985, 0.987], 0.01), ([1.0], 0.01), ([0.0], 0.1)]
)
def test_a_short_accuracy_axis_is_not_magnified(values: list[float], least: float) -> None:
    labels = y_labels(parse(curves([Series("A", range(len(values)), values)], title="t", percent=True)))
    low, high = (float(label.removesuffix(" %")) / 100 for label in (labels[0], labels[-1]))
    assert high - low >= least - 1e-9
    assert 0 <= low <= min(values) and max(values) <= high <= 1


def test_the_best_label_stands_off_the_line() -> None:
    flat = Series("Validation", range(40), [0.9] * 40, "validation")
    rising = Series("Training", [0, 39], [0.0, 0.9])
    label = parse(curves([flat, rising], title="t", percent=True, best=(20, 0.9))).find(".//text[@class='vw-strong']")
    assert label.text == "best 90.00 %"
    assert abs(int(label.get("dy"))) >= 14


def test_without_points_it_says_what_to_do() -> None:
    figure = parse(curves([], title="Loss", empty="Waiting for the first batch."))
    assert "Waiting for the first batch." in "".join(figure.itertext())


def test_names_are_shown_as_text() -> None:
    text = curves([Series(HOSTILE, [1, 2], [1, 2])], title=HOSTILE, y_label=HOSTILE, x_label=HOSTILE)
    assert "<img" not in text
    assert HOSTILE in [item.text or "" for item in parse(text).iter("figcaption")]


def test_a_long_run_is_thinned_to_300_points() -> None:
    rng = np.random.default_rng(0)
    drawn = next(parse(curves([Series("A", range(20_000), rng.random(20_000))], title="t")).iter("polyline"))
    assert len(drawn.get("points").split()) <= 300


@pytest.mark.parametrize("count", [0, 1, 299, 300, 301, 302, 5_000])
def test_downsample_keeps_ends_and_extremes(count: int) -> None:
    rng = np.random.default_rng(count)
    xs, ys = list(range(count)), rng.normal(size=count).tolist()
    thin_xs, thin_ys = downsample(xs, ys, 300)
    assert len(thin_xs) == len(thin_ys) == len(set(thin_xs)) <= 300
    assert thin_xs == sorted(thin_xs)
    assert all(ys[x] == y for x, y in zip(thin_xs, thin_ys, strict=True))
    if count:
        assert (thin_xs[0], thin_xs[-1]) == (xs[0], xs[-1])
        assert (min(thin_ys), max(thin_ys)) == (min(ys), max(ys))


def test_the_text_of_the_axes_does_not_shrink_with_the_plot() -> None:
    outer = re.search(r"<svg height[^>]*>", curves([TRAINING], title="t")).group()
    assert "viewBox" not in outer
