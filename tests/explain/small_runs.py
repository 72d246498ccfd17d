"""Runs with small networks of known weights, in the run directory's format."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vision_app.config import RunConfig
from vision_app.runs import Run, Status

if TYPE_CHECKING:
    from keras import Model


def save_run(folder: Path, model: "Model", name: str = "simple_cnn", classes: tuple[str, ...] = ("a", "b", "c")) -> Run:
    """Write a completed run with this model, whose row in MODELS is `name`."""
    folder.mkdir(parents=True)
    _, size, _, channels = model.input_shape
    config = RunConfig(model=name, dataset="digits", input_size=size, channels=channels, classes=classes)
    (folder / "config.json").write_text(config.to_json())
    run = Run(folder)
    run.write_status(Status(state="completed", created=0.0))
    model.save(run.model_file)
    return run


def one_layer(kernel: np.ndarray, bias: float, weights: np.ndarray, size: int) -> "Model":
    """Return image -> convolution "conv2" with ReLU -> mean over positions -> logits -> probabilities.

    Args:
        kernel: (height, width, 1, filters).
        bias: of every filter.
        weights: (filters, classes), from means to logits.
        size: pixels a side.
    """
    import keras
    from keras import layers

    image = keras.Input((size, size, 1), name="image")
    x = layers.Rescaling(1.0, name="scaling")(image)
    x = layers.Conv2D(kernel.shape[-1], kernel.shape[:2], padding="same", activation="relu", name="conv2")(x)
    x = layers.GlobalAveragePooling2D(name="average")(x)
    logits = layers.Dense(weights.shape[1], use_bias=False, name="logits")(x)
    model = keras.Model(image, layers.Softmax(name="probabilities")(logits))
    model.get_layer("conv2").set_weights([kernel.astype(np.float32), np.full(kernel.shape[-1], bias, np.float32)])
    model.get_layer("logits").set_weights([weights.astype(np.float32)])
    return model
