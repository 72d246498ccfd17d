"""Every network has its page, and what stands there is so."""

import re

import pytest

from vision_app.models.catalog import MODELS
from vision_app.models.pages import PAGES
from vision_app.models.summary import describe, layers_of, stages_of


@pytest.mark.parametrize("name", MODELS)
def test_every_network_has_a_page_that_names_its_own_paper(name: str) -> None:
    page, paper = PAGES[name], MODELS[name].paper
    for text in (page.idea, page.meaning, page.use):
        assert text.endswith(".") and 40 < len(text) < 330 and "$" not in text
    assert page.formula.count("{") == page.formula.count("}") and "$" not in page.formula
    found = re.search(r"arXiv:(\d{4}\.\d{5})", paper)
    assert page.link == f"https://arxiv.org/abs/{found[1]}" if found else page.link.startswith("https://")


def test_formulas_of_different_ideas_differ() -> None:
    same = {("resnet_small", "resnet18")}  # one paper, one block
    pairs = {(a, b) for a in PAGES for b in PAGES if a < b and PAGES[a].formula == PAGES[b].formula}
    assert {tuple(sorted(pair)) for pair in pairs} == {tuple(sorted(pair)) for pair in same}


@pytest.mark.parametrize("name", ["lenet5", "resnet_small"])
def test_the_table_of_layers_agrees_with_the_catalog(name: str) -> None:
    layers, info = layers_of(name), MODELS[name]
    assert sum(layer.parameters for layer in layers) == info.parameters
    assert layers[0].shape == (info.default_size, info.default_size, info.channels)
    assert info.cam_layer in [layer.name for layer in layers] and layers[-1].shape == (10,)
    stages = stages_of(layers)
    assert sum(stage.parameters for stage in stages) == info.parameters


def test_lenet_is_described_layer_by_layer() -> None:
    layers = {layer.name: (layer.kind, layer.shape, layer.parameters, layer.kernel) for layer in layers_of("lenet5")}
    assert layers["c1"] == ("convolution", (28, 28, 6), 5 * 5 * 6 + 6, (5, 5))
    assert layers["s2"] == ("mean pooling", (14, 14, 6), 0, ())
    assert layers["c5"] == ("dense", (120,), 400 * 120 + 120, ())
    assert [(stage.shape, stage.words) for stage in stages_of(layers_of("lenet5"))] == [
        ((32, 32, 1), ("the picture",)),
        ((28, 28, 6), ("1 convolution 5 × 5",)),
        ((14, 14, 6), ("mean pooling",)),
        ((10, 10, 16), ("1 convolution 5 × 5",)),
        ((5, 5, 16), ("mean pooling",)),
        ((10,), ("one row of numbers", "dense 120", "dense 84", "dense 10")),
    ]


def test_branches_borders_and_other_layers_are_counted() -> None:
    from keras import Input, Model, layers

    image = Input((9, 9, 3))
    x = layers.ZeroPadding2D(1)(layers.Rescaling(0.5)(image))
    x = layers.Conv2D(4, 3, strides=2, name="first")(x)
    y = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.Concatenate()([layers.Add()([x, y]), layers.Activation("relu")(y)])
    found = describe(Model(image, layers.GlobalMaxPooling2D()(x)))
    assert [layer.kind for layer in found] == [
        "picture", "scaling of pixels", "border of zeros", "convolution", "convolution within channels",
        "sum with the shortcut", "relu", "joining of channels", "maximum of each map",
    ]  # fmt: skip
    assert [(stage.shape, stage.words, stage.parameters) for stage in stages_of(found)] == [
        ((9, 9, 3), ("the picture",), 0),
        ((5, 5, 8), ("1 convolution 3 × 3", "1 convolution within channels 3 × 3", "1 shortcut", "1 join"), 112 + 40),
        ((8,), ("maximum of each map",), 0),
    ]


def test_a_branch_of_smaller_maps_is_no_stage() -> None:
    from keras import Input, Model, layers

    image = Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same")(layers.Normalization(mean=[1, 2, 3], variance=[1, 1, 1])(image))
    y = layers.Reshape((1, 1, 4))(layers.GlobalAveragePooling2D()(x))
    x = layers.Multiply()([x, layers.Conv2D(4, 1, activation="sigmoid")(y)])
    found = stages_of(describe(Model(image, layers.Dense(2)(layers.Flatten()(layers.MaxPooling2D(4)(x))))))
    assert [(stage.shape, stage.words, stage.parameters) for stage in found] == [
        ((8, 8, 3), ("the picture",), 0),
        ((8, 8, 4), ("1 convolution 3 × 3", "1 convolution 1 × 1", "1 weighing of channels"), 112 + 20),
        ((2, 2, 4), ("maximum pooling",), 0),
        ((2,), ("one row of numbers", "dense 2"), 34),
    ]
