"""Where pretrained weights come from, and what is said when there are none."""

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from vision_app.data.download import RemoteFile
from vision_app.errors import InputError
from vision_app.models.catalog import MODELS
from vision_app.training import pretrained
from vision_app.training.pretrained import PUBLISHED, find_weights, published_file
from vision_app.training.recipe import make_config

INFO = MODELS["mobilenet_v2"]
HAVE_WEIGHTS = [name for name, row in MODELS.items() if row.starts_pretrained]


def test_a_file_in_the_data_folder_is_taken(data_folder: Path) -> None:
    for alpha, name in ((35, "0.35"), (100, "1.0"), (130, "1.3")):
        file = data_folder / f"mobilenet_v2_{name}_224_notop.weights.h5"
        file.touch()
        assert find_weights(INFO, "imagenet", {"alpha": alpha}) == file
    assert find_weights(INFO, "imagenet", {}) == data_folder / "mobilenet_v2_0.35_224_notop.weights.h5"


@pytest.mark.parametrize("name", HAVE_WEIGHTS)
def test_the_published_file_is_taken_by_its_own_name(name: str, data_folder: Path) -> None:
    remote = published_file(MODELS[name], {})
    (data_folder / remote.path).touch()
    assert find_weights(MODELS[name], "imagenet", {}) == data_folder / remote.path
    assert remote.url.endswith("/" + remote.path) and remote.path.endswith(".h5")


@pytest.mark.parametrize("name", HAVE_WEIGHTS)
def test_the_published_file_is_the_one_that_keras_asks_for(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from keras import applications
    from keras.src.utils import file_utils

    class Asked(Exception):
        """Carries what Keras asks for."""

    def ask(name: str, origin: str, file_hash: str | None = None, **_: object) -> None:
        raise Asked(name, origin, file_hash)

    monkeypatch.setattr(file_utils, "get_file", ask)
    function = {"mobilenet_v2": "MobileNetV2", "vgg16": "VGG16", "vgg19": "VGG19", "resnet50": "ResNet50"}
    function |= {"densenet121": "DenseNet121", "efficientnet_b0": "EfficientNetB0"}
    options = {"alpha": 0.5} if name == "mobilenet_v2" else {}
    with pytest.raises(Asked) as asked:
        getattr(applications, function[name])(weights="imagenet", include_top=False, **options)
    remote = published_file(MODELS[name], {"alpha": 50})
    assert asked.value.args == (remote.path, remote.url, remote.digest.removeprefix("md5:") or None)


def test_a_named_file_is_taken(tmp_path: Path) -> None:
    (tmp_path / "mine.weights.h5").touch()
    assert find_weights(INFO, str(tmp_path / "mine.weights.h5"), {}) == tmp_path / "mine.weights.h5"
    with pytest.raises(InputError, match="There is no weights file at"):
        find_weights(INFO, str(tmp_path / "none.h5"), {})


def test_every_network_that_takes_weights_has_a_published_file(data_folder: Path) -> None:
    assert {name for name, row in MODELS.items() if row.load_pretrained} == {*PUBLISHED, "mobilenet_v2"}
    remote = published_file(MODELS["inception_v1"], {})
    assert remote.url == "https://download.pytorch.org/models/googlenet-1378be20.pth"
    assert remote.path.split("-")[1] == f"{remote.digest.removeprefix('sha256:')}.pth"
    (data_folder / remote.path).touch()
    assert find_weights(MODELS["inception_v1"], "imagenet", {}) == data_folder / remote.path


def test_without_a_file_and_a_network_the_ways_out_are_told(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise urllib.error.URLError("no route to host")

    monkeypatch.setattr(urllib.request, "urlopen", offline)
    with pytest.raises(
        InputError, match=r"Connect to the internet, or put the file .*0\.35.* with weights set to none"
    ):
        find_weights(INFO, "imagenet", {"alpha": 35})
    assert list(data_folder.iterdir()) == []


def test_a_download_is_kept_and_its_progress_told(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = data_folder.parent / "there.h5"
    source.write_bytes(b"x" * 600_000)
    remote = RemoteFile("here.h5", source.as_uri(), "", 0)
    monkeypatch.setattr(pretrained, "published_file", lambda *_: remote)
    said = []
    path = find_weights(INFO, "imagenet", {"alpha": 35}, lambda share, sentence: said.append((share, sentence)))
    assert path == data_folder / "here.h5" and path.stat().st_size == 600_000
    assert said[-1] == (1.0, "Downloading here.h5: 0.6 of 0.6 MB")


def test_only_a_network_that_has_them_takes_weights() -> None:
    assert make_config("digits", "mobilenet_v2", {}).weights == "imagenet"
    assert make_config("digits", "mobilenet_v2", {"weights": None}).weights == ""
    with pytest.raises(InputError, match="Simple CNN has no pretrained weights"):
        make_config("digits", "simple_cnn", {"weights": "imagenet"})


def test_the_recipe_follows_where_the_weights_come_from() -> None:
    started, scratch = (make_config("cifar10", "vgg19", changes) for changes in ({}, {"weights": ""}))
    assert (started.optimizer, started.normalization, started.l2) == ("adam", "rescale", 0)
    assert (scratch.optimizer, scratch.normalization, scratch.l2) == ("sgd", "standardize", 1e-4)
    assert make_config("cifar10", "vgg19", {"weights": "", "l2": 0.5}).l2 == 0.5


def test_pretrained_weights_see_pixels_as_they_learned_from_them() -> None:
    with pytest.raises(InputError, match=r"set Normalisation \(normalization\) to 'rescale', or the weights to none"):
        make_config("cifar10", "vgg19", {"normalization": "standardize"})
