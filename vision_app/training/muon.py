"""Muon for convolutional networks: a step turns every direction of a kernel alike."""

import keras
from keras import ops


class Muon(keras.optimizers.Muon):
    """Muon (Jordan et al. 2024, github.com/KellerJordan/Muon) for the kernels of convolutions too, which Keras gives to Adam.

    The learning rate is the share by which a kernel turns in a step, whatever its length, which stays, as in
    cifar10-airbench. Biases and the last layer learn by Adam at `adam_lr_ratio` of the rate.
    """

    def _should_use_adamw(self, variable: keras.Variable) -> bool:
        return len(variable.shape) not in (2, 4) or "logits" in variable.path

    def _muon_update_step(
        self, gradient: keras.KerasTensor, variable: keras.Variable, lr: keras.KerasTensor, m: keras.Variable
    ) -> None:
        self.assign(m, ops.add(gradient, m * self.momentum))
        direction = ops.reshape(gradient + self.momentum * m, (-1, variable.shape[-1]))
        step = ops.reshape(self.zeropower_via_newtonschulz5(direction, self.ns_steps), variable.shape)
        rate, value = ops.cast(lr, variable.dtype), ops.convert_to_tensor(variable)
        length = _length(value)
        turned = value - rate * length / (_length(step) + self.epsilon) * step
        self.assign(variable, turned * (length / (_length(turned) + self.epsilon)))


def _length(values: keras.KerasTensor) -> keras.KerasTensor:
    return ops.sqrt(ops.sum(ops.square(values)))
