"""What a network is made of, counted from its layers: a table of all of them, and the stages that a picture goes through."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from vision_app.models.catalog import build_model, find_model

if TYPE_CHECKING:
    from keras import Model

NUM_CLASSES = 10  # that the parameters of the catalog are counted at
KINDS = {
    "InputLayer": "picture",
    "Rescaling": "scaling of pixels",
    "Normalization": "scaling of pixels",
    "Resizing": "enlarging",
    "UpSampling2D": "enlarging",
    "ZeroPadding2D": "border of zeros",
    "Conv2D": "convolution",
    "DepthwiseConv2D": "convolution within channels",
    "SeparableConv2D": "convolution in two steps",
    "BatchNormalization": "batch norm",
    "MaxPooling2D": "maximum pooling",
    "AveragePooling2D": "mean pooling",
    "GlobalAveragePooling2D": "mean of each map",
    "GlobalMaxPooling2D": "maximum of each map",
    "Add": "sum with the shortcut",
    "Multiply": "weighing of channels",
    "Concatenate": "joining of channels",
    "Flatten": "one row of numbers",
    "Dense": "dense",
    "Softmax": "probabilities",
}
MOVING = (
    "MaxPooling2D",
    "AveragePooling2D",
    "Resizing",
    "UpSampling2D",
    "GlobalAveragePooling2D",
    "GlobalMaxPooling2D",
    "Flatten",
)
PASSING = ("ZeroPadding2D", "Rescaling", "Normalization")  # begin no stage
COUNTED = {"Add": "shortcut", "Concatenate": "join", "Multiply": "weighing of channels"}
PLURALS = {
    "convolution": "convolutions",
    "shortcut": "shortcuts",
    "join": "joins",
    "weighing of channels": "weighings of channels",
}


@dataclass(frozen=True)
class Layer:
    """One layer of a network.

    Args:
        name: as the network calls it.
        kind: what it does, in words.
        shape: of its output, without the batch.
        parameters: trainable and frozen.
        kernel: pixels that a filter sees, (height, width), or ().
        role: its class in Keras.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    kernel: tuple[int, ...]
    role: str


@dataclass(frozen=True)
class Stage:
    """A part of a network whose maps have one size.

    Args:
        shape: of its last output.
        words: what happens there: "pooling", "3 convolutions 3 × 3".
        parameters: of all its layers.
    """

    shape: tuple[int, ...]
    words: tuple[str, ...]
    parameters: int


@lru_cache(maxsize=32)
def layers_of(name: str) -> tuple[Layer, ...]:
    """Return the layers of a network of the catalog for its default pictures and 10 classes, as its recipe starts it.

    It is built the first time.
    """
    info = find_model(name)
    shape = (info.default_size, info.default_size, info.channels)
    return describe(build_model(name, shape, NUM_CLASSES, pretrained=info.starts_pretrained))


def describe(model: "Model") -> tuple[Layer, ...]:
    """Return the layers of a built network, in its order."""
    return tuple(_layer(layer) for layer in model.layers)


def stages_of(layers: Iterable[Layer]) -> list[Stage]:
    """Return the stages that a picture goes through, the picture itself first; all that has no maps any more is the last one."""
    found: list[list[Layer]] = []
    sides: list[int] = []
    for layer, side in _with_sides(list(layers)):
        if layer.role in PASSING and found:
            found[-1].append(layer)
        elif not found or sides[-1] != side or found[-1][0].role == "InputLayer":
            found.append([layer])
            sides.append(side)
        else:
            found[-1].append(layer)
    return [_stage(part) for part in found]


def _with_sides(layers: list[Layer]) -> list[tuple[Layer, int]]:
    """Return each layer with the pixels a side of its stage: beside larger maps that come later, smaller ones are a branch."""
    sides, largest = [], 0
    for layer in reversed(layers):
        largest = max(largest, layer.shape[0] if len(layer.shape) == 3 and layer.role not in PASSING else 0)
        sides.append(largest)
    return list(zip(layers, reversed(sides), strict=True))


def _stage(part: list[Layer]) -> Stage:
    working = [layer for layer in part if layer.role not in PASSING]
    return Stage(working[-1].shape, _words(working), sum(layer.parameters for layer in part))


def _layer(layer: Any) -> Layer:
    shape = layer.output.shape if not isinstance(layer.output, list) else layer.output[0].shape
    role = type(layer).__name__
    kernel = getattr(layer, "kernel_size", None) or ()
    return Layer(layer.name, _kind(layer, role), tuple(shape[1:]), layer.count_params(), tuple(kernel), role)


def _kind(layer: Any, role: str) -> str:
    if role in KINDS:
        return KINDS[role]
    if role == "Activation":
        return layer.activation.__name__
    return (
        role
        if role.isupper() or "ReLU" in role
        else "".join(f" {c.lower()}" if c.isupper() else c for c in role).strip()
    )


def _words(part: list[Layer]) -> tuple[str, ...]:
    """Say what happens in a stage: what brings it to its size, its convolutions by size, its dense layers."""
    if part[0].role == "InputLayer":
        return ("the picture",)
    first = [part[0].kind] if part[0].role in MOVING else []
    counts: Counter[tuple[str, str]] = Counter()
    for layer in part:
        if "Conv2D" in layer.role:
            counts[KINDS[layer.role], " " + " × ".join(map(str, layer.kernel))] += 1
        elif layer.role in COUNTED:
            counts[COUNTED[layer.role], ""] += 1
    counted = [_counted(number, what, size) for (what, size), number in counts.items()]
    dense = [f"dense {layer.shape[-1]}" for layer in part if layer.role == "Dense"]
    return (*first, *counted, *dense) or (part[0].kind,)


def _counted(number: int, what: str, size: str) -> str:
    if number > 1:
        what = PLURALS.get(what) or what.replace("convolution", "convolutions")
    return f"{number} {what}{size}"
