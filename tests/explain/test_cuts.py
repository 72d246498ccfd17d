"""Which layers carry all that the answer knows, against the slow and certain way to find out."""

from typing import TYPE_CHECKING

import pytest

from vision_app.explain.catalog import _find_cuts
from vision_app.models.catalog import build_model

if TYPE_CHECKING:
    from keras import Model


def can_be_cut(model: "Model", layer: str) -> bool:
    from keras import Model

    try:
        Model(model.get_layer(layer).output, model.get_layer("logits").output)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", ["simple_cnn", "resnet18", "mobilenet_v2"])
def test_cuts_are_where_the_rest_is_a_network_of_its_own(name: str) -> None:
    import keras

    with keras.StatelessScope(initialize_variables=False):
        model = build_model(name, (32, 32, 1), 3)
    before = model.layers[:-2]
    found = _find_cuts(model) - {"logits"}
    assert found == {layer.name for layer in before if can_be_cut(model, layer.name)}
    assert len(found) < len(before) or name == "simple_cnn"
