"""From an image to class probabilities, without TensorFlow: a compiled LiteRT model answers in microseconds."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import BaseModel, ConfigDict

from vision_app.config import RunConfig
from vision_app.data.download import Progress
from vision_app.data.preprocess import preprocess
from vision_app.data.uploads import normalize_upload
from vision_app.device import num_cores
from vision_app.errors import InputError
from vision_app.processes import child_environment
from vision_app.runs import LIVE, Run, write_atomic

if TYPE_CHECKING:
    from ai_edge_litert.interpreter import Interpreter

BATCH = 50
_CONVERTING = threading.Lock()
WAIT_SECONDS = 60
BAD_MODEL = 2  # what the converter exits with


class Prediction(BaseModel):
    """An answer: the likeliest class, and the probability of every class in label order."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    label: str
    scores: dict[str, float]


class Classifier:
    """A trained model, ready to answer; safe to call from several threads.

    Args:
        run: a run or checkpoint with a model.tflite.
    """

    def __init__(self, run: Run) -> None:
        self.name = run.name
        self.config: RunConfig = run.config()
        self.classes = self.config.classes
        self._lock = threading.Lock()
        self._interpreter = _open(run.tflite_file)
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]
        self._batch = 0
        try:
            self._resize(1)
            fits = self._interpreter.get_output_details()[0]["shape"][-1] == len(self.classes)
        except (ValueError, RuntimeError, TypeError):  # also for an input size that is not there
            fits = False
        if not fits:
            raise InputError(
                f"The model.tflite of {self.name} does not fit its config.json; restore the config, or delete the file."
            )

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """Return class probabilities.

        Args:
            images: as the network receives them, 0..255, shape (n, size, size, channels).

        Returns:
            float32, shape (n, classes).
        """
        size, channels = self.config.input_size, self.config.channels
        if images.shape[1:] != (size, size, channels):
            raise InputError(
                f"{self.name} expects images of shape (n, {size}, {size}, {channels}), got {images.shape}."
            )
        parts = [self._invoke(images[start : start + BATCH]) for start in range(0, len(images), BATCH)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.classes)), np.float32)

    def receive(self, picture: np.ndarray) -> np.ndarray:
        """Return an outside picture as the network receives it.

        Args:
            picture: uint8, shape (height, width, 3).

        Returns:
            uint8, shape (size, size, channels).
        """
        own = normalize_upload(picture, self.config.upload_style)
        return preprocess(own[None], self.config.input_size, self.config.channels, self.config.fit)[0]

    def predict(self, picture: np.ndarray) -> Prediction:
        """Classify an outside picture, uint8 (height, width, 3)."""
        return self.predict_received(self.receive(picture))

    def predict_received(self, image: np.ndarray) -> Prediction:
        """Classify an image that is as the network receives it, uint8 (size, size, channels).

        Raises:
            InputError: the network's answer is not made of numbers.
        """
        scores = self.probabilities(image[None])[0]
        if not np.isfinite(scores).all():
            raise InputError(f"{self.name} answered with values that are not numbers; train it again.")
        return Prediction(
            label=self.classes[int(scores.argmax())], scores=dict(zip(self.classes, scores.tolist(), strict=True))
        )

    def _invoke(self, images: np.ndarray) -> np.ndarray:
        with self._lock:
            self._resize(len(images))
            self._interpreter.set_tensor(self._input, images.astype(np.float32))
            self._interpreter.invoke()
            return self._interpreter.get_tensor(self._output)

    def _resize(self, batch: int) -> None:
        if batch != self._batch:
            size, channels = self.config.input_size, self.config.channels
            self._interpreter.resize_tensor_input(self._input, [batch, size, size, channels], strict=True)
            self._interpreter.allocate_tensors()
            self._batch = batch


def load_classifier(run: Run, progress: Progress | None = None) -> Classifier:
    """Return the classifier of a run, loaded once per process and model file.

    A run from a machine without TensorFlow has no model.tflite; it is made here, once, which takes seconds. So is that of
    a run that has not ended, again after each better epoch.

    Args:
        run: a run or checkpoint.
        progress: called with a share and a sentence when the file has to be made.

    Raises:
        InputError: the run has no model yet, or its file is damaged.
    """
    if not _is_current(run):
        make_servable(run, lambda: _convert_elsewhere(run, progress))
    return _load(run, run.tflite_file.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _load(run: Run, _changed: int) -> Classifier:
    return Classifier(run)


def _is_current(run: Run) -> bool:
    """Whether model.tflite is the best model; with a report the run has ended, and the times of copied files say nothing."""
    if not run.tflite_file.exists() or run.report_file.exists() or not run.model_file.exists():
        return run.tflite_file.exists()
    return run.tflite_file.stat().st_mtime_ns >= run.model_file.stat().st_mtime_ns


def make_servable(run: Run, convert: Callable[[], bytes]) -> None:
    """Write model.tflite from model.keras, unless another process has just done it.

    Args:
        run: a run or checkpoint.
        convert: returns the .tflite file of the model.keras that is there when it is called.

    Raises:
        InputError: the run has no model yet.
    """
    if not run.model_file.exists():
        raise InputError(f"{run.name} has no model yet: wait for its first epoch, or choose another.")
    if not _CONVERTING.acquire(timeout=0 if run.tflite_file.exists() else WAIT_SECONDS):  # one TensorFlow at a time
        if run.tflite_file.exists():
            return  # that of an earlier epoch will do meanwhile
        raise InputError(f"{run.name} is still being made ready; try again in a minute.")
    try:
        while not _is_current(run):
            changed = run.model_file.stat().st_mtime_ns
            content = convert()
            is_replaced = run.model_file.stat().st_mtime_ns != changed
            if is_replaced and (run.report_file.exists() or run.status().state not in LIVE):
                continue  # it has ended meanwhile, and its last model is the one that counts
            if not _is_current(run):  # else the worker has made that of a later epoch meanwhile
                write_atomic(run.tflite_file, content)
                # As old as its source, whatever the clocks say; so it is made again if that has been replaced meanwhile.
                os.utime(run.tflite_file, ns=(changed, changed))
            break
    finally:
        _CONVERTING.release()


def _convert_elsewhere(run: Run, progress: Progress | None) -> bytes:
    if progress:
        progress(0.1, f"Making {run.name} ready: this happens once and takes some seconds")
    # A process of its own: TensorFlow would stay in this one's memory, and only this needs it here.
    command = [sys.executable, "-m", "vision_app.export.tflite", str(run.model_file)]
    environment = child_environment() | {"KERAS_BACKEND": "tensorflow"}  # the only backend that can convert
    made = subprocess.run(command, capture_output=True, env=environment, stdin=subprocess.DEVNULL)
    if made.returncode:
        said = made.stderr.decode(errors="replace").strip()
        if made.returncode == BAD_MODEL:
            raise InputError(said.splitlines()[-1])
        raise RuntimeError(f"Converting {run.name} failed:\n{said}")
    return made.stdout


def _open(path: Path) -> "Interpreter":
    from ai_edge_litert.interpreter import Interpreter

    try:
        return Interpreter(model_path=str(path), num_threads=num_cores())
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{path.parent.name}/{path.name} is damaged; delete it and it is made again.") from error
