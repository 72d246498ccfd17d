"""Numbers that describe an image: a trained network's last activations, or gradients and colours where there is none."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vision_app.data.preprocess import preprocess
from vision_app.errors import InputError
from vision_app.export.quick import quickest

if TYPE_CHECKING:
    from keras import Model

Progress = Callable[[float, str], None]
BATCH = 256  # measured on 2 cores: 64 is 6 % slower, 512 is no faster
SIDE, CELLS = 32, 8
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
# What mirroring does to the five gradient channels: sines of the angle change their sign.
MIRRORED = np.array([1, 1, -1, 1, -1], np.float32)[:, None, None]


def extract_features(
    images: np.ndarray,
    model_path: Path | str | None = None,
    progress: Progress | None = None,
    batch_size: int = BATCH,
) -> np.ndarray:
    """Describe each image by one vector.

    Args:
        images: uint8 0..255, shape (n, height, width, 1 or 3).
        model_path: a saved Keras model with a layer `logits`; without one: gradients and colours.
        progress: called with the share done, 0 to 1, and a sentence.
        batch_size: images at a time; bounds the memory.

    Returns:
        float32, shape (n, d): what enters the layer `logits`, or 320 gradient and 48 colour values.

    Raises:
        InputError: images of another shape, no model at the path, or one without a layer `logits`.
    """
    if model_path is not None:
        return predict_features(images, model_path, progress, batch_size)[0]
    parts = []
    for start in range(0, len(images), batch_size):
        thumbs = preprocess(images[start : start + batch_size], SIDE, images.shape[-1])
        layout = thumbs.reshape(len(thumbs), 4, 8, 4, 8, -1).mean((2, 4)) / 255
        colours = np.broadcast_to(layout, (*layout.shape[:3], 3)).reshape(len(thumbs), -1)
        parts.append(np.hstack([flat_gradients(gradients(grey(thumbs))), colours.astype(np.float32)]))
        _tell(progress, start + len(thumbs), len(images))
    return np.concatenate(parts) if parts else np.empty((0, 5 * CELLS * CELLS + 48), np.float32)


def predict_features(
    images: np.ndarray, model_path: Path | str, progress: Progress | None = None, batch_size: int = BATCH
) -> tuple[np.ndarray, np.ndarray]:
    """Return what enters a network's layer `logits` and what it answers, in one pass.

    Args:
        images: uint8 0..255, shape (n, height, width, 1 or 3); brought to the network's size and channels.
        model_path: a saved Keras model.
        progress: called with the share done, 0 to 1, and a sentence.
        batch_size: images at a time.

    Returns:
        Features float32 (n, d) and probabilities float32 (n, classes).

    Raises:
        InputError: images of another shape, no model at the path, or one without a layer `logits`.
    """
    model = _two_ended(model_path)
    _, size, _, channels = model.input_shape
    model = quickest(model, np.zeros((batch_size, size, size, channels), np.uint8), len(images))
    features = np.empty((len(images), model.output_shape[0][-1]), np.float32)
    probabilities = np.empty((len(images), model.output_shape[1][-1]), np.float32)
    for start in range(0, len(images), batch_size):
        batch = preprocess(images[start : start + batch_size], size, channels)
        count = len(batch)
        # Always the same number of images: another one makes the backend compile the network again.
        padded = np.concatenate([batch, np.zeros((batch_size - count, *batch.shape[1:]), np.uint8)])
        inner, outer = model.predict_on_batch(padded)
        features[start : start + count], probabilities[start : start + count] = inner[:count], outer[:count]
        _tell(progress, start + count, len(images))
    return features, probabilities


def grey(images: np.ndarray) -> np.ndarray:
    """Return the brightness: uint8 (n, height, width, 1 or 3) to float32 (n, height, width)."""
    if images.shape[-1] == 1:
        return images[..., 0].astype(np.float32)
    return np.concatenate([images[start : start + 1000] @ LUMA for start in range(0, len(images), 1000)])


def gradients(greys: np.ndarray) -> np.ndarray:
    """Describe where edges lie and which way they run, blind to brightness and contrast.

    A histogram of oriented gradients (Dalal and Triggs, CVPR 2005) by its Fourier terms instead of bins (Liu et al.,
    IJCV 2014): no angle is computed, and mirroring flips space and two signs.

    Args:
        greys: float32, shape (n, 32, 32).

    Returns:
        float32, shape (n, 5, 8, 8): strength, cos 2a, sin 2a, cos 4a, sin 4a of the edges in each cell.
    """
    centres = (np.arange(CELLS) + 0.5) * SIDE / CELLS - 0.5
    pool = np.exp(-(((np.arange(SIDE) - centres[:, None]) / 2) ** 2) / 2).astype(np.float32)
    pool /= pool.sum(1, keepdims=True)
    result = np.empty((len(greys), 5, CELLS, CELLS), np.float32)
    for start in range(0, len(greys), 500):  # so few fit the processor's cache
        edge = np.pad(greys[start : start + 500], ((0, 0), (1, 1), (1, 1)), mode="edge")
        dx, dy = edge[:, 1:-1, 2:] - edge[:, 1:-1, :-2], edge[:, 2:, 1:-1] - edge[:, :-2, 1:-1]
        square = dx * dx + dy * dy + 1
        strength, share = square**0.25, square**-0.75
        cos2, sin2 = (dx * dx - dy * dy) * share, 2 * dx * dy * share
        channels = strength, cos2, sin2, (cos2 * cos2 - sin2 * sin2) / strength, 2 * cos2 * sin2 / strength
        for place, channel in enumerate(channels):
            result[start : start + 500, place] = pool @ channel @ pool.T
    return result


def flat_gradients(maps: np.ndarray, mirrored: bool = False) -> np.ndarray:
    """Return gradient maps (n, 5, 8, 8), as of the mirrored images if so wished, in equal contrast, as (n, 320)."""
    if mirrored:
        maps = (maps * MIRRORED)[..., ::-1]
    strength = maps[:, :1]
    return (maps / (strength + 0.3 * strength.mean((2, 3), keepdims=True))).reshape(len(maps), 5 * CELLS * CELLS)


def _two_ended(model_path: Path | str) -> "Model":
    """Load a model and give it two outputs: what enters `logits`, and the probabilities."""
    import keras

    if not Path(model_path).is_file():
        raise InputError(f"Expected a saved Keras model, but there is no file {str(model_path)!r}; check the path.")
    try:
        model = keras.saving.load_model(model_path, compile=False)
        return keras.Model(model.inputs, [model.get_layer("logits").input, model.outputs[0]])
    except (ValueError, OSError) as error:
        raise InputError(
            f"Expected a Keras model with a layer 'logits', but {Path(model_path).name} is none; choose another."
        ) from error


def _tell(progress: Progress | None, done: int, total: int) -> None:
    if progress:
        progress(done / total, f"Describing images: {done:,} of {total:,}")
