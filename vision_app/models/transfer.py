"""Networks that start from weights learned on ImageNet."""

from pathlib import Path
from typing import TYPE_CHECKING

from vision_app.errors import InputError
from vision_app.models.parts import Scaling, Shape, classifier, image_input

if TYPE_CHECKING:
    from keras import KerasTensor, Model

HIDDEN = 512


def mobilenet_v2(
    shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float = 0.6, alpha: int = 35
) -> "Model":
    """MobileNetV2 (Sandler et al. 2018) of width `alpha` percent, a dense layer of 512, and dropout.

    Pixels are scaled to -1..1, as its pretrained weights expect, unless the run measures them. Grey pictures are repeated in
    three channels. The last feature map has a 32nd of the picture's side.
    """
    from keras import layers
    from keras.applications import MobileNetV2

    image, x = image_input(shape, Scaling((127.5,), (127.5,)) if scaling == Scaling() else scaling)
    if shape[-1] == 1:
        x = layers.Concatenate(name="three_channels")([x, x, x])
    backbone = MobileNetV2(input_tensor=x, alpha=alpha / 100, include_top=False, weights=None)
    return _head(image, backbone.output, num_classes, dropout, "mobilenet_v2")


def load_mobilenet_v2(model: "Model", file: Path) -> None:
    """Put pretrained weights of the same width into a `mobilenet_v2`, and freeze all but its head.

    Args:
        model: the network.
        file: weights of keras.applications.MobileNetV2 without its top, as `save_weights` writes them.

    Raises:
        InputError: the file is none, or of another width.
    """
    from keras.applications import MobileNetV2

    filters = model.get_layer("Conv1").filters
    for alpha in (0.35, 0.5, 0.75, 1.0, 1.3, 1.4):
        source = MobileNetV2(input_shape=(96, 96, 3), alpha=alpha, include_top=False, weights=None)
        if source.get_layer("Conv1").filters == filters and _same_shapes(source, model):
            break
    else:
        raise InputError("Pretrained weights exist for alpha 35, 50, 75, 100, 130 and 140; choose one of them.")
    _copy(source, model, file)


def _copy(source: "Model", model: "Model", file: Path) -> None:
    try:
        source.load_weights(file)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise InputError(
            f"The weights in {file.name} do not fit this network; expected those of the same width, without its top."
        ) from error
    for layer in source.layers:
        if layer.weights:
            own = model.get_layer(layer.name)
            own.set_weights(layer.get_weights())
            own.trainable = False


def _same_shapes(source: "Model", model: "Model") -> bool:
    return all(
        [weight.shape for weight in layer.weights] == [weight.shape for weight in model.get_layer(layer.name).weights]
        for layer in source.layers
        if layer.weights
    )


def _head(image: "KerasTensor", features: "KerasTensor", num_classes: int, dropout: float, name: str) -> "Model":
    from keras import layers

    x = layers.GlobalAveragePooling2D(name="average")(features)
    x = layers.Dense(HIDDEN, activation="relu", name="dense")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return classifier(image, x, num_classes, name)
