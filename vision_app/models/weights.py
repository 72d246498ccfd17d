"""Pretrained weights of keras.applications, put into the networks of `transfer`."""

from pathlib import Path
from typing import TYPE_CHECKING

from vision_app.errors import InputError

if TYPE_CHECKING:
    from keras import Model

SIDE = 96  # pixels of the networks that only hold the weights of a file for a moment
WIDTHS = (35, 50, 75, 100, 130, 140)  # of MobileNetV2, in percent
NOT_FITTING = "The weights in {} do not fit this network; expected those of keras.applications.{} without its top"


def load_vgg16(model: "Model", file: Path) -> None:
    """Put weights of keras.applications.VGG16 without its top into a `vgg16`.

    Raises:
        InputError: the file holds none.
    """
    _load(model, file, "VGG16", reversed_in="block1_conv1")


def load_vgg19(model: "Model", file: Path) -> None:
    """Put weights of keras.applications.VGG19 without its top into a `vgg19`.

    Raises:
        InputError: the file holds none.
    """
    _load(model, file, "VGG19", reversed_in="block1_conv1")


def load_resnet50(model: "Model", file: Path) -> None:
    """Put weights of keras.applications.ResNet50 without its top into a `resnet50`.

    Raises:
        InputError: the file holds none.
    """
    _load(model, file, "ResNet50", reversed_in="conv1_conv")


def load_densenet121(model: "Model", file: Path) -> None:
    """Put weights of keras.applications.DenseNet121 without its top into a `densenet121`.

    Raises:
        InputError: the file holds none.
    """
    _load(model, file, "DenseNet121")


def load_efficientnet_b0(model: "Model", file: Path) -> None:
    """Put weights of keras.applications.EfficientNetB0 without its top into an `efficientnet_b0`.

    Raises:
        InputError: the file holds none, or its network learned from pixels in another scale than ImageNet's.
    """
    import numpy as np
    from keras import layers

    source = _load(model, file, "EfficientNetB0")
    mean, variance, _ = next(layer for layer in source.layers if isinstance(layer, layers.Normalization)).get_weights()
    # As published: where the variances belong stand deviations, and Keras divides by their roots once more.
    if not (
        np.allclose(mean, (0.485, 0.456, 0.406), atol=1e-3) and np.allclose(variance, (0.229, 0.224, 0.225), atol=1e-3)
    ):
        raise InputError(
            f"The weights in {file.name} expect other pixel values than ImageNet's; use those that Keras publishes."
        )


def load_mobilenet_v2(model: "Model", file: Path) -> None:
    """Put weights of keras.applications.MobileNetV2 without its top, of the same width, into a `mobilenet_v2`.

    Raises:
        InputError: the file holds none, or those of another width.
    """
    for alpha in WIDTHS:
        source = _empty("MobileNetV2", alpha=alpha / 100)
        if _same_shapes(source, model):
            break
    else:
        raise InputError(f"Pretrained weights exist for alpha {', '.join(map(str, WIDTHS))}; choose one of them.")
    _fill(source, file, "MobileNetV2 of the same width")
    _copy(source, model, "")


def _load(model: "Model", file: Path, function: str, reversed_in: str = "") -> "Model":
    """Load, and return the network of keras.applications that held the weights.

    Args:
        reversed_in: the first convolution of a network that learned from blue, green, red: it is turned to red, green, blue.
    """
    source = _empty(function)
    _fill(source, file, function)
    _copy(source, model, reversed_in)
    return source


def _empty(function: str, **options: float) -> "Model":
    from keras import applications

    return getattr(applications, function)(input_shape=(SIDE, SIDE, 3), include_top=False, weights=None, **options)


def _fill(source: "Model", file: Path, expected: str) -> None:
    try:
        source.load_weights(file)
    except (ValueError, OSError, KeyError, TypeError) as error:
        raise InputError(f"{NOT_FITTING.format(file.name, expected)}.") from error


def _copy(source: "Model", model: "Model", reversed_in: str) -> None:
    from keras import layers

    for layer in source.layers:
        if layer.weights and not isinstance(layer, layers.Normalization):  # ours is done by the layer "scaling"
            values = layer.get_weights()
            if layer.name == reversed_in:
                values[0] = values[0][:, :, ::-1]
            model.get_layer(layer.name).set_weights(values)


def _same_shapes(source: "Model", model: "Model") -> bool:
    return all(
        [weight.shape for weight in layer.weights] == [weight.shape for weight in model.get_layer(layer.name).weights]
        for layer in source.layers
        if layer.weights
    )
