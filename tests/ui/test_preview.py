"""The preview shows what the trainer would hand to the network."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.photos import class_folders, write_folder
from vision_app.data import own
from vision_app.data.datasets import load_split
from vision_app.data.preprocess import preprocess
from vision_app.ui.preview import DRAWS, SHOWN, preview_html


def pictures(text: str) -> list[np.ndarray]:
    """Return the pictures of a page, each without what a row of equal pixels would repeat."""
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in re.findall(r'base64,([^"]+)"', text)]


def test_images_at_the_input_size_and_draws_of_the_first() -> None:
    text = preview_html("digits", {"rotation": 10}, 20, "1", "crop", 0)
    found = pictures(text)
    assert len(found) == SHOWN + DRAWS and all(image.shape[:2] == (20, 20) for image in found)
    every = {preprocess(image[None], 20, 1)[0, ..., 0].tobytes() for image in load_split("digits", "train")[0]}
    assert all(image.tobytes() in every for image in found[:SHOWN])
    assert len({image.tobytes() for image in found[SHOWN:]}) > DRAWS // 2
    assert len(set(re.findall(r"<figcaption aria-hidden=true>(\d)", text))) == SHOWN  # of as many classes


def test_the_strength_is_the_knobs() -> None:
    text = preview_html("digits", {"flip": 1}, 8, "1", "crop", 0)
    first, draws = pictures(text)[0], pictures(text)[SHOWN:]
    assert all(np.array_equal(image, first[:, ::-1]) for image in draws)
    assert all(
        np.array_equal(image, first)
        for image in pictures(preview_html("digits", {"flip": 0}, 8, "1", "crop", 0))[SHOWN:]
    )


def test_mixup_shows_other_images_shining_through() -> None:
    found = pictures(preview_html("digits", {"mixup": 1}, 8, "1", "crop", 0))
    assert len({image.tobytes() for image in found[SHOWN:]}) > 2


def test_without_augmentation_every_draw_is_the_image() -> None:
    found = pictures(preview_html("digits", {}, 8, "1", "crop", 3))
    assert all(np.array_equal(image, found[0]) for image in found[SHOWN:])
    assert pictures(preview_html("digits", {}, 8, "1", "crop", 4))[0].tobytes() != found[0].tobytes()


def test_files_and_missing_sets(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "_OPENED", {})
    files = class_folders(6)
    files["red/000.png"] = b"broken"
    folder = write_folder(tmp_path / "set", files)
    assert len(pictures(preview_html(str(folder), {"flip": 0.5}, None, "3", "pad", 0))) == SHOWN + DRAWS
    assert "once the dataset is on this machine" in preview_html("cifar10", {}, 32, "3", "crop", 0)
