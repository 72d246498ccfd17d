"""The config as a form, and back."""

import gradio as gr
import pytest

from vision_app.config import RunConfig
from vision_app.data.augment import AUGMENTATIONS
from vision_app.data.datasets import DATASETS
from vision_app.errors import InputError
from vision_app.models.catalog import MODELS
from vision_app.training.recipe import make_config
from vision_app.ui import forms

FIXED = {"dataset", "model", "classes", "upload_style", "patch", "fingerprint", "versions"}


def test_every_field_of_the_config_stands_in_the_form_once() -> None:
    shown = [*forms.BASIC, *forms.ADVANCED]
    assert sorted(shown) == sorted(set(RunConfig.model_fields) - FIXED)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("model", MODELS)
def test_an_untouched_form_gives_the_default_config(dataset: str, model: str) -> None:
    assert forms.read_form(dataset, model, forms.default_form(dataset, model)) == make_config(dataset, model, {})


def test_the_list_of_networks_says_how_large_they_are_and_which_are_pretrained() -> None:
    titles = [title for title, _ in forms.model_choices()]
    assert titles[0] == "Simple CNN (225.0 k)" and "VGG19 (pretrained, 20.0 M)" in titles
    assert sorted(name for _, name in forms.model_choices()) == sorted(MODELS)
    assert ["pretrained" in title for title in titles] == sorted("pretrained" in title for title in titles)


def test_what_a_person_changes_arrives() -> None:
    values = forms.default_form("cifar10", "resnet_small")
    values |= {"epochs": 3, "augmentation": ["cutout", "translation"], "options": "blocks_per_group=2", "channels": "1"}
    config = forms.read_form("cifar10", "resnet_small", values)
    assert config.epochs == 3
    assert config.augmentation == {"cutout": 0.25, "translation": 0.0625}
    assert config.options == {"blocks_per_group": 2}
    assert config.channels == 1


def test_strengths_are_the_knobs_of_what_is_chosen() -> None:
    values = forms.default_form("cifar10", "resnet_small")
    assert values["strength_translation"] == DATASETS["cifar10"].augmentation.get("translation", 0.0625)
    values |= {"augmentation": ["rotation", "flip"], "strength_rotation": 25, "strength_flip": None}
    config = forms.read_form("cifar10", "resnet_small", values)
    assert config.augmentation == {"rotation": 25, "flip": 0.5}
    shown = forms.form_values(config)
    assert (shown["strength_rotation"], sorted(shown["augmentation"])) == (25, ["flip", "rotation"])
    assert forms.read_form("cifar10", "resnet_small", shown) == config
    with pytest.raises(InputError, match="Augmentation rotation must be at most 180, got 200"):
        forms.read_form("cifar10", "resnet_small", values | {"strength_rotation": 200})


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_a_knob_reaches_from_nothing_to_the_strongest(name: str) -> None:
    row = AUGMENTATIONS[name]
    knob = forms.build_strength(row, row.default, True)
    assert (knob.minimum, knob.maximum, knob.value) == (row.smallest, row.largest, row.default)
    assert row.default / knob.step == pytest.approx(round(row.default / knob.step))  # else the page would round it


@pytest.mark.parametrize(
    ("name", "rule"), [("epochs", "a whole number"), ("batch_size", "a whole number"), ("l2", "a number")]
)
def test_an_emptied_number_is_refused(name: str, rule: str) -> None:
    title = RunConfig.model_fields[name].title
    values = forms.default_form("digits", "simple_cnn") | {name: None}
    with pytest.raises(InputError) as error:
        forms.read_form("digits", "simple_cnn", values)
    assert str(error.value) == f"{title} ({name}) should be {rule}, got nothing."


def test_an_emptied_size_means_the_datasets_own_as_its_help_says() -> None:
    values = forms.default_form("digits", "simple_cnn") | {"input_size": None, "channels": None}
    config = forms.read_form("digits", "simple_cnn", values)
    assert (config.input_size, config.channels) == (28, 1)


def test_what_may_be_empty_is_shown_and_read_as_text() -> None:
    values = forms.default_form("digits", "simple_cnn")
    assert values["train_limit"] == ""  # a number would turn into 0 as soon as the page shows it
    assert forms.read_form("digits", "simple_cnn", values).train_limit is None
    config = forms.read_form("digits", "simple_cnn", values | {"train_limit": "400", "dropout": "0.25"})
    assert (config.train_limit, config.dropout) == (400, 0.25)
    assert forms.form_values(config)["dropout"] == "0.25"
    with pytest.raises(InputError, match=r"Training images \(train_limit\) should be a whole number, got 'many'"):
        forms.read_form("digits", "simple_cnn", values | {"train_limit": "many"})


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"options": "depth"}, "must look like 'blocks_per_group=2', got 'depth'"),
        ({"options": "depth=3"}, "no option 'depth'"),
        ({"learning_rate": 0}, "Learning rate (learning_rate) should be greater than 0, got 0."),
        ({"epochs": -3}, "Epochs (epochs) should be greater than or equal to 1, got -3."),
        ({"epochs": 2.5}, "Epochs (epochs) should be a whole number, got 2.5."),
        ({"input_size": 4}, "takes pictures of 10 to 256"),
    ],
)
def test_what_cannot_be_is_told_in_one_sentence(changes: dict, complaint: str) -> None:
    with pytest.raises(InputError) as error:
        forms.read_form("digits", "simple_cnn", forms.default_form("digits", "simple_cnn") | changes)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_fields_know_their_kind() -> None:
    values = forms.default_form("digits", "simple_cnn")
    fields = {name: forms.build_field(name, values[name], "simple_cnn") for name in (*forms.BASIC, *forms.ADVANCED)}
    assert isinstance(fields["optimizer"], gr.Dropdown)
    assert [value for _, value in fields["optimizer"].choices] == ["adam", "adamw", "sgd", "rmsprop", "muon"]
    assert isinstance(fields["early_stopping"], gr.Checkbox)
    assert all(field.label and field.info for field in fields.values())


TRANSFER = {"weights", "fine_tune_epochs", "fine_tune_layers", "fine_tune_learning_rate"}


@pytest.mark.parametrize(
    ("model", "hidden"),
    [
        ("simple_cnn", {*TRANSFER, "batch_norm", "options"}),
        ("lenet5", {*TRANSFER, "dropout", "batch_norm", "options"}),
        ("custom_cnn", {*TRANSFER, "options"}),
        ("fast_cnn", {*TRANSFER, "batch_norm"}),
        ("mobilenet_v2", {"batch_norm"}),
    ],
)
def test_only_what_means_something_to_a_network_is_asked_for(model: str, hidden: set[str]) -> None:
    values = forms.default_form("digits", model)
    fields = {name: forms.build_field(name, values[name], model) for name in (*forms.BASIC, *forms.ADVANCED)}
    assert {name for name, field in fields.items() if not field.visible} == hidden


@pytest.mark.parametrize("value", [-3, 2.5, None, 1e9])
def test_no_number_is_refused_or_rounded_before_the_config_sees_it(value: float | None) -> None:
    values = forms.default_form("digits", "simple_cnn")
    fields = {name: forms.build_field(name, values[name], "simple_cnn") for name in (*forms.BASIC, *forms.ADVANCED)}
    numbers = [field for field in fields.values() if isinstance(field, gr.Number)]
    assert fields["epochs"] in numbers
    assert all(field.preprocess(value) == value for field in numbers)


def test_wide_fields_stand_alone() -> None:
    assert forms.pairs(("a", "b", "augmentation", "c", "options", "d")) == [
        ["a", "b"],
        ["augmentation"],
        ["c"],
        ["options"],
        ["d"],
    ]


def test_another_beginning_is_another_recipe_and_the_same_keeps_what_was_typed() -> None:
    scratch = forms.refill("digits", "vgg16", "", "imagenet")
    assert {**forms.refill("digits", "vgg16", "none", "imagenet"), "weights": ""} == scratch
    assert (scratch["weights"], scratch["optimizer"], scratch["learning_rate"], scratch["l2"]) == (
        "",
        "sgd",
        0.01,
        1e-4,
    )
    pretrained = forms.refill("digits", "vgg16", " my.h5", "")
    assert (pretrained["weights"], pretrained["optimizer"], pretrained["learning_rate"]) == (" my.h5", "adam", 1e-3)
    assert (
        forms.refill("digits", "vgg16", "my.h5", "imagenet") is None
        and forms.refill("digits", "vgg16", "none", " ") is None
    )


def test_a_short_run_is_not_forbidden_by_what_nobody_typed() -> None:
    form = forms.default_form("cifar10", "mobilenet_v2")
    assert form["fine_tune_epochs"] >= 3
    assert forms.read_form("cifar10", "mobilenet_v2", form | {"epochs": 3}).fine_tune_epochs == 1
    with pytest.raises(InputError, match="fine_tune_epochs"):
        forms.read_form("cifar10", "mobilenet_v2", form | {"epochs": 3, "fine_tune_epochs": 4})
    form = forms.default_form("cifar10", "fast_cnn")
    assert 0 < forms.read_form("cifar10", "fast_cnn", form | {"epochs": 1}).warmup_epochs < 1
    assert forms.read_form("cifar10", "fast_cnn", form).warmup_epochs == form["warmup_epochs"]
