"""MNIST as one NumPy archive: x_train, y_train, x_test, y_test."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from vision_app.errors import InputError

# What NumPy and zipfile raise for a file that is cut short, altered, or no such archive at all.
DAMAGES = (
    OSError,
    ValueError,
    KeyError,
    TypeError,
    EOFError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


def load(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, h, w, 1) uint8 and labels (n,) of "train" or "test".

    Raises:
        InputError: the file is not such an archive.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            images, labels = data[f"x_{split}"], data[f"y_{split}"]
    except DAMAGES as error:
        raise InputError(
            f"{path.name} is damaged: expected a NumPy archive with x_{split} and y_{split}; delete it to fetch it again."
        ) from error
    if (
        images.ndim != 3
        or images.dtype != np.uint8
        or labels.shape != images.shape[:1]
        or labels.dtype.kind not in "iu"
    ):
        raise InputError(
            f"{path.name} is damaged: expected uint8 images (n, h, w) and n whole numbers as labels, "
            f"got {images.dtype} {images.shape} and {labels.dtype} {labels.shape}; delete it to fetch it again."
        )
    return images[..., None], labels.astype(np.int64)
