"""MNIST as one NumPy archive: x_train, y_train, x_test, y_test."""

import zipfile
from pathlib import Path

import numpy as np

from vision_app.errors import InputError


def load(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, h, w, 1) uint8 and labels (n,) of "train" or "test".

    Raises:
        InputError: the file is not such an archive.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            images, labels = data[f"x_{split}"], data[f"y_{split}"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{path.name} is damaged: expected a NumPy archive with x_{split} and y_{split}; delete it to fetch it again."
        ) from error
    if images.ndim != 3 or images.dtype != np.uint8 or labels.shape != images.shape[:1]:
        raise InputError(f"{path.name} is damaged: expected uint8 images (n, h, w), got {images.dtype} {images.shape}.")
    return images[..., None], labels.astype(np.int64)
