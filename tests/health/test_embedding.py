"""Vectors and maps: neighbours and layouts against scikit-learn, every row of LAYOUTS, files, and tiny datasets."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from tests.data.photos import class_folders, write_folder
from vision_app.data.datasets import find_dataset
from vision_app.errors import InputError
from vision_app.health import embedding
from vision_app.health.embedding import LAYOUTS, Embedding, embed, find_layout
from vision_app.health.evidence import Evidence
from vision_app.health.look import Look


def silent(_share: float, _words: str) -> None:
    return None


def embed_edges(name: str) -> Embedding:
    """Embed a dataset by edges and colours alone, which takes no network."""
    return embed(Evidence(Look(find_dataset(name), silent), None, None, silent), silent)


@pytest.fixture(scope="module")
def digits() -> Embedding:
    return embed_edges("digits")


def test_every_image_is_there_once(digits: Embedding) -> None:
    counts = find_dataset("digits").counts
    assert len(digits.places) == sum(counts.values()) == len(set(digits.places))
    assert [sum(place[0] == split for place in digits.places) for split in counts] == list(counts.values())
    np.testing.assert_allclose(np.linalg.norm(digits.vectors.astype(np.float32), axis=1), 1, atol=2e-3)


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_layout_keeps_neighbours_together(digits: Embedding, name: str) -> None:
    points = digits.maps[name]
    assert points.shape == (len(digits.places), 2) and points.min() >= 0 and points.max() <= 1
    kept = trustworthiness(digits.vectors.astype(np.float32), points, n_neighbors=10)
    assert kept > (0.7 if name == "pca" else 0.9)  # images that are thrown about at random have 0.5


def test_images_beyond_the_landmarks_go_beside_those_that_they_resemble(
    digits: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(embedding.LANDMARKS, "tsne", 600)
    vectors = digits.vectors.astype(np.float32)
    assert trustworthiness(vectors, LAYOUTS["tsne"].make(vectors, 0), n_neighbors=10) > 0.85


def test_neighbours_are_those_of_scikit_learn(digits: Embedding) -> None:
    vectors = digits.vectors.astype(np.float32)
    _, expected = NearestNeighbors(n_neighbors=7, metric="cosine").fit(vectors).kneighbors(vectors[[3, 1700]])
    for position, wanted in zip((3, 1700), expected, strict=True):
        place = digits.places[position]
        found = digits.neighbours(*place, 6)
        assert [digits.positions[other] for other, _ in found] == wanted[1:].tolist()
        products = vectors[wanted[1:]] @ vectors[position]
        np.testing.assert_allclose([likeness for _, likeness in found], products, rtol=1e-5)
    assert digits.neighbours("test", 10**6, 6) == []


def test_a_region_holds_what_lies_in_it(digits: Embedding) -> None:
    x, y = digits.maps["tsne"].T
    wanted = {digits.places[i] for i in range(len(x)) if 0.2 <= x[i] <= 0.5 and 0.1 <= y[i] <= 0.4}
    found = digits.inside("tsne", (0.2, 0.1, 0.5, 0.4))
    assert set(found) == wanted and 0 < len(wanted) < len(x)
    assert len(digits.inside("pca", (0, 0, 1, 1))) == len(x)
    with pytest.raises(InputError, match="Unknown map 'globe'"):
        digits.inside("globe", (0, 0, 1, 1))


def test_a_file_holds_all_of_it(digits: Embedding, tmp_path: Path) -> None:
    digits.save(tmp_path / "map.npz")
    again = Embedding.load(tmp_path / "map.npz")
    assert again.splits == digits.splits and again.places == digits.places
    assert again.neighbours("test", 5, 6)[0][0] == digits.neighbours("test", 5, 6)[0][0]
    for name, points in digits.maps.items():
        np.testing.assert_array_equal(again.maps[name], points)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("name", LAYOUTS)
def test_few_images_are_laid_out_too(name: str, count: int) -> None:
    points = LAYOUTS[name].make(np.eye(9, dtype=np.float32)[:count], 0)
    assert points.shape == (count, 2) and np.isfinite(points).all()


def test_broken_pictures_have_no_place(tmp_path: Path, data_folder: Path) -> None:
    folder = write_folder(tmp_path / "set", class_folders(6))
    broken = sorted(folder.rglob("*.png"))[4]
    broken.write_bytes(b"no picture")
    drawn = embed_edges(str(folder))
    assert len(drawn.places) == 17
    assert len(drawn.positions) == 17 and sum(drawn.neighbours(*key, 3) == [] for key in _all(folder)) == 1


def _all(folder: Path) -> list[tuple[str, int]]:
    return [(split, index) for split, count in find_dataset(str(folder)).counts.items() for index in range(count)]


def test_equal_images_do_not_stop_it(tmp_path: Path, data_folder: Path) -> None:
    files = class_folders(6)
    same = next(iter(files.values()))
    drawn = embed_edges(str(write_folder(tmp_path / "set", dict.fromkeys(files, same))))
    assert all(np.isfinite(points).all() for points in drawn.maps.values())


def test_what_is_not_installed_is_left_out_and_named(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = dataclasses.replace(LAYOUTS["umap"], module="no_such_module_here")
    monkeypatch.setitem(LAYOUTS, "umap", missing)
    assert set(embed_edges(str(write_folder(tmp_path / "set", class_folders(4)))).maps) == {"tsne", "pca"}
    with pytest.raises(InputError, match="A map by UMAP needs a package that is not installed: pip install umap-learn"):
        find_layout("umap")
