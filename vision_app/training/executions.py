"""How many steps of training Keras is handed at once: a small network spends as long between its steps as in them."""

import time

import keras
import numpy as np

from vision_app.config import RunConfig
from vision_app.data.prepared import Prepared

MOST_STEPS = 16
UNNOTICED = 0.1  # seconds that pass before a person sees that a curve waits, or Stop
FEWEST_AN_EPOCH = 4  # times that Keras comes back in an epoch, for a curve that lives
BACKWARD = 3  # a step takes about so many times as long as an answer
SAMPLE = 64  # images that are timed


def answer(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return what a model says of images, when it has said it: a GPU is waited for."""
    return keras.ops.convert_to_numpy(model([images], training=False))


def steps_at_once(model: keras.Model, images: Prepared, steps_per_epoch: int, config: RunConfig) -> int:
    """Return how many steps take a tenth of a second, measured on one answer; what is learned does not depend on it.

    One where Keras cannot (other backends than TensorFlow) or may not (a rate that a callback lowers).

    Args:
        model: compiled; nothing about it changes.
        images: for training.
        steps_per_epoch: steps in an epoch.
        config: for its batch size and schedule.
    """
    if keras.backend.backend() != "tensorflow" or config.schedule == "plateau":
        return 1
    sample = images[: min(SAMPLE, config.batch_size)]
    answer(model, sample)
    began = time.perf_counter()
    answer(model, sample)
    step = BACKWARD * (time.perf_counter() - began) * min(config.batch_size, len(images)) / len(sample)
    return max(1, min(MOST_STEPS, int(UNNOTICED / step), steps_per_epoch // FEWEST_AN_EPOCH))
