"""A few fixed images and what a network saw in them after each epoch: where it learns to look.

In a run's `strip/`: `images.npz` once, and `epoch-N.npz` for at most about 50 epochs, evenly spread; epoch 0 is before training.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_app.explain.gradcam import gradcam
from vision_app.explain.gradients import Differentiate
from vision_app.runs import Run, write_atomic

NUM_IMAGES = 12
MAX_EPOCHS = 50
LARGEST_PICTURE, LARGEST_MAP = 64, 32  # pixels a side


@dataclass(frozen=True)
class Strip:
    """The images: uint8 (n, height, width, channels), reduced to 64 pixels a side, and their true classes (n,)."""

    images: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Glimpse:
    """What a network saw after an epoch.

    Args:
        epoch: 0 is before training.
        probabilities: float16 (n, k).
        maps: Grad-CAM for the true class, uint8 (n, height, width), the brightest point 255; all 0 if nothing speaks for it.
    """

    epoch: int
    probabilities: np.ndarray
    maps: np.ndarray


def choose_images(labels: np.ndarray, seed: int) -> np.ndarray:
    """Return the positions of up to 12 images, in label order: as many classes as can be, then as evenly as can be.

    Args:
        labels: integers (n,).
        seed: which of each class.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(len(labels))
    by_class = order[np.argsort(labels[order], kind="stable")]
    starts = np.searchsorted(labels[by_class], labels[by_class])
    turn = np.arange(len(labels)) - starts  # first of its class, second, ...
    chosen = by_class[np.lexsort((generator.permutation(len(labels)), turn))[:NUM_IMAGES]]
    return chosen[np.argsort(labels[chosen], kind="stable")]


def look(differentiate: Differentiate, images: np.ndarray, labels: np.ndarray, epoch: int) -> Glimpse:
    """Return what a network sees in images, by what `make_differentiator` made of it.

    Args:
        images: as the network receives them, (n, size, size, channels).
        labels: the classes that the maps speak for, integers (n,).
        epoch: how many it was trained.
    """
    found = differentiate(images, labels)
    maps = [gradcam(*pair) for pair in zip(found.activations, found.gradients, strict=True)]
    return Glimpse(epoch, _softmax(found.logits).astype(np.float16), np.stack([_as_bytes(one) for one in maps]))


def write_strip(run: Run, strip: Strip) -> None:
    """Keep the images of a run."""
    run.strip_folder.mkdir(exist_ok=True)
    pictures = np.stack([_reduced(image, LARGEST_PICTURE) for image in strip.images])
    _write(run.strip_folder / "images.npz", images=pictures, labels=strip.labels)


def write_glimpse(run: Run, glimpse: Glimpse) -> None:
    """Keep what was seen after an epoch; of very many epochs, some in between go."""
    file = _file(run, glimpse.epoch)
    _write(file, probabilities=glimpse.probabilities, maps=glimpse.maps)
    apart = 1
    while glimpse.epoch > MAX_EPOCHS * apart:
        apart *= 2
    for epoch in list_epochs(run):
        if epoch % apart and epoch != glimpse.epoch:
            _file(run, epoch).unlink(missing_ok=True)


def list_epochs(run: Run) -> list[int]:
    """Return the epochs that there is something to see of, in their order."""
    return sorted(int(file.stem.removeprefix("epoch-")) for file in run.strip_folder.glob("epoch-*.npz"))


def read_strip(run: Run) -> Strip:
    """Return the images of a run that has some."""
    with np.load(run.strip_folder / "images.npz", allow_pickle=False) as found:
        return Strip(found["images"], found["labels"])


def read_glimpse(run: Run, epoch: int) -> Glimpse:
    """Return what was seen after an epoch of `list_epochs`."""
    with np.load(_file(run, epoch), allow_pickle=False) as found:
        return Glimpse(epoch, found["probabilities"], found["maps"])


def _file(run: Run, epoch: int) -> Path:
    return run.strip_folder / f"epoch-{epoch:06}.npz"


def _write(file: Path, **arrays: np.ndarray) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, **arrays)
    write_atomic(file, content.getvalue())


def _softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits.astype(np.float32)
    powers = np.exp(shifted - shifted.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def _as_bytes(coarse: np.ndarray) -> np.ndarray:
    largest = coarse.max()
    share = _reduced(coarse, LARGEST_MAP) / largest if largest > 0 else _reduced(coarse, LARGEST_MAP)
    return np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)


def _reduced(picture: np.ndarray, largest: int) -> np.ndarray:
    """Return a picture (height, width) or (height, width, channels) with at most so many pixels a side."""
    height, width = picture.shape[:2]
    times = largest / max(height, width)
    if times >= 1:
        return picture
    import cv2

    size = round(width * times), round(height * times)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).reshape(size[1], size[0], *picture.shape[2:])
