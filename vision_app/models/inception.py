"""GoogLeNet, the first Inception network, with the batch norm and the names of torchvision's `googlenet`."""

from pathlib import Path
from typing import TYPE_CHECKING

from vision_app.errors import InputError
from vision_app.models.parts import Scaling, Shape, classifier, colour_input
from vision_app.models.torch_weights import layer_values, read_state

if TYPE_CHECKING:
    from keras import KerasTensor, Model

SMALLEST_INSIDE = 112  # pixels a side: the last feature map, a 32nd of them rounded up, is then 4 x 4
# Filters of each module: 1 x 1; 3 x 3 and the 1 x 1 before it; the second such pair; the 1 x 1 after the pooling.
MODULES = {
    "3a": (64, (96, 128), (16, 32), 32),
    "3b": (128, (128, 192), (32, 96), 64),
    "4a": (192, (96, 208), (16, 48), 64),
    "4b": (160, (112, 224), (24, 64), 64),
    "4c": (128, (128, 256), (24, 64), 64),
    "4d": (112, (144, 288), (32, 64), 64),
    "4e": (256, (160, 320), (32, 128), 128),
    "5a": (256, (160, 320), (32, 128), 128),
    "5b": (384, (192, 384), (48, 128), 128),
}
AUXILIARY = {"aux1": "inception4a", "aux2": "inception4d"}


def inception_v1(shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float = 0.2) -> "Model":
    """GoogLeNet (Szegedy et al. 2014) with batch norm: nine modules that look at every place in four ways at once.

    As in torchvision, whose pretrained weights it takes, the 5 x 5 convolutions of the paper are 3 x 3. Grey pictures are
    repeated in three channels. Pictures below 112 pixels are enlarged to 112 inside the network, so that its last feature map
    is never smaller than 4 x 4.
    """
    from keras import layers

    image, x = colour_input(shape, scaling)
    if shape[0] < SMALLEST_INSIDE:  # to just so many: a whole factor would make 200 of 100, at three times the cost
        x = layers.Resizing(SMALLEST_INSIDE, SMALLEST_INSIDE, name="enlarged")(x)
    x = layers.ZeroPadding2D(3, name="conv1_padding")(x)  # torch pads both sides, "same" would pad mostly the far one
    x = _convolution(x, 64, 7, "conv1", stride=2, padding="valid")
    x = _pool(x, "maxpool1")
    x = _convolution(x, 64, 1, "conv2")
    x = _convolution(x, 192, 3, "conv3")
    x = _pool(x, "maxpool2")
    for module, filters in MODULES.items():
        x = _inception(x, filters, f"inception{module}")
        if module == "3b":
            x = _pool(x, "maxpool3")
        if module == "4e":
            x = layers.MaxPooling2D(2, padding="same", name="maxpool4")(x)
    x = layers.GlobalAveragePooling2D(name="avgpool")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return classifier(image, x, num_classes, "inception_v1")


def auxiliary_logits(model: "Model", num_classes: int) -> list["KerasTensor"]:
    """Return the answers of two further classifiers in the middle of an `inception_v1`, which help its early layers learn."""
    from keras import layers

    answers = []
    for name, module in AUXILIARY.items():
        x = layers.AdaptiveAveragePooling2D(4, name=f"{name}_pool")(model.get_layer(module).output)
        x = _convolution(x, 128, 1, f"{name}_conv")
        x = layers.Flatten(name=f"{name}_flatten")(x)
        x = layers.Dense(1024, activation="relu", name=f"{name}_fc1")(x)
        x = layers.Dropout(0.7, name=f"{name}_dropout")(x)
        answers.append(layers.Dense(num_classes, name=f"{name}_logits", dtype="float32")(x))
    return answers


def load_inception_v1(model: "Model", file: Path) -> None:
    """Put the weights of a torchvision `googlenet` into an `inception_v1`; those of the last layer if it knows as many classes.

    Args:
        model: the network.
        file: a state dict that torch saved (.pth).

    Raises:
        InputError: the file is none or of another network, or torch is not installed.
    """
    state = read_state(file)
    for layer in model.layers:
        if not layer.weights:
            continue
        is_last = layer.name == "logits"
        values = layer_values(state, "fc" if is_last else layer.name)
        if [value.shape for value in values] == [tuple(weight.shape) for weight in layer.weights]:
            layer.set_weights(values)
        elif not is_last:
            raise InputError(
                f"The weights in {file.name} do not fit {layer.name}; expected a state dict of torchvision's googlenet."
            )


def _inception(x: "KerasTensor", filters: tuple, name: str) -> "KerasTensor":
    """Four branches side by side; the layer that joins them carries the module's name."""
    from keras import layers

    first, (reduce2, second), (reduce3, third), fourth = filters
    branches = [_convolution(x, first, 1, f"{name}_branch1")]
    for number, reduce, wide in ((2, reduce2, second), (3, reduce3, third)):
        y = _convolution(x, reduce, 1, f"{name}_branch{number}_0")
        branches.append(_convolution(y, wide, 3, f"{name}_branch{number}_1"))
    y = layers.MaxPooling2D(3, strides=1, padding="same", name=f"{name}_branch4_0")(x)
    branches.append(_convolution(y, fourth, 1, f"{name}_branch4_1"))
    return layers.Concatenate(name=name)(branches)


def _convolution(
    x: "KerasTensor", filters: int, size: int, name: str, stride: int = 1, padding: str = "same"
) -> "KerasTensor":
    from keras import layers

    x = layers.Conv2D(filters, size, strides=stride, padding=padding, use_bias=False, name=f"{name}_conv")(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _pool(x: "KerasTensor", name: str) -> "KerasTensor":
    """Halve the picture, rounding up as torch's `ceil_mode` does: it pads the far side of an even picture only."""
    from keras import layers

    return layers.MaxPooling2D(3, strides=2, padding="valid" if x.shape[1] % 2 else "same", name=name)(x)
