"""From a model that was built elsewhere to one as the app's own are: flat, raw pixels in, `logits` and `probabilities` last."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_app.errors import InputError
from vision_app.importing.allowed import LEARNING_ONLY
from vision_app.importing.scalings import PixelScaling
from vision_app.models.parts import Shape, image_input

if TYPE_CHECKING:
    from keras import KerasTensor, Model

OWN_NAMES = ("image", "scaling", "blue_first", "as_learned", "logits", "probabilities")
CLOSE = 1e-4
SCALERS = ("Rescaling", "Normalization")


def input_shape(model: "Model", size: int | None) -> Shape:
    """Return (height, width, channels) of the pictures that a model takes.

    Args:
        model: as it was loaded.
        size: pixels a side, for a model that takes any.

    Raises:
        InputError: it takes what the app cannot hand it.
    """
    shapes = model.input_shape
    if not isinstance(shapes, tuple) or not shapes or isinstance(shapes[0], tuple | list):
        raise InputError(f"Expected a model that takes one picture, got {len(shapes)} inputs; it cannot be used here.")
    shape = tuple(shapes[1:])
    if len(shape) == 1 and shape[0]:
        shape = (math.isqrt(shape[0]), math.isqrt(shape[0])) if math.isqrt(shape[0]) ** 2 == shape[0] else shape
    if len(shape) == 2:
        shape = (*shape, 1)
    if len(shape) != 3 or shape[2] not in (1, 3):
        raise InputError(
            f"Expected a model that takes pictures, (height, width, 1 or 3 channels), got {_shown(shapes[1:])}; "
            "it cannot be used here."
        )
    height, width, channels = shape
    if height is None and width is None and size is None:
        raise InputError(
            "The model takes pictures of any size; say how many pixels a side it learned from with --size."
        )
    height, width = height or width or size, width or height or size
    if height != width or (size or height) != height or not 4 <= height <= 1024:
        asked = f", not the {size} of --size" if size and size != height else ""
        raise InputError(
            f"Expected a model that takes square pictures of 4 to 1024 pixels a side, got {height} x {width}{asked}."
        )
    return height, height, channels


def starts_with_scaling(model: "Model") -> bool:
    """Whether a model's first layers scale the pixels: then it takes them as they are."""
    from keras import Model, layers

    weighted = (layers.Dense, layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D)
    waiting = list(model.layers)
    while waiting:
        layer = waiting.pop(0)
        if isinstance(layer, Model):
            waiting = [*layer.layers, *waiting]
        elif type(layer).__name__ in SCALERS:
            return True
        elif isinstance(layer, weighted):
            return False
    return False


def rebuild(model: "Model", shape: Shape, num_classes: int, scaling: PixelScaling) -> "Model":
    """Return a model that answers as the given one does, built as the app's own.

    Args:
        model: as it was loaded; its layers become part of the result.
        shape: (height, width, channels) of the pictures.
        num_classes: how many it is said to know.
        scaling: what it expects to be done to raw pixel values.

    Raises:
        InputError: its answer is no choice between the classes, or it could not be rebuilt faithfully.
    """
    from keras import Model, layers

    pixels = np.random.default_rng(0).integers(0, 256, (4, *shape)).astype(np.float32)
    answer = _ask(model, _scaled(pixels, scaling))
    ending = _ending(model, answer, num_classes)
    expected = _probabilities(answer, ending)
    image, x = _enter(shape, scaling, model.input_shape)
    x = _Rebuilder(_last(model)).through(model, x)
    if answer.shape[1] == 1:  # one answer for the second of two classes: its logit stands against 0
        pair = layers.Dense(2, name="logits", dtype="float32")
        logits = pair(x)
        pair.set_weights([np.array([[0, 1]], np.float32), np.zeros(2, np.float32)])
    else:
        logits = layers.Activation("linear", name="logits", dtype="float32")(x)
    made = Model(image, layers.Softmax(name="probabilities", dtype="float32")(logits), name="imported")
    if not np.abs(made.predict(pixels, verbose=0) - expected).max() < CLOSE:
        raise InputError("The model could not be rebuilt so that it answers as before; it cannot be used here.")
    return made


class _Rebuilder:
    """Leads a tensor through all layers of a model, those of models inside it too, so that none is nested.

    Args:
        last: the layer that makes the answer; its softmax or sigmoid is left out.
    """

    def __init__(self, last: Any) -> None:
        self.last, self.names = last, set(OWN_NAMES)

    def through(self, model: "Model", x: "KerasTensor") -> "KerasTensor":
        """Return what the model makes of a tensor."""
        from keras import Sequential

        if isinstance(model, Sequential):
            for layer in model.layers:
                x = self._step(layer, x)
            return x
        inputs = [x] if isinstance(model.input, list) else x
        outputs = model._run_through_graph(inputs, operation_fn=lambda layer: layer, call_fn=self._step)
        return outputs[0] if isinstance(outputs, list) else outputs

    def _step(self, layer: Any, *inputs: Any, **options: Any) -> Any:
        """Apply one layer, under a name that no other has."""
        from keras import Model, activations, layers

        if isinstance(layer, Model):
            return self.through(layer, inputs[0])
        if type(layer).__name__ in LEARNING_ONLY:
            return inputs[0]
        if layer is self.last:
            if isinstance(layer, layers.Softmax):
                return inputs[0]
            layer.activation = activations.linear
        options.pop("training", None)  # batch norm of a frozen part: here nothing learns
        layer.name = self._free(layer.name)
        return layer(*inputs, **options)

    def _free(self, name: str) -> str:
        free, number = name, 1
        while free in self.names:
            free, number = f"{name}_{number}", number + 1
        self.names.add(free)
        return free


def _enter(shape: Shape, scaling: PixelScaling, learned: tuple[int | None, ...]) -> tuple["KerasTensor", "KerasTensor"]:
    """Return the input, and the same as the model expects it: scaled, in its order of channels, in its shape."""
    from keras import layers

    image, x = image_input(shape, scaling.scaling)
    if scaling.blue_first:
        swap = layers.Conv2D(3, 1, use_bias=False, trainable=False, name="blue_first")
        x = swap(x)
        swap.set_weights([np.eye(3, dtype=np.float32)[::-1].reshape(1, 1, 3, 3)])
    if len(learned) < 4:  # a picture as one row of numbers, or without a channel
        x = layers.Reshape(shape[:2] if len(learned) == 3 else (math.prod(shape),), name="as_learned")(x)
    return image, x


def _ending(model: "Model", answer: np.ndarray, num_classes: int) -> str:
    """Return what a model's answer is: "softmax", "sigmoid" or "linear" (logits).

    Raises:
        InputError: it is no choice between so many classes.
    """
    if answer.ndim != 2:
        raise InputError(
            f"Expected an answer of one number a class, got the shape {_shown(answer.shape[1:])}; only models that sort "
            "pictures into classes can be used."
        )
    units = answer.shape[1]
    if units != num_classes and not (units == 1 and num_classes == 2):
        raise InputError(
            f"The model answers with {units} number{'s' * (units > 1)}, but --classes names {num_classes}; "
            "name them all, in the order of its answers."
        )
    if not np.isfinite(answer).all():
        raise InputError("The model answers with values that are not numbers; train it again.")
    found = _activation(_last(model))
    if found == "sigmoid" and units > 1:
        raise InputError(
            "The model answers for each class by itself (sigmoid); only a choice of one class can be used."
        )
    if found not in ("softmax", "sigmoid", "linear"):
        raise InputError(f"Expected a model that ends in a softmax or in logits, got {found}; end it in a Dense layer.")
    if found == "softmax" and units == 1:
        raise InputError(
            "The model has one answer and a softmax, which is always 1; end it in a sigmoid, or in two answers."
        )
    if found == "linear" and units > 1 and (answer >= 0).all() and np.allclose(answer.sum(1), 1, atol=1e-4):
        raise InputError("The model does something after its softmax; make the softmax its last layer.")
    return found


def _last(model: "Model") -> Any:
    """Return the layer that makes a model's answer, also where that is a model inside it."""
    from keras import Model, Sequential

    while isinstance(model, Model):
        model = model.layers[-1] if isinstance(model, Sequential) else model.outputs[0]._keras_history.operation
    return model


def _activation(layer: Any) -> str:
    from keras import layers

    if isinstance(layer, layers.Softmax):
        return "softmax"
    return getattr(getattr(layer, "activation", None), "__name__", "linear")


def _probabilities(answer: np.ndarray, ending: str) -> np.ndarray:
    """Return the probabilities that an answer stands for, shape (n, classes)."""
    if answer.shape[1] == 1:
        second = answer if ending == "sigmoid" else 1 / (1 + np.exp(-answer.astype(np.float64)))
        return np.concatenate([1 - second, second], 1)
    if ending == "softmax":
        return answer
    exponentials = np.exp(answer - answer.max(1, keepdims=True))
    return exponentials / exponentials.sum(1, keepdims=True)


def _scaled(pixels: np.ndarray, scaling: PixelScaling) -> np.ndarray:
    values = (pixels - scaling.scaling.mean) / scaling.scaling.deviation
    return (values[..., ::-1] if scaling.blue_first else values).astype(np.float32)


def _ask(model: "Model", values: np.ndarray) -> np.ndarray:
    """Return a model's answers to pictures that are scaled as it expects them."""
    shape = model.input_shape
    given = values.reshape(len(values), *values.shape[1 : len(shape)]) if len(shape) == 3 else values
    given = given.reshape(len(values), -1) if len(shape) == 2 else given
    answer = model.predict(given, verbose=0)
    if isinstance(answer, list | dict):
        raise InputError(f"Expected a model with one answer, got {len(answer)}; only models with one can be used.")
    return answer


def _shown(shape: Any) -> str:
    return "(" + ", ".join("any" if side is None else str(side) for side in shape) + ")"
