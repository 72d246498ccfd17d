"""From a dataset, a model and a few wishes to a complete config."""

from pathlib import Path

import pytest

from tests.data.photos import class_folders, encoded, picture, write_folder
from vision_app.data.datasets import DATASETS
from vision_app.errors import InputError
from vision_app.models.catalog import MODELS
from vision_app.training import recipe
from vision_app.training.recipe import make_config


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("model", MODELS)
def test_every_pair_has_a_config_that_fits(dataset: str, model: str) -> None:
    config = make_config(dataset, model, {})
    info, data = MODELS[model], DATASETS[dataset]
    assert config.classes == data.classes
    assert config.upload_style == data.upload_style
    assert config.channels == data.image_shape[2]
    assert info.smallest <= config.input_size <= info.largest
    assert config.versions["keras"]
    if data.image_shape[0] < info.smallest:
        assert config.input_size == info.default_size
    else:
        assert config.input_size == min(data.image_shape[0], max(64, info.default_size, info.photo_size))


def test_a_wish_beats_the_model_and_the_model_beats_the_base() -> None:
    assert make_config("digits", "resnet_small", {}).optimizer == "sgd"
    assert make_config("digits", "resnet_small", {"optimizer": "adam"}).optimizer == "adam"
    assert make_config("digits", "simple_cnn", {}).optimizer == "adam"


def test_options_of_the_model_go_to_its_options() -> None:
    config = make_config("digits", "resnet_small", {"blocks_per_group": 2, "epochs": 3})
    assert config.options == {"blocks_per_group": 2}
    assert config.epochs == 3


def test_a_base_is_kept_but_for_the_wishes() -> None:
    base = make_config("digits", "simple_cnn", {"epochs": 7, "l2": 0.001})
    config = make_config("digits", "simple_cnn", {"seed": 5}, base)
    assert (config.epochs, config.l2, config.seed) == (7, 0.001, 5)


@pytest.mark.parametrize(("wanted", "expected"), [({}, None), ({"epochs": 3}, 3)])
@pytest.mark.parametrize("model", ["lenet5", "cifar_cnn", "mobilenet_v2"])
def test_another_network_has_its_own_epochs_unless_somebody_chose_them(
    model: str, wanted: dict, expected: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "check_weights", lambda *_: None)
    base = make_config("digits", "simple_cnn", wanted)
    usual = recipe.default_values("digits", model)["epochs"]
    assert make_config("digits", model, {}, base).epochs == (expected or usual)
    elsewhere = recipe.default_values("cifar10", model)["epochs"]
    assert make_config("cifar10", model, {}, base).epochs == (expected or elsewhere)


def test_a_base_is_of_the_same_data_however_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "photos", class_folders(12))
    base = make_config(str(folder), "lenet5", {"input_size": 36, "augmentation": "rotation=7"})
    monkeypatch.chdir(tmp_path)
    for name in ("photos", "./photos", str(folder)):
        config = make_config(name, "lenet5", {"seed": 1}, base)
        assert (config.dataset, config.input_size, config.augmentation) == (str(folder), 36, {"rotation": 7.0})


@pytest.mark.parametrize("none", ["none", " None ", "", "  ", None])
def test_no_weights_are_none_however_they_are_written(none: str | None) -> None:
    assert make_config("digits", "mobilenet_v2", {"weights": none}) == make_config(
        "digits", "mobilenet_v2", {"weights": ""}
    )


def test_a_plateau_rule_wants_no_warm_up_that_nobody_typed() -> None:
    assert make_config("digits", "fast_cnn", {"schedule": "plateau"}).warmup_epochs == 0
    with pytest.raises(InputError, match="warmup_epochs"):
        make_config("digits", "fast_cnn", {"schedule": "plateau", "warmup_epochs": 2})


def test_dropout_is_refused_where_there_is_none() -> None:
    with pytest.raises(InputError, match="LeNet-5 has no dropout: leave it empty, or choose one of simple_cnn"):
        make_config("digits", "lenet5", {"dropout": 0.5})
    assert make_config("digits", "simple_cnn", {"dropout": 0.5}).dropout == 0.5


def test_a_network_that_usually_learns_from_scratch_is_fine_tuned_when_it_has_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recipe, "check_weights", lambda *_: None)
    config = make_config("digits", "inception_v1", {"weights": "imagenet"})
    assert (config.optimizer, config.fine_tune_epochs, config.schedule) == ("adam", 5, "constant")
    again = make_config("digits", "inception_v1", {"weights": ""}, config)
    assert (again.optimizer, again.fine_tune_epochs, again.schedule) == ("sgd", 0, "cosine")


def test_augmentation_strengths_are_filled_in() -> None:
    config = make_config("digits", "simple_cnn", {"augmentation": "rotation,zoom=0.3"})
    assert config.augmentation == {"rotation": 10, "zoom": 0.3}


@pytest.mark.parametrize(
    ("overrides", "complaint"),
    [
        ({"nonsense": 1}, "Unknown field 'nonsense'"),
        ({"epochs": 0}, "epochs"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"input_size": 5}, "Simple CNN takes pictures of 10 to 256"),
        ({"augmentation": "sparkle"}, "Unknown augmentation 'sparkle'"),
        ({"augmentation": "zoom=9"}, "zoom must be at most 1"),
        ({"options": {"depth": 3}}, "no option 'depth'"),
        ({"schedule": "plateau", "warmup_epochs": 1}, "plateau"),
        ({"warmup_epochs": 30}, r"\(warmup_epochs\) must be below Epochs"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_starts(overrides: dict, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint.replace("'", ".")):
        make_config("digits", "simple_cnn", overrides)


def test_fewer_images_than_two_a_class_are_refused(tmp_path: Path, data_folder: Path) -> None:
    files = {f"class{number}/{image}.png": encoded(picture("red", image)) for number in range(12) for image in range(3)}
    folder = str(write_folder(tmp_path / "set", files))
    assert make_config(folder, "simple_cnn", {"train_limit": 24}).train_limit == 24
    with pytest.raises(InputError, match=r"Training images \(train_limit\) should be at least 24"):
        make_config(folder, "simple_cnn", {"train_limit": 23})


@pytest.mark.parametrize("epochs", [1, 2, 3])
def test_a_default_warm_up_does_not_forbid_a_short_run(epochs: int) -> None:
    recipe = MODELS["fast_cnn"].recipe
    config = make_config("digits", "fast_cnn", {"epochs": epochs})
    assert config.warmup_epochs == (recipe["warmup_epochs"] if epochs > 2 else epochs / 5)
    long = make_config("digits", "fast_cnn", {"epochs": 10})
    assert make_config("digits", "fast_cnn", {"epochs": 1}, long).warmup_epochs == 0.2
    with pytest.raises(InputError, match=r"warmup_epochs.* must be below .* lower it or train longer"):
        make_config("digits", "fast_cnn", {"epochs": epochs, "warmup_epochs": 3})


@pytest.mark.parametrize("field", ["classes", "upload_style", "versions", "dataset"])
def test_what_the_app_fills_in_cannot_be_set(field: str) -> None:
    with pytest.raises(InputError, match=f"'{field}' is filled in by the app"):
        make_config("digits", "simple_cnn", {field: "x"})


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"options": 5}, "must look like 'blocks_per_group=2', got 5"),
        ({"options": "blocks_per_group=100"}, "from 1 to 8, got 100"),
        ({"blocks_per_group": 2.5}, "from 1 to 8, got 2.5"),
        ({"augmentation": [5]}, "augmentation"),
    ],
)
def test_what_the_network_cannot_take_is_refused_before_a_run_starts(fields: dict, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        make_config("digits", "resnet_small", fields)


@pytest.mark.parametrize("name", [5, None, ["digits"], {"a": 1}])
def test_a_name_that_is_no_text_is_unknown(name: object) -> None:
    with pytest.raises(InputError, match="Unknown dataset"):
        make_config(name, "simple_cnn", {})


def test_what_a_recipe_from_scratch_sets_is_not_handed_to_another_network() -> None:
    scratch = make_config("digits", "mobilenet_v2", {"weights": None})
    assert scratch.normalization == "standardize"
    assert make_config("digits", "resnet50", {}, scratch) == make_config("digits", "resnet50", {})
    assert make_config("digits", "simple_cnn", {}, scratch) == make_config("digits", "simple_cnn", {})
    without = make_config("digits", "custom_cnn", {"batch_norm": False})
    assert make_config("digits", "lenet5", {}, without).batch_norm is None


def test_a_run_like_a_pretrained_one_but_from_scratch_has_the_recipe_from_scratch() -> None:
    pretrained = make_config("digits", "vgg16", {"seed": 7})
    again = make_config("digits", "vgg16", {"weights": None}, pretrained)
    assert again == make_config("digits", "vgg16", {"weights": None, "seed": 7})
    assert make_config("digits", "vgg16", {}, again) == again


@pytest.mark.parametrize(
    ("model", "fields", "message"),
    [
        ("mobilenet_v2", {"weights": "/no/such"}, "no weights file at /no/such; use 'imagenet', a file, or none"),
        ("mobilenet_v2", {"alpha": 42}, "Pretrained weights exist for alpha 35, 50, 75, 100, 130, 140; choose one"),
        ("lenet5", {"weights": "imagenet"}, "LeNet-5 has no pretrained weights; leave weights empty"),
    ],
)
def test_weights_that_cannot_be_had_are_refused_before_the_start(model: str, fields: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_config("digits", model, fields)
