"""The IDX format of MNIST and Fashion-MNIST, gzipped (http://yann.lecun.com/exdb/mnist/)."""

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from vision_app.errors import InputError

PREFIX = {"train": "train", "test": "t10k"}


def load(folder: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, h, w, 1) uint8 and labels (n,) of "train" or "test"."""
    prefix = PREFIX[split]
    images = read_idx(folder / f"{prefix}-images-idx3-ubyte.gz", dimensions=3)
    labels = read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz", dimensions=1)
    if len(images) != len(labels):
        raise InputError(
            f"{folder.name} is damaged: {len(images):,} images but {len(labels):,} labels; delete it to fetch it again."
        )
    return images[..., None], labels.astype(np.int64)


def read_idx(path: Path, dimensions: int) -> np.ndarray:
    """Read one gzipped IDX file of unsigned bytes.

    Raises:
        InputError: it is not one, or not of so many dimensions, or cut short.
    """
    try:
        data = gzip.decompress(path.read_bytes())
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise InputError(f"{path.name} is damaged: not a complete gzip file; delete it to fetch it again.") from None
    header = 4 + 4 * dimensions
    if len(data) < header or data[:4] != bytes([0, 0, 8, dimensions]):
        raise InputError(
            f"{path.name} is not an IDX file of bytes in {dimensions} dimensions; delete it to fetch it again."
        )
    shape = tuple(np.frombuffer(data, ">u4", count=dimensions, offset=4).tolist())
    if len(data) != header + math.prod(shape):
        raise InputError(
            f"{path.name} is damaged: its header promises {shape}, its length does not fit; delete it to fetch it again."
        )
    return np.frombuffer(data, np.uint8, offset=header).reshape(shape)
