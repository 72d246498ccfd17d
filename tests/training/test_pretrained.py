"""Where pretrained weights come from, and what is said when there are none."""

from pathlib import Path

import pytest

from vision_app.errors import InputError
from vision_app.models.catalog import MODELS
from vision_app.training import pretrained
from vision_app.training.pretrained import find_weights
from vision_app.training.recipe import make_config

INFO = MODELS["mobilenet_v2"]


def test_a_file_in_the_data_folder_is_taken(data_folder: Path) -> None:
    for alpha, name in ((35, "0.35"), (100, "1.0"), (130, "1.3")):
        file = data_folder / f"mobilenet_v2_{name}_224_notop.weights.h5"
        file.touch()
        assert find_weights(INFO, "imagenet", {"alpha": alpha}) == file
    assert find_weights(INFO, "imagenet", {}) == data_folder / "mobilenet_v2_0.35_224_notop.weights.h5"


def test_a_named_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "mine.weights.h5").touch()
    assert find_weights(INFO, str(tmp_path / "mine.weights.h5"), {}) == tmp_path / "mine.weights.h5"
    with pytest.raises(InputError, match="There is no weights file at"):
        find_weights(INFO, str(tmp_path / "none.h5"), {})


def test_a_network_whose_weights_are_not_fetched_takes_a_file(tmp_path: Path) -> None:
    (tmp_path / "googlenet.pth").touch()
    row = MODELS["inception_v1"]
    assert find_weights(row, str(tmp_path / "googlenet.pth"), {}) == tmp_path / "googlenet.pth"
    with pytest.raises(InputError, match="Weights for Inception v1 cannot be downloaded here; name a file of them"):
        find_weights(row, "imagenet", {})


def test_without_a_file_and_a_network_the_ways_out_are_told(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    def offline(**options: object) -> None:
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, "MobileNetV2", offline)
    with pytest.raises(
        InputError, match=r"Connect to the internet, or put the file .*0\.35.* with weights set to none"
    ):
        find_weights(INFO, "imagenet", {"alpha": 35})
    assert list(data_folder.iterdir()) == []


def test_a_download_is_kept(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    whole = keras.applications.MobileNetV2
    monkeypatch.setattr(keras.applications, "MobileNetV2", lambda weights, **options: whole(weights=None, **options))
    path = pretrained.find_weights(INFO, "imagenet", {"alpha": 35})
    assert path.is_file() and [item.name for item in data_folder.iterdir()] == [path.name]


def test_only_a_network_that_has_them_takes_weights() -> None:
    assert make_config("digits", "mobilenet_v2", {}).weights == "imagenet"
    assert make_config("digits", "mobilenet_v2", {"weights": None}).weights == ""
    with pytest.raises(InputError, match="Simple CNN has no pretrained weights"):
        make_config("digits", "simple_cnn", {"weights": "imagenet"})
