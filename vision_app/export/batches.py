"""Batches as a dataset of TensorFlow's own, which is how Keras reads them when TensorFlow computes."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

AHEAD = 2  # batches that are made ready while the network is busy


def as_dataset(batches: keras.utils.PyDataset) -> Any:
    """Return batches of images and labels as a `tf.data.Dataset`.

    Keras would make one too, but let TensorFlow tune how many batches are made ready. That tuner sleeps for up to a minute,
    and now and then does not wake up when an epoch ends, which then waits for it (TensorFlow 2.21: 18 s after five of twenty
    epochs of MNIST).

    Args:
        batches: each a pair of arrays; the first axis counts images.
    """
    import tensorflow as tf

    def each() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        return (batches[index] for index in range(len(batches)))

    signature = tuple(tf.TensorSpec((None, *values.shape[1:]), values.dtype) for values in batches[0])
    dataset = tf.data.Dataset.from_generator(each, output_signature=signature)
    options = tf.data.Options()
    options.autotune.enabled = False
    counted = dataset.apply(tf.data.experimental.assert_cardinality(len(batches)))
    return counted.prefetch(AHEAD).with_options(options)
