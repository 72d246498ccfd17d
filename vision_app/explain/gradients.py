"""The one gradient that explanations need, for each Keras backend: Keras has no call of its own for it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from keras import Model


class Gradients(NamedTuple):
    """What a layer passes on for n images.

    Args:
        activations: of the layer, (n, height, width, filters).
        gradients: of each image's chosen logit with respect to them, the same shape.
        logits: of all classes, (n, k).
    """

    activations: np.ndarray
    gradients: np.ndarray
    logits: np.ndarray


Differentiate = Callable[[np.ndarray, np.ndarray], Gradients]


def make_differentiator(model: "Model", layer: str) -> Differentiate:
    """Return a function (images (n, h, w, c), class indices (n,)) -> Gradients of one layer, with the model's current weights.

    Args:
        model: has a layer `logits`.
        layer: name of a layer with a spatial output.
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
    return keras.Model(model.inputs[0], cut), keras.Model(cut, model.get_layer("logits").output)


def _with_tensorflow(head: "Model", tail: "Model") -> Differentiate:
    import tensorflow as tf

    @tf.function
    def run(images: tf.Tensor, indices: tf.Tensor) -> tuple[tf.Tensor, ...]:
        activations = head(images, training=False)
        with tf.GradientTape() as tape:
            tape.watch(activations)
            logits = tail(activations, training=False)
            chosen = tf.gather(
                logits, indices, batch_dims=1
            )  # images do not mix, so neither do the gradients of the sum
        return activations, tape.gradient(chosen, activations), logits

    def differentiate(images: np.ndarray, indices: np.ndarray) -> Gradients:
        found = run(tf.constant(images, tf.float32), tf.constant(indices, tf.int32))
        return Gradients(*(values.numpy() for values in found))

    return differentiate


def _with_jax(head: "Model", tail: "Model") -> Differentiate:
    import jax

    def chosen(activations: jax.Array, weights: tuple, indices: np.ndarray) -> tuple[jax.Array, jax.Array]:
        logits, _ = tail.stateless_call(*weights, activations, training=False)
        return logits[np.arange(len(indices)), indices].sum(), logits

    gradient = jax.jit(jax.grad(chosen, has_aux=True))

    def differentiate(images: np.ndarray, indices: np.ndarray) -> Gradients:
        activations = head(images.astype(np.float32), training=False)
        # Handed over with every call: a compiled function keeps what it finds by itself, and training changes it.
        weights = tuple([v.value for v in group] for group in (tail.trainable_variables, tail.non_trainable_variables))
        gradients, logits = gradient(activations, weights, indices)
        return Gradients(*(np.asarray(values) for values in (activations, gradients, logits)))

    return differentiate


def _with_torch(head: "Model", tail: "Model") -> Differentiate:
    import torch

    def differentiate(images: np.ndarray, indices: np.ndarray) -> Gradients:
        activations = head(images.astype(np.float32), training=False).detach().requires_grad_()
        logits = tail(activations, training=False)
        (gradients,) = torch.autograd.grad(logits[np.arange(len(indices)), indices].sum(), activations)
        return Gradients(*(values.detach().float().cpu().numpy() for values in (activations, gradients, logits)))

    return differentiate
