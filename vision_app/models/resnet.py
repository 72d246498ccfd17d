"""A small residual network."""

from typing import TYPE_CHECKING

from vision_app.models.parts import Scaling, Shape, batch_normalization, classifier, image_input

if TYPE_CHECKING:
    from keras import KerasTensor, Model

WIDTHS = (32, 64, 128, 256)


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
    for group, filters in enumerate(WIDTHS, 1):
        for block in range(1, blocks_per_group + 1):
            name = f"group{group}" if block == blocks_per_group else f"group{group}_block{block}"
            x = _block(x, filters, 2 if group > 1 and block == 1 else 1, batch_norm, name)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return classifier(image, x, num_classes, "resnet_small")


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
