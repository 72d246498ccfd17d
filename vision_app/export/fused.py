"""The same network in fewer passes over memory: on a CPU, what lies between convolutions takes as long as they do.

Keras computes batch normalization and GELU by a dozen small operations each, every one of which reads and writes all
activations, in 32 bits even where the network computes in 16. TensorFlow has one operation for the first, and its compiler
makes one of the second.

Where a processor multiplies matrices of 16 bits (Intel's AMX), the gradients of wide kernels are such products: oneDNN 3.7's own
way to them is so slow there that a step of `fast_cnn` takes 1.3 times as long.
"""

import logging
import math
from typing import TYPE_CHECKING

from vision_app.device import cpu_features

if TYPE_CHECKING:
    from keras import KerasTensor, Layer, Model


log = logging.getLogger(__name__)
AMX = "amx_bf16"  # as Linux calls it
WIDE = 256  # channels; with fewer, the convolution's own way is faster


def is_of_use() -> bool:
    """Whether TensorFlow computes, and on a CPU."""
    import keras

    if keras.backend.backend() != "tensorflow":
        return False
    return all("cpu" in device.lower() for device in keras.distribution.list_devices())


def fuse(network: "Model") -> "Model":
    """Return a copy of a network that computes the same up to rounding; for where it is of use.

    Args:
        network: functional; layers keep their names, weights and order.
    """
    import keras

    kinds = _make_kinds()

    def copy(layer: "Layer") -> "Layer":
        kind = kinds.get((type(layer), getattr(layer, "activation", None)), type(layer))
        return kind.from_config(layer.get_config())

    fused = keras.models.clone_model(network, clone_function=copy)
    fused.set_weights(network.get_weights())
    return fused


def _make_kinds() -> dict[tuple[type, object], type]:
    """Return what stands in for a kind of layer with an activation."""
    import keras
    import tensorflow as tf

    class FusedBatchNormalization(keras.layers.BatchNormalization):
        def call(
            self, inputs: "KerasTensor", training: bool | None = None, mask: "KerasTensor | None" = None
        ) -> "KerasTensor":
            is_usual = self.axis in (-1, 3) and len(inputs.shape) == 4 and mask is None and not self.renorm
            if not is_usual:
                return super().call(inputs, training=training, mask=mask)
            size, learns = inputs.shape[-1], bool(training and self.trainable)
            outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
                x=inputs,
                scale=tf.cast(self.gamma, "float32") if self.scale else tf.ones(size),
                offset=tf.cast(self.beta, "float32") if self.center else tf.zeros(size),
                mean=tf.zeros(0) if learns else self.moving_mean,
                variance=tf.zeros(0) if learns else self.moving_variance,
                epsilon=self.epsilon,
                is_training=learns,
            )
            if not learns:
                return outputs
            count = tf.cast(tf.size(inputs) // size, "float32")
            variance *= tf.maximum(count - 1, 1) / count  # of these values, as Keras counts; not of what they sample
            for kept, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
                kept.assign(kept * self.momentum + new * (1 - self.momentum))
            return outputs

    @tf.function(jit_compile=True)
    def forward(x: tf.Tensor) -> tf.Tensor:
        wide = tf.cast(x, "float32")
        return tf.cast(0.5 * wide * (1 + tf.math.erf(wide / math.sqrt(2))), x.dtype)

    @tf.function(jit_compile=True)
    def backward(x: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
        wide = tf.cast(x, "float32")
        slope = 0.5 * (1 + tf.math.erf(wide / math.sqrt(2)))
        slope += wide * tf.exp(-0.5 * tf.square(wide)) / math.sqrt(2 * math.pi)
        return tf.cast(slope * tf.cast(upstream, "float32"), x.dtype)

    @tf.custom_gradient
    def gelu(x: tf.Tensor) -> tuple[tf.Tensor, object]:
        return forward(x), lambda upstream: backward(x, upstream)

    class FusedGelu(keras.layers.Activation):
        def call(self, inputs: "KerasTensor") -> "KerasTensor":
            return gelu(inputs)

    @tf.custom_gradient
    def convolve(x: tf.Tensor, kernel: tf.Tensor) -> tuple[tf.Tensor, object]:
        _, height, width, inputs = x.shape
        rows, columns, _, filters = kernel.shape

        def gradients(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            to_input = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(x), filter=kernel, out_backprop=upstream, strides=[1] * 4, padding="SAME"
            )
            over, left = (rows - 1) // 2, (columns - 1) // 2
            padded = tf.pad(x, [[0, 0], [over, rows - 1 - over], [left, columns - 1 - left], [0, 0]])
            shifts = [[padded[:, i : i + height, j : j + width] for j in range(columns)] for i in range(rows)]
            flat = [tf.reshape(tf.concat(row, -1), (-1, columns * inputs)) for row in shifts]
            to_row = tf.reshape(upstream, (-1, filters))
            to_kernel = tf.stack([tf.matmul(row, to_row, transpose_a=True) for row in flat])
            return to_input, tf.reshape(to_kernel, kernel.shape)

        return tf.nn.conv2d(x, kernel, 1, "SAME"), gradients

    class WideConvolution(keras.layers.Conv2D):
        def convolution_op(self, inputs: "KerasTensor", kernel: "KerasTensor") -> "KerasTensor":
            is_plain = self.padding == "same" and {*self.strides, *self.dilation_rate, self.groups} == {1}
            is_wide = kernel.shape[2] >= WIDE and max(kernel.shape[:2]) > 1 and None not in inputs.shape[1:]
            if not (is_plain and is_wide and self.compute_dtype == "bfloat16"):
                return super().convolution_op(inputs, kernel)
            return convolve(inputs, tf.cast(kernel, inputs.dtype))

    kinds: dict[tuple[type, object], type] = {(keras.layers.BatchNormalization, None): FusedBatchNormalization}
    if AMX in cpu_features():
        kinds[keras.layers.Conv2D, keras.activations.linear] = WideConvolution
    try:
        backward(tf.zeros(1), tf.zeros(1))
    except tf.errors.OpError:
        log.warning("TensorFlow's compiler does not work here; GELU is computed by Keras' own operations.")
    else:
        kinds[keras.layers.Activation, keras.activations.gelu] = FusedGelu
    return kinds
