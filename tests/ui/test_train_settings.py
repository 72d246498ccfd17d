"""A run's settings in words."""

import re
from typing import Any

import pytest

from vision_app.config import RunConfig
from vision_app.data.datasets import DATASETS
from vision_app.models.catalog import MODELS
from vision_app.training.recipe import make_config
from vision_app.ui import forms
from vision_app.ui.train_settings import differences, in_words, settings_html


def config_with(changes: dict[str, Any], model: str = "simple_cnn") -> RunConfig:
    return make_config("digits", model, changes)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("model", MODELS)
def test_defaults_differ_in_nothing(dataset: str, model: str) -> None:
    assert differences(make_config(dataset, model, {})) == []


@pytest.mark.parametrize(
    ("changes", "phrase"),
    [
        ({"epochs": 50}, "50 epochs"),
        ({"epochs": 1}, "1 epoch"),
        ({"learning_rate": 0.01}, "learning rate 0.01"),
        ({"l2": 1e-5}, "L2 1e-05"),
        ({"optimizer": "sgd"}, "optimizer SGD"),
        ({"schedule": "cosine"}, "schedule cosine"),
        ({"seed": 12345678}, "seed 12345678"),
        ({"mixed_precision": True}, "mixed precision"),
        ({"augmentation": {"flip": 0.5, "rotation": 10}}, "augmentation Flip 0.5, Rotation 10"),
        ({"train_limit": 400}, "training images 400"),
        ({"dropout": 0.25}, "dropout 0.25"),
        ({"channels": 3}, "channels colour"),
    ],
)
def test_a_change_is_told_in_words(changes: dict, phrase: str) -> None:
    assert differences(config_with(changes)) == [phrase]


def test_what_was_switched_off_is_told_too() -> None:
    assert differences(make_config("cifar10", "simple_cnn", {"augmentation": "none"})) == ["no augmentation"]


def test_options_of_the_model_are_told() -> None:
    assert differences(config_with({"blocks_per_group": 3}, "resnet_small")) == ["model options blocks_per_group 3"]


def test_every_setting_stands_in_the_folded_list() -> None:
    text = settings_html(config_with({"train_limit": 400}))
    assert text.startswith("<details") and " open" not in text
    shown = dict(re.findall(r"<dt>([^<]*)</dt><dd>([^<]*)</dd>", text))
    assert list(shown) == [RunConfig.model_fields[name].title for name in (*forms.BASIC, *forms.ADVANCED)]
    assert all(shown.values())
    assert (shown["Training images"], shown["Dropout"], shown["Epochs"]) == ("400", "the model&#x27;s own", "20")


def test_names_of_options_are_shown_as_text() -> None:
    config = config_with({}).updated(options={"<b>": 1})
    assert in_words(config, "options") == "<b> 1"
    assert "<b>" not in settings_html(config)


def test_without_a_run_there_is_nothing_to_unfold() -> None:
    assert settings_html(None) == ""


def test_a_run_of_a_dataset_that_has_gone_is_still_listed() -> None:
    config = make_config("digits", "simple_cnn", {"epochs": 3}).updated(dataset="gone", fingerprint="x")
    assert differences(config) == []
