import numpy as np
import pytest
from PIL import Image

from vision_app.data.datasets import load_split
from vision_app.errors import InputError
from vision_app.ui import pictures
from vision_app.ui.pictures import Source


def test_classes_take_turns() -> None:
    labels = np.array([2, 2, 0, 0, 1, 0])
    assert pictures.in_turn(labels).tolist() == [2, 4, 0, 3, 1, 5]


def test_a_page_has_each_class_and_the_next_goes_on() -> None:
    first, second = pictures.page_of("digits", page=0), pictures.page_of("digits", page=1)
    assert len(first) == pictures.PER_PAGE
    assert {source.name for source in first} == set("0123456789")
    assert not {source.index for source in first} & {source.index for source in second}


def test_one_class_only() -> None:
    _, labels = load_split("digits", "test")
    sources = pictures.page_of("digits", "7", page=0)
    assert sources
    assert all(labels[source.index] == 7 for source in sources)


def test_pages_go_round() -> None:
    assert pictures.page_of("digits", "7", page=10_000)


def test_an_unknown_class_is_refused() -> None:
    with pytest.raises(InputError, match="got 'seven'"):
        pictures.page_of("digits", "seven")


def test_a_test_image_is_the_datasets_own() -> None:
    images, _ = load_split("digits", "test")
    picture = pictures.read_source(Source("7", dataset="digits", index=5))
    assert picture.shape == (8, 8, 3)
    assert all(np.array_equal(picture[..., c], images[5, ..., 0]) for c in range(3))


def test_our_own_examples_come_first(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    Image.new("RGB", (5, 4), "red").save(tmp_path / "digit_7.png")
    (tmp_path / "ATTRIBUTION.md").write_text("ours")
    monkeypatch.setattr(pictures, "EXAMPLES", tmp_path)
    assert pictures.collections()[0] == ("Examples", "examples")
    (source,) = pictures.page_of(pictures.OWN)
    assert source.name == "digit 7"
    assert pictures.read_source(source)[0, 0].tolist() == [255, 0, 0]
    assert pictures.class_names(pictures.OWN) == ["All classes"]


def test_without_examples_the_embedded_datasets_are_there(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(pictures, "EXAMPLES", tmp_path / "none")
    assert "digits" in [value for _, value in pictures.collections()]


def test_a_file_that_is_gone_is_said(tmp_path) -> None:
    with pytest.raises(InputError, match="no longer kept"):
        pictures.read_source(Source("a.png", path=str(tmp_path / "a.png")))
