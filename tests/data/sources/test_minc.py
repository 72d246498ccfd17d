"""MINC-2500 in its publisher's form."""

from pathlib import Path

import pytest

from tests.data.photos import encoded, picture, write_folder
from vision_app.data.own import open_own
from vision_app.data.sources.minc import CLASSES, is_published, list_published
from vision_app.errors import InputError


@pytest.fixture
def published(tmp_path: Path, data_folder: Path) -> Path:
    files = {}
    lists: dict[str, list[str]] = {"train": [], "validate": [], "test": []}
    for colour, name in (("red", "brick"), ("green", "foliage")):
        for number in range(6):
            path = f"images/{name}/{name}_{number:06}.jpg"
            files[path] = encoded(picture(colour, number), "JPEG")
            lists[("train", "train", "train", "train", "validate", "test")[number]].append(path)
    for word, names in lists.items():
        files[f"labels/{word}1.txt"] = ("\n".join(names) + "\n").encode()
    return write_folder(tmp_path / "minc-2500", files)


def test_the_published_lists_divide_it(published: Path) -> None:
    assert is_published(published) and not is_published(published / "images")
    dataset = open_own(str(published))
    assert dataset.counts == {"train": 8, "validation": 2, "test": 2}
    assert dataset.classes == ("brick", "foliage")
    images, labels = dataset.read("test")
    assert images.names == ("images/brick/brick_000005.jpg", "images/foliage/foliage_000005.jpg")
    assert labels.tolist() == [0, 1]


def test_the_class_folders_alone_are_a_set_too(published: Path) -> None:
    assert open_own(str(published / "images")).classes == ("brick", "foliage")


def test_damaged_lists_are_told(published: Path) -> None:
    (published / "labels" / "test1.txt").write_text("images/../../etc/passwd\n")
    with pytest.raises(InputError, match=r"Expected images/<class>/<file> in test1\.txt"):
        list_published(published)
    (published / "labels" / "test1.txt").unlink()
    with pytest.raises(InputError, match=r"expected labels/test1\.txt"):
        list_published(published)


def test_its_classes() -> None:
    assert len(CLASSES) == 23 and tuple(sorted(CLASSES)) == CLASSES
