"""Residual networks of basic blocks: a small one, and ResNet-18."""

from typing import TYPE_CHECKING

from vision_app.models.parts import Scaling, Shape, batch_normalization, classifier, image_input

if TYPE_CHECKING:
    from keras import KerasTensor, Model

WIDTHS = (32, 64, 128, 256)
WIDTHS_18 = (64, 128, 256, 512)
# From so many pixels a side on, ResNet-18 halves the picture once, then twice, before its blocks halve it three times.
HALVED_FROM, QUARTERED_FROM = 64, 128


def resnet_small(
    shape: Shape,
    num_classes: int,
    scaling: Scaling = Scaling(),
    dropout: float = 0.0,
    blocks_per_group: int = 1,
    batch_norm: bool = True,
) -> "Model":
    """Four groups of residual blocks with batch norm (He, Zhang, Ren, Sun 2015), halving the picture between groups."""
    from keras import layers

    image, x = image_input(shape, scaling)
    x = layers.Conv2D(WIDTHS[0], 3, padding="same", use_bias=False, name="stem")(x)
    x = batch_normalization("stem_norm", batch_norm)(x)
    x = layers.ReLU(name="stem_relu")(x)
    x = _groups(x, WIDTHS, blocks_per_group, batch_norm)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return classifier(image, x, num_classes, "resnet_small")


def resnet18(shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float = 0.0) -> "Model":
    """ResNet-18 (He, Zhang, Ren, Sun 2015), with a stem that fits the picture, so that the last feature map is 4 x 4 or larger.

    As in the paper, pictures of 128 pixels or more are quartered by a 7 x 7 convolution and pooling before the first block.
    Smaller ones are not pooled, and those below 64 pixels get a 3 x 3 convolution that keeps their size.
    """
    from keras import layers

    image, x = image_input(shape, scaling)
    kernel, stride = (7, 2) if shape[0] >= HALVED_FROM else (3, 1)
    x = layers.Conv2D(WIDTHS_18[0], kernel, strides=stride, padding="same", use_bias=False, name="stem")(x)
    x = layers.BatchNormalization(name="stem_norm")(x)
    x = layers.ReLU(name="stem_relu")(x)
    if shape[0] >= QUARTERED_FROM:
        x = layers.MaxPooling2D(3, 2, padding="same", name="stem_pool")(x)
    x = _groups(x, WIDTHS_18, 2, True)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return classifier(image, x, num_classes, "resnet18")


def _groups(x: "KerasTensor", widths: tuple[int, ...], blocks_per_group: int, batch_norm: bool) -> "KerasTensor":
    """Groups of residual blocks, each but the first beginning with half the picture; the last layers are named after them."""
    for group, filters in enumerate(widths, 1):
        for block in range(1, blocks_per_group + 1):
            name = f"group{group}" if block == blocks_per_group else f"group{group}_block{block}"
            x = _block(x, filters, 2 if group > 1 and block == 1 else 1, batch_norm, name)
    return x


def _block(x: "KerasTensor", filters: int, stride: int, batch_norm: bool, name: str) -> "KerasTensor":
    """Two convolutions and a shortcut; its last layer carries the block's name."""
    from keras import layers

    shortcut = x
    if stride > 1 or x.shape[-1] != filters:
        shortcut = layers.Conv2D(filters, 1, strides=stride, use_bias=False, name=f"{name}_shortcut")(x)
        shortcut = batch_normalization(f"{name}_shortcut_norm", batch_norm)(shortcut)
    x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False, name=f"{name}_conv1")(x)
    x = batch_normalization(f"{name}_norm1", batch_norm)(x)
    x = layers.ReLU(name=f"{name}_relu1")(x)
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=f"{name}_conv2")(x)
    x = batch_normalization(f"{name}_norm2", batch_norm)(x)
    x = layers.Add(name=f"{name}_add")([x, shortcut])
    return layers.ReLU(name=name)(x)
