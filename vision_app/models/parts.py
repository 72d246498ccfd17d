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


PLAIN = Scaling()


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


def colour_input(shape: Shape, scaling: Scaling, enlarged: int = 1) -> tuple["KerasTensor", "KerasTensor"]:
    """Return the input of raw pixel values and three scaled channels, for a network that was made for colour photos.

    Args:
        shape: of the pictures; grey ones are repeated in three channels, each scaled in its own way.
        scaling: of one or three channels.
        enlarged: how many times the sides grow inside, so that a deep network keeps a feature map of small pictures.
    """
    from keras import layers

    if shape[-1] == 3:
        image, x = image_input(shape, scaling)
    else:
        image, x = _repeated(shape, scaling)
    if enlarged > 1:
        x = layers.UpSampling2D(enlarged, interpolation="bilinear", name="enlarged")(x)
    return image, x


def _repeated(shape: Shape, scaling: Scaling) -> tuple["KerasTensor", "KerasTensor"]:
    """Scale a grey picture by the mean of the channels' scalings, repeat it, and put right what each differs by."""
    from keras import layers

    mean, deviation = (sum(values) / len(values) for values in (scaling.mean, scaling.deviation))
    image, x = image_input(shape, Scaling((mean,), (deviation,)))
    x = layers.Concatenate(name="three_channels")([x, x, x])
    if len(scaling.mean) == 1:
        return image, x
    scale = [deviation / own for own in scaling.deviation]
    offset = [(mean - own) / divisor for own, divisor in zip(scaling.mean, scaling.deviation, strict=True)]
    return image, layers.Rescaling(scale, offset, name="channel_scaling")(x)


def classifier(image: "KerasTensor", features: "KerasTensor", num_classes: int, name: str) -> "Model":
    """End a network in a layer `logits` and a softmax layer `probabilities`, both float32."""
    from keras import Model, layers

    logits = layers.Dense(num_classes, name="logits", dtype="float32")(features)
    probabilities = layers.Softmax(name="probabilities", dtype="float32")(logits)
    return Model(image, probabilities, name=name)
