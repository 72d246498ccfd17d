"""Which images are alike? Short descriptions of each, and the nearest of many by one matrix product after another."""

import numpy as np

from vision_app.health.features import flat_gradients, gradients

ROWS, GROUP = 500, 64
EDGES, LIGHT, NETWORK = (80, 1.0), (16, 0.7), (64, 1.0)  # components and weight of each part


def describe_views(greys: np.ndarray, features: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Describe each image and its mirror image by unit vectors: a product of 1 means alike, 0 unrelated.

    Args:
        greys: brightness, float32, shape (n, 32, 32).
        features: a network's, shape (n, d), or None.

    Returns:
        Two arrays of shape (n, dimensions): of the images, and of the images mirrored.
    """
    import cv2

    maps = gradients(greys)
    small = np.array([cv2.resize(image, (16, 16), interpolation=cv2.INTER_AREA) for image in greys])
    small = small.reshape(-1, 16, 16)
    parts = [
        compressed(flat_gradients(maps), flat_gradients(maps, mirrored=True), *EDGES),
        compressed(_centred(small), _centred(small[:, :, ::-1]), *LIGHT),
    ]
    if features is not None:
        parts.append(compressed(features, features, *NETWORK))
    return _unit(np.hstack([part[0] for part in parts])), _unit(np.hstack([part[1] for part in parts]))


def _centred(images: np.ndarray) -> np.ndarray:
    flat = images.reshape(len(images), 256)
    return _unit(flat - flat.mean(1, keepdims=True))


def compressed(direct: np.ndarray, mirrored: np.ndarray, size: int, weight: float) -> tuple[np.ndarray, np.ndarray]:
    """Keep the main components, half whitened so that the commonest do not drown the others.

    Args:
        direct, mirrored: descriptions of the images and of the mirrored images, shape (n, d).
        size: components that are kept.
        weight: length of the vectors that are returned.

    Returns:
        Two arrays of shape (n, size).
    """
    sample = np.concatenate([direct[::3], mirrored[::3]])
    mean = sample.mean(0)
    values, vectors = np.linalg.eigh((sample - mean).T @ (sample - mean) / max(len(sample), 1))
    keep = np.argsort(-values)[:size]
    project = vectors[:, keep] / np.maximum(values[keep], 1e-6 * values.max() + 1e-12) ** 0.25
    return weight * _unit((direct - mean) @ project), weight * _unit((mirrored - mean) @ project)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)


def nearest(queries: np.ndarray, base: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Find the vectors of `base` with the largest products with each query, in bounded memory.

    The largest of each group of 64 columns comes first: looking through a few groups is much faster than through a row.

    Args:
        queries: shape (m, d).
        base: shape (n, d).
        count: how many for each query; fewer if there are not so many.

    Returns:
        Indices into `base` and the products, both of shape (m, count), in no particular order.
    """
    size, count = len(base), min(count, len(base))
    base = np.concatenate([base, np.zeros((-size % GROUP, base.shape[1]), base.dtype)])
    indices, products = np.empty((len(queries), count), int), np.empty((len(queries), count), np.float32)
    for start in range(0, len(queries), ROWS):
        block = queries[start : start + ROWS] @ base.T
        block[:, size:] = -np.inf
        grouped = block.reshape(len(block), -1, GROUP)
        groups = _largest(grouped.max(2), count)
        inside = np.take_along_axis(grouped, groups[:, :, None], 1).reshape(len(block), -1)
        best = _largest(inside, count)
        products[start : start + ROWS] = np.take_along_axis(inside, best, 1)
        indices[start : start + ROWS] = np.take_along_axis(groups, best // GROUP, 1) * GROUP + best % GROUP
    return indices, products


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """Return the columns of the `count` largest values of each row."""
    count = min(count, values.shape[1])
    return np.argpartition(values, values.shape[1] - count, 1)[:, values.shape[1] - count :]
