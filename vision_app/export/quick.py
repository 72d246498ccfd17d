"""A network that answers many images as fast as this machine can: measured, not guessed."""

import time
from typing import TYPE_CHECKING

import numpy as np

from vision_app.device import cpu_features
from vision_app.export.fused import fuse, is_of_use

if TYPE_CHECKING:
    from keras import Layer, Model

MANY = 5_000  # images; for fewer it does not pay to make two networks and time them
WORTH = 1.3  # times as fast: for less, nothing is rounded
# Of processors that compute in bfloat16; on others it is emulated, many times slower.
FORMATS = {"avx512_bf16", "amx_bf16"}
# Kinds of layers that keep 32 bits: pixels, and probabilities.
EXACT = {"InputLayer", "Rescaling", "Normalization", "Softmax"}


def quickest(model: "Model", batch: np.ndarray, count: int) -> "Model":
    """Return a network that answers as a given one does, in fewer passes over memory, and rounded to 16 bits if it pays.

    Rounded answers differ in the third digit: enough to compare images, not to test a model.

    Args:
        model: functional.
        batch: as many images as it will be asked about at once.
        count: images that it will be asked about in all.

    Returns:
        The model itself on a GPU, and with another backend than TensorFlow.
    """
    if not is_of_use():
        return model
    fused = fuse(model)
    if count < MANY or not FORMATS & cpu_features() or any(hasattr(layer, "layers") for layer in model.layers):
        return fused
    rounded = fuse(_in_16_bits(model))
    return rounded if WORTH * _seconds(rounded, batch) < _seconds(fused, batch) else fused


def _in_16_bits(model: "Model") -> "Model":
    import keras

    def copy(layer: "Layer") -> "Layer":
        config = layer.get_config()
        if type(layer).__name__ not in EXACT:
            config["dtype"] = "mixed_bfloat16"
        return type(layer).from_config(config)

    rounded = keras.models.clone_model(model, clone_function=copy)
    rounded.set_weights(model.get_weights())
    return rounded


def _seconds(model: "Model", batch: np.ndarray) -> float:
    """Return how long an answer takes, without compiling."""
    model.predict_on_batch(batch)
    began = time.perf_counter()
    model.predict_on_batch(batch)
    return time.perf_counter() - began
