"""Weights that PyTorch saved, as Keras lays them out."""

import pickle
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vision_app.errors import InputError

PARAMETERS = ("weight", "bias", "running_mean", "running_var")  # in the order of Keras' layers


def read_state(file: Path) -> dict[str, np.ndarray]:
    """Read a state dict, by name of module and parameter with "_" for ".": "conv1_bn_weight".

    Raises:
        InputError: torch is not installed, or the file is no state dict. Code in the file is never run.
    """
    try:
        import torch
    except ImportError as error:
        raise InputError(
            f"{file.name} holds weights of PyTorch, which is read with the optional package torch; pip install torch."
        ) from error
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise InputError(
            f"{file.name} cannot be read; expected a state dict that torch.save wrote, with nothing but tensors in it."
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise InputError(f"{file.name} is no state dict; expected what torch.save(model.state_dict(), file) writes.")
    return {str(name).replace(".", "_"): value.float().numpy() for name, value in state.items()}


def layer_values(state: Mapping[str, np.ndarray], module: str) -> list[np.ndarray]:
    """Return what a state dict has for one module, as `set_weights` of a Keras layer takes it.

    Kernels of convolutions come as (filters, channels, height, width), of dense layers as (units, inputs).
    """
    found = [state[f"{module}_{name}"] for name in PARAMETERS if f"{module}_{name}" in state]
    turned = {4: (2, 3, 1, 0), 2: (1, 0)}
    return [value.transpose(turned[value.ndim]) if value.ndim in turned else value for value in found]
