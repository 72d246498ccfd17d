"""The LiteRT format (.tflite), which predictions are served from: `python -m vision_app.export.tflite MODEL > FILE`."""

import contextlib
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from vision_app.errors import InputError

if TYPE_CHECKING:
    from keras import Model


def convert(model: "Model") -> bytes:
    """Return a float32 .tflite file of a model; needs TensorFlow.

    Args:
        model: input (batch, height, width, channels) float32 raw pixel values, output probabilities.
    """
    import keras
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(model)
    # Not `model.export`: behind a layer such as Resizing, Keras 3.15 exports batch norm as it is while training.
    archive.add_endpoint(
        "serve",
        lambda image: model(image, training=False),
        [keras.InputSpec("float32", (None, *model.input_shape[1:]))],
    )
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "w") as quiet, contextlib.redirect_stdout(quiet):
        target = Path(folder) / "saved"
        archive.write_out(target, verbose=False)
        return tf.lite.TFLiteConverter.from_saved_model(str(target)).convert()


def convert_file(path: Path) -> bytes:
    """Return a float32 .tflite file of a saved Keras model.

    Raises:
        InputError: the file is no such model.
    """
    import keras

    try:
        model = keras.saving.load_model(path, compile=False)
    except (ValueError, OSError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path.parent.name}/{path.name} is damaged: Keras cannot read it; train the run again."
        ) from error
    return convert(model)


def main(model_file: str) -> int:
    """Write the .tflite file of a saved Keras model to standard output, and nothing else."""
    try:
        with contextlib.redirect_stdout(sys.stderr):
            content = convert_file(Path(model_file))
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    sys.stdout.buffer.write(content)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
