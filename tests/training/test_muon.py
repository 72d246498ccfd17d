"""Muon, against its definition in NumPy."""

import keras
import numpy as np
import pytest

from vision_app.training.muon import Muon

RNG = np.random.default_rng(0)


def orthogonalized(matrix: np.ndarray, steps: int) -> np.ndarray:
    """Return Newton and Schulz' iteration as Jordan states it, with his coefficients."""
    x = matrix / np.linalg.norm(matrix)
    x = x if x.shape[0] <= x.shape[1] else x.T
    for _ in range(steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
    return x if matrix.shape[0] <= matrix.shape[1] else x.T


@pytest.mark.parametrize("shape", [(3, 3, 4, 8), (3, 3, 2, 30), (12, 5)])
def test_two_steps_are_those_of_the_definition(shape: tuple[int, ...]) -> None:
    start, gradients = RNG.normal(size=shape), RNG.normal(size=(2, *shape))
    variable = keras.Variable(start.astype(np.float32), name="kernel")
    optimizer = Muon(0.2, momentum=0.6, ns_steps=3, weight_decay=None, adam_weight_decay=None)
    expected, memory = start, 0
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient.astype(np.float32))], [variable])
        memory = 0.6 * memory + gradient
        step = orthogonalized((gradient + 0.6 * memory).reshape(-1, shape[-1]), 3).reshape(shape)
        expected = expected - 0.2 * np.linalg.norm(expected) / np.linalg.norm(step) * step
        expected *= np.linalg.norm(start) / np.linalg.norm(expected)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(variable), expected, atol=2e-5)


def test_kernels_turn_and_keep_their_length() -> None:
    variable = keras.Variable(RNG.normal(size=(3, 3, 16, 16)).astype(np.float32), name="kernel")
    optimizer = Muon(0.1, momentum=0.9, weight_decay=None, adam_weight_decay=None)
    before = keras.ops.convert_to_numpy(variable)
    for _ in range(50):
        gradient = keras.ops.convert_to_tensor(RNG.normal(size=before.shape).astype(np.float32))
        optimizer.apply([gradient], [variable])
    after = keras.ops.convert_to_numpy(variable)
    assert np.linalg.norm(after) == pytest.approx(np.linalg.norm(before), rel=1e-3)
    assert (after * before).sum() / np.linalg.norm(after) / np.linalg.norm(before) < 0.95


def test_biases_and_the_last_layer_learn_by_adam() -> None:
    image = keras.Input((8,))
    hidden = keras.layers.Dense(4, name="dense")(image)
    model = keras.Model(image, keras.layers.Dense(3, name="logits")(hidden))
    before = model.get_weights()
    optimizer = Muon(0.24, adam_lr_ratio=1 / 12, weight_decay=None, adam_weight_decay=None)
    gradients = [keras.ops.ones(variable.shape) for variable in model.trainable_variables]
    optimizer.apply(gradients, model.trainable_variables)
    moved = [np.abs(new - old) for new, old in zip(model.get_weights(), before, strict=True)]
    for values in moved[1:]:  # Adam's first step is its rate, whatever the gradient
        assert values == pytest.approx(0.02, rel=1e-3)
    assert moved[0] != pytest.approx(0.02, rel=0.1)
