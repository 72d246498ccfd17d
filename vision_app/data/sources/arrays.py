"""Images as NumPy arrays: a .npz, or a folder of .npy files, with names such as x_train, X_train or train_images."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vision_app.data.sources.npz import DAMAGES
from vision_app.errors import InputError

SPLITS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test"}
IMAGE_NAMES = ("x_{0}", "{0}_images", "{0}_x", "images_{0}", "{0}_data")
LABEL_NAMES = ("y_{0}", "{0}_labels", "{0}_y", "labels_{0}", "{0}_targets")
WHOLE = (("x", "y"), ("images", "labels"), ("data", "target"), ("data", "labels"), ("arr_0", "arr_1"))

Parts = dict[str, tuple[np.ndarray, np.ndarray]]


def load_arrays(path: Path) -> tuple[tuple[str, ...], Parts]:
    """Return class names and, by split, images uint8 (n, h, w, 1 or 3) and labels (n,).

    A set without splits has only "all". Classes come from an array `classes` or `class_names`, or from the labels.

    Raises:
        InputError: it holds no such arrays, or Python objects, which are never loaded.
    """
    arrays = {name.lower(): array for name, array in _read(path).items()}
    pairs = _pairs(arrays)
    if not pairs:
        raise InputError(
            f"Expected arrays such as x_train and y_train, or images and labels, in {path.name}, "
            f"got {', '.join(sorted(arrays)) or 'nothing'}."
        )
    classes, labels = _classes(path, arrays, {split: pair[1] for split, pair in pairs.items()})
    parts = {split: (_images(path, pair[0]), labels[split]) for split, pair in pairs.items()}
    for split, (images, own) in parts.items():
        if len(images) != len(own):
            raise InputError(f"{path.name} has {len(images):,} images but {len(own):,} labels in {split}.")
    return classes, parts


def _read(path: Path) -> Mapping[str, np.ndarray]:
    try:
        if path.is_dir():
            return {file.stem: np.load(file, allow_pickle=False) for file in sorted(path.glob("*.npy"))}
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files if isinstance(archive[name], np.ndarray)}
    except DAMAGES as error:
        raise InputError(
            f"Cannot read {path.name}: expected NumPy arrays of numbers, whole and without Python objects."
        ) from error


def _pairs(arrays: Mapping[str, np.ndarray]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    pairs = {}
    for word, split in SPLITS.items():
        for image_name, label_name in zip(IMAGE_NAMES, LABEL_NAMES, strict=True):
            names = image_name.format(word), label_name.format(word)
            if all(name in arrays for name in names):
                pairs[split] = (arrays[names[0]], arrays[names[1]])
    if pairs:
        return pairs
    return next(({"all": (arrays[x], arrays[y])} for x, y in WHOLE if x in arrays and y in arrays), {})


def _images(path: Path, images: np.ndarray) -> np.ndarray:
    """Return uint8 (n, h, w, 1 or 3); numbers from 0 to 1 are scaled, a channel axis in front goes to the end."""
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim == 4 and images.shape[-1] not in (1, 3) and images.shape[1] in (1, 3):
        images = images.transpose(0, 2, 3, 1)
    if images.ndim != 4 or images.shape[-1] not in (1, 3) or images.dtype.kind not in "uif" or not images.size:
        raise InputError(
            f"Expected images (n, height, width), with 1 or 3 channels at the end, in {path.name}, "
            f"got {images.dtype} {images.shape}."
        )
    if images.dtype != np.uint8:
        low, high = float(images.min()), float(images.max())
        if not (low >= 0 and high <= 255):
            raise InputError(f"Expected pixel values 0 to 255 or 0 to 1 in {path.name}, got {low:g} to {high:g}.")
        scale = 255 if images.dtype.kind == "f" and high <= 1 else 1
        images = np.round(images * scale).astype(np.uint8)
    return np.ascontiguousarray(images)


def _classes(
    path: Path, arrays: Mapping[str, np.ndarray], labels: dict[str, np.ndarray]
) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Return class names in label order, and the labels as positions among them."""
    flat = {}
    for split, own in labels.items():
        if own.ndim == 2 and own.shape[1] > 1:
            if not ((own == 0) | (own == 1)).all() or (own.sum(1) != 1).any():
                raise InputError(f"Expected a 1 and else 0 in each row of the labels in {path.name}, got other values.")
            own = own.argmax(1)
        flat[split] = own.reshape(-1)
        if flat[split].dtype.kind not in "iuUSb":
            raise InputError(f"Expected whole numbers or names as labels in {path.name}, got {own.dtype}.")
    named = next((arrays[name] for name in ("classes", "class_names") if name in arrays), None)
    if named is not None:
        names = tuple(_word(name) for name in np.atleast_1d(named).ravel().tolist())
        if named.ndim != 1 or len(set(names)) != len(names) or len(names) < 2:
            raise InputError(
                f"Expected a list of at least two different class names in {path.name}, got {named.tolist()!r:.80}."
            )
        if any(own.dtype.kind in "US" for own in flat.values()):
            return names, {split: _find(path, names, own) for split, own in flat.items()}
        if any(own.min() < 0 or own.max() >= len(names) for own in flat.values()):
            raise InputError(f"Expected labels 0 to {len(names) - 1} in {path.name}, as it names {len(names)} classes.")
        return names, {split: own.astype(np.int64) for split, own in flat.items()}
    known = np.unique(np.concatenate(list(flat.values())))
    if len(known) < 2:
        raise InputError(f"Expected at least two classes in {path.name}, got {len(known)}.")
    names = tuple(_word(value) for value in known.tolist())
    return names, {split: np.searchsorted(known, own).astype(np.int64) for split, own in flat.items()}


def _word(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _find(path: Path, names: tuple[str, ...], own: np.ndarray) -> np.ndarray:
    """Return labels that are names as positions among the class names."""
    labels = {name: number for number, name in enumerate(names)}
    words = [_word(value) for value in own.tolist()]
    unknown = sorted(set(words) - set(labels))
    if unknown:
        raise InputError(f"Expected labels among the class names of {path.name}, got '{unknown[0][:60]}'.")
    return np.array([labels[word] for word in words], np.int64)
