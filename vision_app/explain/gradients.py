"""The one gradient that explanations need, for each Keras backend: Keras has no call of its own for it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from keras import Model

Differentiate = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


def make_differentiator(model: "Model", layer: str) -> Differentiate:
    """Return a function (image batch of one, class index) -> (activations, gradients) of one layer.

    Args:
        model: ends in layers `logits` and `probabilities`.
        layer: name of a layer with a spatial output.

    Returns:
        A function whose two results have the layer's output shape (height, width, filters): the activations, and the
        gradient of the class's logit with respect to them.
    """
    import keras

    head, tail = _split(model, layer)
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _with_tensorflow(head, tail)
    if backend == "jax":
        return _with_jax(head, tail)
    return _with_torch(head, tail)


def _split(model: "Model", layer: str) -> tuple["Model", "Model"]:
    """Cut the network at a layer: image -> activations, activations -> logits."""
    import keras

    cut = model.get_layer(layer).output
    return keras.Model(model.inputs, cut), keras.Model(cut, model.get_layer("logits").output)


def _with_tensorflow(head: "Model", tail: "Model") -> Differentiate:
    import tensorflow as tf

    @tf.function
    def run(image: tf.Tensor, index: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        activations = head(image, training=False)
        with tf.GradientTape() as tape:
            tape.watch(activations)
            logit = tail(activations, training=False)[0, index]
        return activations[0], tape.gradient(logit, activations)[0]

    def differentiate(image: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:
        activations, gradients = run(tf.constant(image, tf.float32), tf.constant(index))
        return activations.numpy(), gradients.numpy()

    return differentiate


def _with_jax(head: "Model", tail: "Model") -> Differentiate:
    import jax

    gradient = jax.jit(jax.grad(lambda activations, index: tail(activations, training=False)[0, index]))

    def differentiate(image: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:
        activations = head(image.astype(np.float32), training=False)
        return np.asarray(activations)[0], np.asarray(gradient(activations, index))[0]

    return differentiate


def _with_torch(head: "Model", tail: "Model") -> Differentiate:
    import torch

    def differentiate(image: np.ndarray, index: int) -> tuple[np.ndarray, np.ndarray]:
        activations = head(image.astype(np.float32), training=False).detach().requires_grad_()
        (gradients,) = torch.autograd.grad(tail(activations, training=False)[0, index], activations)
        return activations.detach().cpu().numpy()[0], gradients.cpu().numpy()[0]

    return differentiate
