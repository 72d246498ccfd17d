"""What every network shares: the image input with its scaling, and the two last layers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras import KerasTensor, Layer, Model

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Scaling:
    """How raw pixel values 0..255 become network input: (pixel - mean) / deviation, by channel."""

    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (255.0,)


def image_input(shape: Shape, scaling: Scaling) -> tuple["KerasTensor", "KerasTensor"]:
    """Return the input of raw pixel values and the same scaled by a layer, so that an exported file cannot drift."""
    from keras import Input, layers

    image = Input(shape, name="image")
    scale = [1 / deviation for deviation in scaling.deviation]
    offset = [-mean / deviation for mean, deviation in zip(scaling.mean, scaling.deviation, strict=True)]
    if len(scale) == 1:
        return image, layers.Rescaling(scale[0], offset[0], name="scaling")(image)
    return image, layers.Rescaling(scale, offset, name="scaling")(image)


def batch_normalization(name: str, wanted: bool) -> "Layer":
    """Return batch normalization, or, where it is left out, a layer of that name that hands its input on."""
    from keras import layers

    return layers.BatchNormalization(name=name) if wanted else layers.Identity(name=name)


def classifier(image: "KerasTensor", features: "KerasTensor", num_classes: int, name: str) -> "Model":
    """End a network in a layer `logits` and a softmax layer `probabilities`, both float32."""
    from keras import Model, layers

    logits = layers.Dense(num_classes, name="logits", dtype="float32")(features)
    probabilities = layers.Softmax(name="probabilities", dtype="float32")(logits)
    return Model(image, probabilities, name=name)
