"""Grad-CAM: where the evidence for a class lies (Selvaraju et al. 2017, arXiv:1610.02391)."""

import numpy as np


def gradcam(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Weigh each filter's activations by the mean gradient of the class's logit, add up, keep what speaks for the class.

    Args:
        activations: of one layer, shape (height, width, filters).
        gradients: of the class's logit with respect to them, the same shape.

    Returns:
        float32, shape (height, width), not negative, not scaled.
    """
    weights = gradients.astype(np.float32).mean((0, 1))
    return np.maximum(activations.astype(np.float32) @ weights, 0)
