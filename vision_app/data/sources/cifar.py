"""The binary version of CIFAR-10 (https://www.cs.toronto.edu/~kriz/cifar.html): rows of 1 label and 3,072 pixels."""

from pathlib import Path

import numpy as np

from vision_app.errors import InputError

FILES = {"train": [f"data_batch_{number}.bin" for number in range(1, 6)], "test": ["test_batch.bin"]}
ROW_BYTES = 1 + 3 * 32 * 32


def load(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, 32, 32, 3) uint8 and labels (n,) of "train" or "test"."""
    rows = np.concatenate([_read(folder / name) for name in FILES[split]])
    images = rows[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), rows[:, 0].astype(np.int64)


def _read(path: Path) -> np.ndarray:
    data = np.fromfile(path, np.uint8)
    if not len(data) or len(data) % ROW_BYTES or data[::ROW_BYTES].max() > 9:
        raise InputError(
            f"{path.name} is damaged: expected rows of {ROW_BYTES} bytes with labels 0 to 9; delete it to fetch it again."
        )
    return data.reshape(-1, ROW_BYTES)
