"""The IDX format: files written here by its specification, whole and damaged."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from vision_app.data.sources.idx import load, read_idx
from vision_app.errors import InputError

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 3), np.uint8)
LABELS = np.array([3, 0, 9, 1, 1], np.uint8)


def encode(array: np.ndarray) -> bytes:
    """Return an array as an IDX file: two zero bytes, the type, the number of dimensions, the dimensions, the bytes."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_set(folder: Path, prefix: str = "train", images: np.ndarray = IMAGES, labels: np.ndarray = LABELS) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(encode(images)))
    (folder / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(encode(labels)))


@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "t10k")])
def test_a_set_is_read(tmp_path: Path, split: str, prefix: str) -> None:
    write_set(tmp_path, prefix)
    images, labels = load(tmp_path, split)
    assert np.array_equal(images, IMAGES[..., None]) and images.dtype == np.uint8
    assert labels.tolist() == LABELS.tolist() and labels.dtype == np.int64


def test_images_and_labels_must_be_as_many(tmp_path: Path) -> None:
    write_set(tmp_path / "some-set", labels=LABELS[:4])
    with pytest.raises(InputError, match="some-set is damaged: 5 images but 4 labels; delete it"):
        load(tmp_path / "some-set", "train")


GOOD = gzip.compress(encode(IMAGES))
DAMAGED = {
    "empty": b"",
    "not gzip": encode(IMAGES),
    "cut gzip": GOOD[:-20],
    "half": GOOD[: len(GOOD) // 2],
    "altered": GOOD[:30] + bytes([GOOD[30] ^ 255]) + GOOD[31:],
    "rubbish behind": GOOD + b"rubbish",
    "nothing inside": gzip.compress(b""),
    "half a header": gzip.compress(encode(IMAGES)[:10]),
    "too short": gzip.compress(encode(IMAGES)[:-1]),
    "too long": gzip.compress(encode(IMAGES) + b"x"),
    "labels instead": gzip.compress(encode(LABELS)),
    "other type": gzip.compress(b"\0\0\x0d\x03" + encode(IMAGES)[4:]),
    "wrong magic": gzip.compress(b"\x01" + encode(IMAGES)[1:]),
    "absurd size": gzip.compress(struct.pack(">HBB3I", 0, 8, 3, 2**31, 2**31, 4)),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "images.gz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"^images.gz is .*; delete it to fetch it again.$"):
        read_idx(path, dimensions=3)
