"""The LiteRT format (.tflite), which predictions are served from."""

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras import Model


def convert(model: "Model") -> bytes:
    """Return a float32 .tflite file of a model; needs TensorFlow.

    Args:
        model: input (batch, height, width, channels) float32 raw pixel values, output probabilities.
    """
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet):
        target = Path(folder) / "saved"
        model.export(target, format="tf_saved_model", verbose=False)
        return tf.lite.TFLiteConverter.from_saved_model(str(target)).convert()
