"""Grad-CAM's formula against a case worked out by hand."""

import numpy as np

from vision_app.explain.gradcam import gradcam


def test_hand_computed() -> None:
    activations = np.zeros((2, 2, 2), np.float32)
    activations[..., 0] = [[1, 2], [3, 4]]
    activations[..., 1] = [[4, 0], [0, 1]]
    gradients = np.zeros((2, 2, 2), np.float32)
    gradients[..., 0] = [[1, 3], [0, 0]]  # mean 1
    gradients[..., 1] = [[-2, 0], [0, -2]]  # mean -1
    # 1 x first filter - 1 x second filter = [[-3, 2], [3, 3]], and what is negative becomes 0.
    assert np.array_equal(gradcam(activations, gradients), [[0, 2], [3, 3]])


def test_nothing_speaks_for_the_class() -> None:
    activations, gradients = np.ones((3, 3, 4), np.float32), np.full((3, 3, 4), -1, np.float32)
    heatmap = gradcam(activations, gradients)
    assert heatmap.dtype == np.float32 and not heatmap.any()
