"""CIFAR-10's binary rows: one label, then 1,024 red, 1,024 green, 1,024 blue pixels."""

from pathlib import Path

import numpy as np
import pytest

from vision_app.data.sources.cifar import FILES, load
from vision_app.errors import InputError


def write_set(folder: Path, rows_a_file: int = 3) -> list[tuple[np.ndarray, int]]:
    """Write all six files and return the training images (32, 32, 3) with their labels, in order."""
    generator, examples = np.random.default_rng(0), []
    folder.mkdir(exist_ok=True)
    for name in [*FILES["train"], *FILES["test"]]:
        content = b""
        for _ in range(rows_a_file):
            image, label = generator.integers(0, 256, (32, 32, 3), np.uint8), int(generator.integers(10))
            content += bytes([label]) + b"".join(image[:, :, channel].tobytes() for channel in range(3))
            examples.append((image, label))
        (folder / name).write_bytes(content)
    return examples[: 5 * rows_a_file]


def test_a_set_is_read_in_order(tmp_path: Path) -> None:
    examples = write_set(tmp_path)
    images, labels = load(tmp_path, "train")
    assert images.dtype == np.uint8 and labels.dtype == np.int64
    assert labels.tolist() == [label for _, label in examples]
    assert np.array_equal(images, np.stack([image for image, _ in examples]))
    assert len(load(tmp_path, "test")[0]) == 3


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: b"",
        lambda content: content[:-1],
        lambda content: content + b"x",
        lambda content: bytes([10]) + content[1:],
        lambda content: content[:3073] + bytes([255]) + content[3074:],
    ],
    ids=["empty", "cut", "longer", "first label", "second label"],
)
def test_damaged_files_are_refused(tmp_path: Path, spoil: object) -> None:
    write_set(tmp_path)
    path = tmp_path / "data_batch_4.bin"
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InputError, match=r"^data_batch_4.bin is damaged: expected rows of 3073 bytes .*; delete it"):
        load(tmp_path, "train")
