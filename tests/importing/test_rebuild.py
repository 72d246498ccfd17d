"""Models built elsewhere, rebuilt: they answer as before, from raw pixels, and end as the app's own do."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.fakes import random_pictures
from vision_app.errors import InputError
from vision_app.importing.rebuild import input_shape, rebuild, starts_with_scaling
from vision_app.importing.scalings import SCALINGS

if TYPE_CHECKING:
    from keras import Model

SIZE = 12


def shake(model: "Model") -> "Model":
    """Give a model weights with which its answers differ from picture to picture."""
    generator = np.random.default_rng(0)
    for weight in model.weights:
        shape = weight.shape
        if weight.name in ("gamma", "moving_variance"):
            weight.assign(generator.uniform(0.5, 2, shape))
        else:
            weight.assign(generator.normal(0.05, 1.5 / np.sqrt(max(1, np.prod(shape[:-1]))), shape))
    return model


def spread(model: "Model", inputs: np.ndarray) -> None:
    """Scale and centre what a model's last dense layer says of some inputs, so that its answers are neither alike nor 0 and 1."""
    import keras

    dense = next(layer for layer in reversed(model.layers) if isinstance(layer, keras.layers.Dense))
    values = np.asarray(keras.Model(model.inputs, dense.input)([inputs])) @ dense.kernel.numpy()
    dense.kernel.assign(dense.kernel / values.std())
    dense.bias.assign(-values.mean(0) / values.std())


def rows(channels: int | None = None) -> "Model":
    """A network of the first tutorials: a picture without channel, or as one row, and logits."""
    from keras import Input, Sequential, layers

    start = [Input((SIZE, SIZE)), layers.Flatten()] if channels is None else [Input((SIZE * SIZE,))]
    return Sequential([*start, layers.Dense(9, activation="relu"), layers.Dense(3)])


def convolutions(end: str = "dense") -> "Model":
    """A convolutional network with layers for learning in front, that scales the pixels itself."""
    from keras import Input, Sequential, layers

    model = Sequential(
        [Input((SIZE, SIZE, 3)), layers.Rescaling(1 / 255), layers.RandomFlip(), layers.GaussianNoise(0.5)]
    )
    model.add(layers.Conv2D(4, 3, activation="relu", name="logits"))
    model.add(layers.BatchNormalization(name="scaling"))
    model.add(layers.MaxPooling2D())
    model.add(layers.Flatten())
    model.add(layers.Dropout(0.4))
    if end == "dense":
        model.add(layers.Dense(3, activation="softmax", name="probabilities"))
    else:
        model.add(layers.Dense(3))
        model.add(layers.Softmax() if end == "softmax" else layers.Activation("softmax"))
    return model


def nested(preprocess: Callable | None = None, units: int = 1) -> "Model":
    """A network within a network, with names that come twice, as in transfer learning."""
    from keras import Input, Model, layers

    inner = Input((None, None, 3), name="image")
    x = layers.Conv2D(4, 3, padding="same", name="dense")(inner)
    x = layers.Add(name="add")([x, layers.Conv2D(4, 1, name="conv")(inner)])
    backbone = Model(inner, layers.BatchNormalization(name="norm")(x), name="backbone")
    image = Input((SIZE, SIZE, 3), name="image")
    x = backbone(preprocess(image) if preprocess else image, training=False)
    x = layers.GlobalAveragePooling2D()(layers.ReLU(name="norm")(x))
    return Model(image, layers.Dense(units, activation="sigmoid" if units == 1 else "softmax", name="dense")(x))


def mobilenet_nested() -> "Model":
    from keras.applications.mobilenet_v2 import preprocess_input

    return nested(preprocess_input)


def resnet_nested() -> "Model":
    from keras.applications.resnet import preprocess_input

    return nested(preprocess_input, units=4)


def softmax(values: np.ndarray) -> np.ndarray:
    return np.exp(values) / np.exp(values).sum(1, keepdims=True)


def pair(values: np.ndarray) -> np.ndarray:
    return np.concatenate([1 - values, values], 1)


CASES = {
    "a picture without channel": (rows, 1, "unit", lambda x: x[..., 0] / 255, softmax),
    "a picture as one row": (lambda: rows(1), 1, "symmetric", lambda x: (x / 127.5 - 1).reshape(len(x), -1), softmax),
    "convolutions": (convolutions, 3, "raw", lambda x: x, None),
    "a softmax layer": (lambda: convolutions("softmax"), 3, "raw", lambda x: x, None),
    "a softmax activation": (lambda: convolutions("activation"), 3, "raw", lambda x: x, None),
    "a network within": (nested, 3, "unit", lambda x: x / 255, pair),
    "MobileNet's preprocessing within": (mobilenet_nested, 3, "raw", lambda x: x, pair),
    "ResNet's preprocessing within": (resnet_nested, 3, "raw", lambda x: x, None),
    "ResNet's preprocessing before": (
        lambda: nested(units=4), 3, "caffe", lambda x: x[..., ::-1] - (103.939, 116.779, 123.68), None
    ),
    "torchvision's preprocessing before": (
        lambda: nested(units=4), 3, "imagenet",
        lambda x: (x / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225), None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_rebuilt_models_answer_as_before(case: str, tmp_path: object) -> None:
    import keras

    build, channels, scaling, prepare, finish = CASES[case]
    model = shake(build())
    pixels = random_pictures((6, SIZE, SIZE, channels)).astype(np.float32)
    inputs = prepare(pixels).astype(np.float32)
    spread(model, inputs)
    answer = model.predict(inputs, verbose=0)
    expected = finish(answer) if finish else answer
    assert np.ptp(expected, axis=0).max() > 0.02
    shape = input_shape(model, None)
    assert shape == (SIZE, SIZE, channels)
    made = rebuild(model, shape, expected.shape[1], SCALINGS[scaling])
    assert np.allclose(made.predict(pixels, verbose=0), expected, atol=1e-5)
    names = [layer.name for layer in made.layers]
    assert names[:2] == ["image", "scaling"] and names[-2:] == ["logits", "probabilities"]
    assert not any(isinstance(layer, keras.Model) for layer in made.layers)
    made.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", compile=False)
    assert np.allclose(again.predict(pixels, verbose=0), expected, atol=1e-5)


@pytest.mark.parametrize(("build", "expected"), [(convolutions, True), (rows, False), (nested, False)])
def test_models_that_scale_the_pixels_are_known(build: Callable, expected: bool) -> None:
    assert starts_with_scaling(build()) is expected


def test_a_model_of_any_size_is_told_which() -> None:
    from keras import Input, Sequential, layers

    model = Sequential([Input((None, None, 3)), layers.Conv2D(3, 3), layers.GlobalAveragePooling2D()])
    with pytest.raises(InputError, match=r"pictures of any size; say how many pixels a side .* --size"):
        input_shape(model, None)
    assert input_shape(model, 40) == (40, 40, 3)
    assert rebuild(shake(model), (40, 40, 3), 3, SCALINGS["unit"]).input_shape == (None, 40, 40, 3)
    with pytest.raises(InputError, match="got 12 x 12, not the 40 of --size"):
        input_shape(convolutions(), 40)


@pytest.mark.parametrize(
    ("shape", "message"),
    [((20, 30, 3), "square .*20 x 30"), ((20, 20, 4), r"got \(20, 20, 4\)"), ((3, 20, 20), r"got \(3, 20, 20\)"),
     ((21,), r"got \(21\)"), ((2000, 2000, 1), "4 to 1024 .*2000 x 2000"), ((5, 20, 20, 3), r"got \(5, 20, 20, 3\)")],
)  # fmt: skip
def test_other_inputs_are_told(shape: tuple[int, ...], message: str) -> None:
    from types import SimpleNamespace

    with pytest.raises(InputError, match=message):
        input_shape(SimpleNamespace(input_shape=(None, *shape)), None)


def test_several_inputs_or_answers_are_told() -> None:
    from keras import Input, Model, layers

    one, other = Input((SIZE, SIZE, 1)), Input((SIZE, SIZE, 1))
    two = Model([one, other], layers.Add()([one, other]))
    with pytest.raises(InputError, match="takes one picture, got 2 inputs"):
        input_shape(two, None)
    flat = layers.Flatten()(one)
    with pytest.raises(InputError, match="one answer, got 2"):
        rebuild(Model(one, [flat, flat]), (SIZE, SIZE, 1), 3, SCALINGS["raw"])


@pytest.mark.parametrize(
    ("end", "classes", "message"),
    [("dense", 4, "answers with 3 numbers, but --classes names 4"), ("dense", 2, "with 3 numbers, but --classes names 2"),
     ("sigmoid", 3, r"each class by itself \(sigmoid\)"), ("relu", 3, "softmax or in logits, got relu"),
     ("after", 3, "something after its softmax"), ("one", 2, "softmax, which is always 1"), ("map", 3, r"got the shape \(12, 12, 3\)"),
     ("broken", 3, "values that are not numbers")],
)  # fmt: skip
def test_other_answers_are_told(end: str, classes: int, message: str) -> None:
    from keras import Input, Sequential, layers

    model = Sequential([Input((SIZE, SIZE, 1)), layers.Flatten()])
    if end in ("sigmoid", "relu"):
        model.add(layers.Dense(3, activation=end))
    elif end == "one":
        model.add(layers.Dense(1, activation="softmax"))
    else:
        model.add(layers.Dense(3, activation="softmax" if end in ("dense", "after") else None))
    if end == "after":
        model.add(layers.Dropout(0.5))
    if end == "map":
        model = Sequential([Input((SIZE, SIZE, 1)), layers.Conv2D(3, 1)])
    if end == "broken":
        model.layers[-1].bias.assign([0, np.nan, 0])
    with pytest.raises(InputError, match=message):
        rebuild(model, (SIZE, SIZE, 1), classes, SCALINGS["unit"])
