"""The picture of a network and the table of its layers."""

import math
from xml.etree import ElementTree

from vision_app.figures.network import LARGEST, SMALLEST, WIDTH, layer_table, network_diagram
from vision_app.models.summary import Layer, Stage

HOSTILE = '<img src=x onerror="alert(1)">'
STAGES = [
    Stage((32, 32, 3), ("the picture",), 0),
    Stage((8, 8, 64), ("maximum pooling", "12 convolutions 3 × 3", "8 convolutions 1 × 1", "4 joins"), 1_234_567),
    Stage((10,), ("mean of each map", "dense 10"), 650),
]


def test_maps_are_drawn_to_scale_and_numbers_as_a_bar() -> None:
    picture = ElementTree.fromstring(network_diagram("Net", STAGES))
    sheets = [(float(r.get("width")), float(r.get("height")), float(r.get("y"))) for r in picture.iter("rect")]
    smaller = SMALLEST + (LARGEST - SMALLEST) / 2  # a quarter of the side, its root of the room
    assert [sheet[:2] for sheet in sheets] == [(LARGEST, LARGEST), *[(round(smaller, 1),) * 2] * 5, (LARGEST, 10)]
    assert len(sheets) - 2 == 1 + round(math.log2(64) / 1.6)
    assert len(list(picture.iter("path"))) == 2


def test_everything_stands_inside_and_one_below_the_other() -> None:
    picture = ElementTree.fromstring(network_diagram("Net", STAGES))
    height = float(picture.get("viewBox").split()[3])
    texts = [(float(t.get("x")), float(t.get("y")), t.text) for t in picture.iter("text")]
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for _, _, text in texts] == [
        "32 × 32 × 3", "the picture",
        "8 × 8 × 64", "maximum pooling,", "12 convolutions 3 × 3,", "8 convolutions 1 × 1, 4 joins", "1.2 M parameters",
        "10 probabilities", "mean of each map, dense 10", "650 parameters",
    ]  # fmt: skip
    assert [y for _, y, _ in texts] == sorted(y for _, y, _ in texts) and texts[-1][1] < height
    assert all(x + 7 * len(text) < WIDTH + 8 for x, _, text in texts)
    for rectangle in picture.iter("rect"):
        assert float(rectangle.get("y")) >= 0 and float(rectangle.get("y")) + float(rectangle.get("height")) <= height


def test_it_is_told_to_those_who_cannot_see_it() -> None:
    picture = ElementTree.fromstring(network_diagram(HOSTILE, STAGES))
    assert picture.get("role") == "img"
    assert picture.get("aria-label").startswith(
        f"{HOSTILE}, stage by stage: 32 × 32 × 3, the picture; 8 × 8 × 64, maximum pooling, 12 conv"
    )


def test_the_table_has_every_layer_and_their_sum() -> None:
    layers = [
        Layer(HOSTILE, "convolution", (26, 26, 32), 1234, (3, 3), "Conv2D"),
        Layer("flatten", "one row of numbers", (21632,), 0, (), "Flatten"),
    ]
    table = ElementTree.fromstring(layer_table(layers))
    rows = [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]
    assert rows == [
        ["Layer", "What", "Output", "Parameters"],
        [HOSTILE, "convolution 3 × 3", "26×26×32", "1,234"],
        ["flatten", "one row of numbers", "21632", "-"],
        ["All 2 layers", "1,234"],
    ]


def test_a_thing_is_not_cut_in_two() -> None:
    long = Stage((8, 8, 64), ("10 convolutions within channels 3 × 3", "4 joins"), 0)
    texts = [text.text for text in ElementTree.fromstring(network_diagram("Net", [long])).iter("text")]
    assert [len(text) for text in texts[1:]] == [38, 7] and texts[1].endswith("3,") and texts[2].endswith("joins")
