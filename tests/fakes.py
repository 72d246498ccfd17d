"""Small stand-ins that several tests share."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_app.runs import Run, Status

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    from keras import Model


def make_run(
    folder: Path, model: str = "lenet5", dataset: str = "digits", *, seed: int = 0, tflite: bool = True, **fields: Any
) -> Run:
    """Write a run that has ended, with an untrained network, in the format of the real ones.

    Args:
        folder: the run directory to make.
        seed: another seed, other weights.
        tflite: whether to make model.tflite, which takes a second.
        fields: further fields of the config.
    """
    from vision_app.export.tflite import convert
    from vision_app.models.catalog import build_model
    from vision_app.training.recipe import make_config

    config = make_config(dataset, model, {"seed": seed, "epochs": 1, **fields})
    shape = (config.input_size, config.input_size, config.channels)
    network = build_model(model, shape, len(config.classes), options=config.options)
    randomize(network, seed)
    run = Run(folder)
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(config.to_json())
    network.save(run.model_file)
    if tflite:
        run.tflite_file.write_bytes(convert(network))
    now = time.time()
    run.write_status(
        Status(
            state="completed", created=now, started=now, finished=now, seconds=1.0, parameters=network.count_params()
        )
    )
    return run


def launch_by(patch: "pytest.MonkeyPatch", start: "Callable[[Run], None]") -> None:
    """Have a function called with each run in place of starting a worker for it."""
    from vision_app.training.launchers import LAUNCHERS

    patch.setitem(LAUNCHERS, "local", replace(LAUNCHERS["local"], start=start))


def randomize(network: "Model", seed: int = 0) -> None:
    """Give every weight a value as after training, the statistics of batch norm too, so that nothing cancels out."""
    generator = np.random.default_rng(seed)
    for variable in network.weights:
        shape = variable.shape
        if variable.name in (
            "mean",
            "variance",
            "count",
        ):  # of a layer that a network of Keras brings and ours leaves idle
            continue
        if variable.name in ("moving_variance", "gamma"):
            values = generator.uniform(0.5, 2, shape)
        elif len(shape) > 1:
            inputs = (
                shape[:2] if len(shape) == 4 and shape[-1] == 1 else shape[:-1]
            )  # depthwise: each channel by itself
            values = generator.normal(0, np.sqrt(2 / np.prod(inputs)), shape)  # ReLU halves the variance
        else:
            values = generator.normal(0.1, 0.3, shape)
        variable.assign(values.astype(np.float32))
    _measure_statistics(network)
    _calibrate(network)


def _measure_statistics(network: "Model") -> None:
    """Let batch norm know what it really sees: else the signal of a deep random network dies out."""
    import keras

    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    if norms:
        network(random_pictures((8, *network.input_shape[1:]), seed=2).astype(np.float32), training=True)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _calibrate(network: "Model") -> None:
    """Scale and centre the logits, so that the probabilities are neither all alike nor all 0 and 1."""
    import keras

    layer = network.get_layer("logits")
    pictures = random_pictures((8, *network.input_shape[1:]), seed=1).astype(np.float32)
    logits = np.asarray(keras.Model(network.inputs, layer.output)(pictures, training=False))
    # Much more would turn the rounding errors of a random network, whose logits hardly differ, into differences.
    spread = 3 * max(float(logits.std(axis=0).mean()), 1e-6)
    layer.kernel.assign(layer.kernel / spread)
    layer.bias.assign((layer.bias - logits.mean(axis=0)) / spread)


def random_pictures(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return uint8 pictures (n, height, width, channels) of random blotches, which networks answer differently to."""
    generator = np.random.default_rng(seed)
    count, height, width, channels = shape
    coarse = generator.integers(0, 256, (count, 3, 3, channels))
    rows, columns = np.arange(height) * 3 // height, np.arange(width) * 3 // width
    noise = generator.normal(0, 15, shape)
    return np.clip(coarse[:, rows][:, :, columns] + noise, 0, 255).astype(np.uint8)
