"""Which images lie beside each other: short vectors to find neighbours by, and flat maps to look at."""

import importlib.util
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from vision_app.data.download import Progress, put
from vision_app.errors import InputError
from vision_app.health.evidence import Evidence
from vision_app.health.neighbours import compressed, nearest
from vision_app.lookup import find

DIMENSIONS = 64
LANDMARKS = {"tsne": 2_000, "umap": 3_000}  # images that are laid out; the others go beside those that they resemble
BESIDE = 5
# Percent of the images at each edge of a map that may be moved onto it, so that one stray does not shrink it.
EDGE = 0.01

Spot = tuple[str, int]  # an image by its published split and its number there
Region = tuple[float, float, float, float]  # left, bottom, right, top; shares of a map's sides


@dataclass(frozen=True)
class Layout:
    """One way to lay vectors out on a plane.

    Args:
        name, title: for files and addresses, for people.
        description: one sentence of help.
        make: float32 (n, d) and a seed -> float32 (n, 2).
        package: what has to be installed beyond the app's own packages, as pip knows it; empty: nothing.
        module: the package's name in Python.
    """

    name: str
    title: str
    description: str
    make: Callable[[np.ndarray, int], np.ndarray]
    package: str = ""
    module: str = ""

    @property
    def is_here(self) -> bool:
        """Whether everything that it needs is installed."""
        return not self.module or importlib.util.find_spec(self.module) is not None


@dataclass(frozen=True)
class Embedding:
    """The readable images of a dataset, described by short vectors and laid out on maps.

    Args:
        splits: names of the published splits.
        parts: which of the splits each image is in, uint8 (n,).
        indices: its place there, int32 (n,).
        vectors: unit vectors (n, d), float16 in files and float32 once read; a product of 1 means alike, 0 unrelated.
        maps: float32 (n, 2), 0 to 1 from left to right and from bottom to top, by layout.
        described_by: the model whose features these are, or nothing for edges and colours.
    """

    splits: tuple[str, ...]
    parts: np.ndarray
    indices: np.ndarray
    vectors: np.ndarray
    maps: Mapping[str, np.ndarray]
    described_by: str = ""

    @cached_property
    def positions(self) -> dict[Spot, int]:
        """Where an image of a split is in the arrays."""
        return {spot: position for position, spot in enumerate(self.places)}

    @cached_property
    def places(self) -> tuple[Spot, ...]:
        """Each image's place in the published splits."""
        pairs = zip(self.parts.tolist(), self.indices.tolist(), strict=True)
        return tuple((self.splits[part], index) for part, index in pairs)

    def neighbours(self, split: str, index: int, count: int) -> list[tuple[Spot, float]]:
        """Return the images that resemble one the most, with their likeness up to 1; none for one that cannot be read."""
        position = self.positions.get((split, index))
        if position is None:
            return []
        likeness = self.vectors @ self.vectors[position].astype(np.float32)
        likeness[position] = -np.inf
        best = np.argsort(-likeness, kind="stable")[: min(count, len(likeness) - 1)]
        return [(self.places[other], float(likeness[other])) for other in best]

    def inside(self, layout: str, region: Region) -> list[Spot]:
        """Return the images within a rectangle of a map, in their published order.

        Raises:
            InputError: there is no such map.
        """
        x, y = find(self.maps, layout, "map").T
        left, bottom, right, top = region
        chosen = (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
        return [self.places[position] for position in np.flatnonzero(chosen)]

    def save(self, file: Path) -> None:
        """Write it to a file, whole or not at all."""
        buffer = io.BytesIO()
        maps = {f"map_{name}": points for name, points in self.maps.items()}
        words = {"splits": np.array(self.splits), "described_by": np.array(self.described_by)}
        np.savez(buffer, parts=self.parts, indices=self.indices, vectors=self.vectors, **words, **maps)
        put(file, buffer.getvalue())

    @classmethod
    def load(cls, file: Path) -> "Embedding":
        """Read what `save` wrote. Raises OSError or one of `npz.DAMAGES` if it is missing or damaged."""
        with np.load(file, allow_pickle=False) as found:
            maps = {name.removeprefix("map_"): found[name] for name in found.files if name.startswith("map_")}
            splits = tuple(found["splits"].tolist())
            arrays = (found["parts"], found["indices"], found["vectors"].astype(np.float32))
            lengths = {len(array) for array in (*arrays, *maps.values())}
            if len(lengths) != 1 or arrays[0].max(initial=0) >= len(splits) or arrays[1].min(initial=0) < 0:
                raise ValueError("its arrays do not fit each other")
            if not all(np.isfinite(points).all() for points in maps.values()):
                raise ValueError("it has points that are nowhere")
            return cls(splits, *arrays, maps, str(found["described_by"]))


def embed(evidence: Evidence, progress: Progress, seed: int = 0) -> Embedding:
    """Describe the readable images by short vectors, and lay them out in every way that is installed.

    Args:
        evidence: of a dataset.
        progress: called with the share done and a sentence.
        seed: the same seed gives the same maps.
    """
    look, features = evidence.look, evidence.features
    size = min(DIMENSIONS, features.shape[1])
    vectors, _ = compressed(features, features, size, 1.0)
    maps = {}
    layouts = [row for row in LAYOUTS.values() if row.is_here]
    for number, row in enumerate(layouts):
        progress(number / len(layouts), f"Drawing the map: {row.title}")
        maps[row.name] = _fitted(row.make(vectors, seed))
    return Embedding(
        splits=tuple(part.name for part in look.parts),
        parts=look.splits[look.good].astype(np.uint8),
        indices=(look.good - look.starts[look.splits[look.good]]).astype(np.int32),
        vectors=vectors.astype(np.float16),
        maps=maps,
        described_by=evidence.describer.name if evidence.describer else "",
    )


def _fitted(points: np.ndarray) -> np.ndarray:
    """Return points within 0 and 1 in both directions."""
    if not len(points):
        return np.zeros((0, 2), np.float32)
    low, high = np.percentile(points, [EDGE, 100 - EDGE], axis=0)
    return np.clip((points - low) / np.maximum(high - low, 1e-9), 0, 1).astype(np.float32)


def _pca(vectors: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.decomposition import PCA

    if len(vectors) < 2:
        return np.zeros((len(vectors), 2), np.float32)
    return PCA(2, random_state=seed).fit_transform(vectors)


def _tsne(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Lay out some images by t-SNE (van der Maaten and Hinton, JMLR 2008), which takes too long for many thousands."""
    from sklearn.manifold import TSNE

    chosen = _draw(len(vectors), LANDMARKS["tsne"], seed)
    if len(chosen) < 4:
        return _pca(vectors, seed)
    perplexity = min(30.0, (len(chosen) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", random_state=seed)
    return _beside(vectors, chosen, tsne.fit_transform(vectors[chosen]))


def _umap(vectors: np.ndarray, seed: int) -> np.ndarray:
    """Lay out by UMAP (McInnes, Healy and Melville, 2018)."""
    import warnings

    from umap import UMAP

    chosen = _draw(len(vectors), LANDMARKS["umap"], seed)
    if len(chosen) < 4:
        return _pca(vectors, seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that a seed allows one thread only
        init = "spectral" if len(chosen) > 50 else "random"
        mapper = UMAP(n_neighbors=min(15, len(chosen) - 1), init=init, random_state=seed)
        return _beside(vectors, chosen, mapper.fit_transform(vectors[chosen]))


def _draw(count: int, largest: int, seed: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).permutation(count)[:largest])


def _beside(vectors: np.ndarray, chosen: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return places for all images: those of the chosen ones, and between the five that they resemble most."""
    placed = np.empty((len(vectors), 2), np.float32)
    others = np.setdiff1d(np.arange(len(vectors)), chosen)
    placed[chosen] = points
    near, products = nearest(vectors[others], vectors[chosen], BESIDE)
    weights = np.maximum(products, 1e-3) ** 8  # the nearest counts most: between two groups there is nothing to see
    placed[others] = (points[near] * weights[..., None]).sum(1) / weights.sum(1, keepdims=True)
    return placed


def find_layout(name: str) -> Layout:
    """Return a row of LAYOUTS.

    Raises:
        InputError: there is none of this name, or what it needs is not installed.
    """
    row = find(LAYOUTS, name, "map")
    if not row.is_here:
        raise InputError(f"A map by {row.title} needs a package that is not installed: pip install {row.package}")
    return row


LAYOUTS: dict[str, Layout] = {
    row.name: row
    for row in (
        Layout("tsne", "t-SNE", "Groups of images that are alike; distances between groups say little.", _tsne),
        Layout("pca", "PCA", "The two directions in which the images differ most, with those in between.", _pca),
        Layout(
            "umap",
            "UMAP",
            "Groups of images that are alike, with more of the large order than t-SNE.",
            _umap,
            package="umap-learn",
            module="umap",
        ),
    )
}
