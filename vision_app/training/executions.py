"""How many steps of training Keras is handed at once: a small network spends as long between its steps as in them."""

import time

import keras
import numpy as np

from vision_app.config import RunConfig
from vision_app.data.prepared import Prepared
from vision_app.training.feed import evaluation_batch

MOST_STEPS = 16
UNNOTICED = 0.1  # seconds that pass before a person sees that a curve waits, or Stop
FEWEST_AN_EPOCH = 4  # times that Keras comes back in an epoch, for a curve that lives
BACKWARD = 3  # a step takes about so many times as long as an answer
# Images whose answers are timed, if they fit the memory; the most only where they take next to nothing.
FEW, MANY = 16, (64, 256)
ENOUGH_SECONDS, MOST_TIMES = 0.05, 5  # an answer that is quicker is timed again


def answer(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Return what a model says of images, when it has said it: a GPU is waited for."""
    return keras.ops.convert_to_numpy(model([images], training=False))


def steps_at_once(model: keras.Model, images: Prepared, steps_per_epoch: int, config: RunConfig) -> int:
    """Return how many steps take a tenth of a second, measured on a few answers; what is learned does not depend on it.

    One where Keras cannot (other backends than TensorFlow) or may not (a rate that a callback lowers).

    Args:
        model: compiled; nothing about it changes.
        images: for training.
        steps_per_epoch: steps in an epoch.
        config: for its batch size and schedule.
    """
    if keras.backend.backend() != "tensorflow" or config.schedule == "plateau":
        return 1
    step = BACKWARD * min(config.batch_size, len(images)) * _seconds_an_image(model, images)
    at_once = int(UNNOTICED / step) if step > UNNOTICED / MOST_STEPS else MOST_STEPS
    return max(1, min(at_once, steps_per_epoch // FEWEST_AN_EPOCH))


def _seconds_an_image(model: keras.Model, images: Prepared) -> float:
    """Return how much longer an answer takes for each image more.

    Here the layers are called one by one, which takes a small network most of the time, and a compiled step none.
    """
    most = min(len(images), evaluation_batch(images.shape[1]))
    first = images[: min(FEW, most)]
    few = _shortest(model, first)
    if few > UNNOTICED or most <= FEW:  # what it takes beside the images hardly counts, or cannot be told
        return few / len(first)
    for size in MANY:
        more = images[: min(size, most)]
        longer = _shortest(model, more) - few
        if longer > few:  # else it may be chance
            break
    return max(0.0, longer / (len(more) - FEW))


def _shortest(model: keras.Model, images: np.ndarray) -> float:
    """Return the seconds of an answer, the shortest of some: what else goes on only makes it longer."""
    answer(model, images)
    took: list[float] = []
    while sum(took) < ENOUGH_SECONDS and len(took) < MOST_TIMES:
        began = time.perf_counter()
        answer(model, images)
        took.append(time.perf_counter() - began)
    return min(took)
