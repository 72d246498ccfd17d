"""Exact and near copies within and across splits: neighbours by description, then checked by laying one on the other."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np

from vision_app.errors import InputError
from vision_app.health.alignment import SIDE, edge_agreement
from vision_app.health.features import grey
from vision_app.health.neighbours import describe_views, nearest

Progress = Callable[[float, str], None]
Candidates = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # first, second, similarity, flipped
NEAR = 0.5  # the score from which a pair is worth reporting
NEIGHBOURS = 6
CHECKED = 8  # candidates checked for each pair that may be returned
EVEN, STEEPNESS = 1.5, 8.0  # evidence at which about every other pair of CIFAR-10 is a copy, and how fast it decides


@dataclass(frozen=True)
class Pair:
    """Two images that may be one; `first` is the later one by split and index, `second` its likely source."""

    first: int
    second: int
    score: float
    exact: bool


def find_duplicates(
    thumbs: np.ndarray,
    features: np.ndarray | None = None,
    splits: np.ndarray | None = None,
    digests: Sequence[str | bytes] | None = None,
    limit: int = 1000,
    progress: Progress | None = None,
) -> list[Pair]:
    """Find copies of images: the same file, or the same shot cropped, stretched, mirrored or recoloured.

    Each image appears as `first` at most once per split of its partner, so that forty copies of one shot make forty
    rows and not hundreds.

    Args:
        thumbs: all splits together, uint8, shape (n, 32, 32, 1 or 3).
        features: a network's, shape (n, d); they help to tell apart what has similar edges.
        splits: each image's split as a number, shape (n,): 0 train, 1 validation, 2 test, or the like.
        digests: of each file's content; exact copies have the same. Without them, the same thumb.
        limit: the most near copies to return for each two splits (train and train, train and test, ...).
        progress: called with the share done, 0 to 1, and a sentence.

    Returns:
        Probable copies (score from NEAR on) across splits come first, because they spoil a test, then all others; the
        highest score first in each of the two groups. Exact copies have score 1, others less.

    Raises:
        InputError: thumbs of another shape, or another number of features, splits or digests.
    """
    splits = np.zeros(len(thumbs), int) if splits is None else np.asarray(splits)
    _check(thumbs, features, splits, digests)
    if not len(thumbs):
        return []
    pairs, kept = find_exact_copies(thumbs, splits, digests)
    greys = grey(thumbs[kept])
    views = describe_views(greys, None if features is None else features[kept])
    jobs = list(combinations_with_replacement(np.unique(splits), 2))
    for number, (source, target) in enumerate(jobs):
        if progress:
            progress(number / len(jobs), "Looking for near copies")
        rows, columns = np.flatnonzero(splits[kept] == target), np.flatnonzero(splits[kept] == source)
        found = _near(greys, views, rows, columns, limit)
        pairs += [Pair(int(kept[a]), int(kept[b]), score, False) for a, b, score in found]
    return sorted(pairs, key=lambda pair: (pair.score < NEAR or splits[pair.first] == splits[pair.second], -pair.score))


def _check(thumbs: np.ndarray, features: np.ndarray | None, splits: np.ndarray, digests: Sequence | None) -> None:
    if thumbs.ndim != 4 or thumbs.shape[1:3] != (SIDE, SIDE) or thumbs.shape[3] not in (1, 3):
        raise InputError(f"Expected thumbs of shape (n, {SIDE}, {SIDE}, 1 or 3), got {thumbs.shape}.")
    for name, values in (("features", features), ("splits", splits), ("digests", digests)):
        if values is not None and len(values) != len(thumbs):
            raise InputError(f"Expected {len(thumbs)} {name}, one for each thumb, got {len(values)}.")


def find_exact_copies(
    thumbs: np.ndarray, splits: np.ndarray, digests: Sequence[str | bytes] | None
) -> tuple[list[Pair], np.ndarray]:
    """Pair each copy with the first image of its content; return the pairs and the images that are no copy.

    Args:
        thumbs, splits, digests: as for `find_duplicates`.
    """
    digests = digests or [hashlib.sha256(thumb.tobytes()).digest() for thumb in thumbs]
    order = np.lexsort((np.arange(len(thumbs)), splits))
    source: dict[str | bytes, int] = {}
    pairs, kept = [], []
    for index in order.tolist():
        first = source.setdefault(digests[index], index)
        if first == index:
            kept.append(index)
        else:
            pairs.append(Pair(index, first, 1.0, True))
    return pairs, np.array(kept, int)


def _near(
    greys: np.ndarray, views: tuple[np.ndarray, np.ndarray], rows: np.ndarray, columns: np.ndarray, limit: int
) -> list[tuple[int, int, float]]:
    """Return the likeliest near copies among `rows` of images in `columns`: first, second, score."""
    first, second, similarity, flipped = _candidates(views, rows, columns, limit * CHECKED)
    evidence = edge_agreement(greys, first, second, flipped) + similarity
    score = np.minimum(1 / (1 + np.exp(STEEPNESS * (EVEN - evidence))), 0.9999)
    best = _first_of_each(np.argsort(-evidence), first)[:limit]
    return [(int(first[row]), int(second[row]), float(score[row])) for row in best]


def _candidates(views: tuple[np.ndarray, np.ndarray], rows: np.ndarray, columns: np.ndarray, count: int) -> Candidates:
    """Return the most similar pairs: first, second, similarity, whether one is mirrored."""
    found = []
    for flipped, view in enumerate(views):
        # One more than wanted: within a split the nearest is often the image itself.
        indices, products = nearest(view[rows], views[0][columns], NEIGHBOURS + 1)
        first, second = np.repeat(rows, indices.shape[1]), columns[indices.ravel()]
        first, second = np.maximum(first, second), np.minimum(first, second)
        found.append((first, second, products.ravel(), np.full(len(first), bool(flipped))))
    first, second, similarity, flipped = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.argsort(-similarity)
    order = order[first[order] != second[order]]
    order = _first_of_each(order, first * (second.max(initial=0) + 1) + second)[:count]
    return first[order], second[order], similarity[order], flipped[order]


def _first_of_each(order: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Keep the first index in `order` of each key."""
    return order[np.sort(np.unique(keys[order], return_index=True)[1])]
