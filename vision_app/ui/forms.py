"""The config as a form: one component a field, made from the field's own title and help; values cross by name."""

import typing
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from vision_app.config import RunConfig, wanted_weights
from vision_app.data.augment import AUGMENTATIONS, Augmentation
from vision_app.data.datasets import find_dataset, list_datasets
from vision_app.models.catalog import MODELS
from vision_app.readable import count
from vision_app.training.recipe import default_values, make_config

BASIC = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule", "seed", "weights", "augmentation")
ADVANCED = (
    "input_size", "channels", "fit", "normalization", "validation_fraction", "train_limit", "synthetic", "dropout", "batch_norm", "l2",
    "momentum", "warmup_epochs", "label_smoothing", "monitor", "early_stopping", "patience", "min_delta", "ema",
    "mixed_precision", "fine_tune_epochs", "fine_tune_layers", "fine_tune_learning_rate", "options",
)  # fmt: skip
WIDE = ("augmentation", "weights", "monitor", "options")
MAY_BE_EMPTY = (
    "train_limit",
    "dropout",
    "batch_norm",
    "fine_tune_layers",
)  # as text: Gradio's number shows and sends 0 where there is none
TEXTS = ("weights",)
TRANSFER = ("weights", "fine_tune_epochs", "fine_tune_layers", "fine_tune_learning_rate")
FITTED = ("warmup_epochs", "fine_tune_epochs")  # to a short run, unless somebody asked for so many
TITLES = {
    "adam": "Adam",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adamw": "AdamW",
    "muon": "Muon",
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
    "last_epoch": "Last epoch",
}
# How strong each change of the training images is: fields of the form that the config holds in one.
STRENGTHS = {f"strength_{name}": name for name in AUGMENTATIONS}
Form = dict[str, gr.components.Component]


def pairs(names: Sequence[str]) -> list[Sequence[str]]:
    """Return fields two by two as they stand in the form; a wide one stands alone."""
    rows: list[list[str]] = []
    for name in names:
        if rows and len(rows[-1]) == 1 and name not in WIDE and rows[-1][0] not in WIDE:
            rows[-1].append(name)
        else:
            rows.append([name])
    return rows


def build_field(name: str, value: Any, model: str) -> gr.components.Component:
    """Return the component for one field of RunConfig, with its title and its one sentence of help.

    It shows where it means something to the network `model`.

    Limits are left to the config: Gradio would name no field, and round what is no whole number.
    """
    field = RunConfig.model_fields[name]
    common = {
        "label": field.title,
        "info": field.description,
        "elem_id": f"field-{name}",
        "min_width": 130,
        "value": value,
        "visible": is_meant(name, model),
    }
    if name == "augmentation":
        return gr.Dropdown([(row.title, row.name) for row in AUGMENTATIONS.values()], multiselect=True, **common)
    if name == "options":
        return gr.Textbox(placeholder="blocks_per_group=2", **common)
    if field.annotation == bool | None:
        return gr.Dropdown([("As published", ""), ("On", "True"), ("Off", "False")], **common)
    if name in MAY_BE_EMPTY or name in TEXTS:
        return gr.Textbox(max_lines=1, **common)
    choices = [value for value in _literals(field.annotation) if value is not None]
    if choices == [1, 3]:
        return gr.Dropdown([("Grey", "1"), ("Colour", "3")], **common)
    if choices:
        return gr.Dropdown([(TITLES.get(item, item.capitalize()), item) for item in choices], **common)
    if field.annotation is bool:
        return gr.Checkbox(**common)
    whole = int in (field.annotation, *typing.get_args(field.annotation))
    return gr.Number(step=1 if whole else 1e-6, **common)


def is_meant(name: str, model: str) -> bool:
    """Whether a field means something to a network: only some have dropout, or pretrained weights to start from."""
    info = MODELS[model]
    needs = {
        **dict.fromkeys(TRANSFER, info.load_pretrained is not None),
        "dropout": info.takes_dropout,
        "batch_norm": info.takes_batch_norm,
        "options": bool(info.options),
    }
    return needs.get(name, True)


def build_strength(row: Augmentation, value: float, is_chosen: bool) -> gr.Slider:
    """Return the knob for the strength of one change of the training images; it shows while the change is chosen."""
    return gr.Slider(
        row.smallest,
        row.largest,
        value,
        step=1 if row.whole else 0.0025 if row.largest <= 1 else 0.05,
        label=f"{row.title} ({row.unit})",
        info=row.description,
        visible=is_chosen,
        min_width=130,
        elem_id=f"field-strength-{row.name}",
    )


def default_form(dataset: str, model: str) -> dict[str, Any]:
    """Return what the form shows for a dataset and a model, by field name."""
    return form_values(make_config(dataset, model, {}))


def refill(dataset: str, model: str, weights: str, before: str) -> dict[str, Any] | None:
    """Return what the form shows when a run is to start from pretrained weights, or no longer is: another recipe.

    Args:
        weights: what the field holds now.
        before: what it held when the form was last filled.

    Returns:
        None where both start alike, so that what was typed stays.
    """
    wanted = wanted_weights(weights)
    if bool(wanted) == bool(wanted_weights(before)):
        return None
    return {**form_values(make_config(dataset, model, {"weights": wanted and "imagenet"})), "weights": weights}


def form_values(config: RunConfig) -> dict[str, Any]:
    """Return what the form shows for a config."""
    values = {name: getattr(config, name) for name in (*BASIC, *ADVANCED)}
    return {
        **values,
        **{name: "" if values[name] is None else str(values[name]) for name in (*MAY_BE_EMPTY, *TEXTS)},
        **{field: config.augmentation.get(name, _usual(config.dataset, name)) for field, name in STRENGTHS.items()},
        "augmentation": list(config.augmentation),
        "channels": str(config.channels),
        "options": ", ".join(f"{name}={value}" for name, value in config.options.items()),
    }


def read_form(dataset: str, model: str, values: Mapping[str, Any]) -> RunConfig:
    """Return the config that a filled form describes.

    Args:
        dataset, model: rows of DATASETS and MODELS.
        values: what the components hold, by field name; empty is refused where the form does not say what it means.

    Raises:
        InputError: a value is missing or impossible; the message names the field.
    """
    given = {name: value for name, value in values.items() if name not in MAY_BE_EMPTY or value not in (None, "")}
    given = {name: value for name, value in given.items() if name not in STRENGTHS}
    given["augmentation"] = read_augmentation(dataset, values)
    if given.get("channels"):
        given["channels"] = int(given["channels"])
    usual = default_values(dataset, model, bool(wanted_weights(given.get("weights"))))
    for name in FITTED:
        if name in given and given[name] == usual.get(name, 0):
            del given[name]
    return make_config(dataset, model, given)


def read_augmentation(dataset: str, values: Mapping[str, Any]) -> dict[str, float]:
    """Return the strength of each change that is chosen in a form; an empty knob means the dataset's own, or the usual."""
    strengths = {}
    for field, name in STRENGTHS.items():
        if name in (values.get("augmentation") or []):
            given = values.get(field)
            strengths[name] = _usual(dataset, name) if given is None else given
    return strengths


def _usual(dataset: str, name: str) -> float:
    """Return how strong a change is for a dataset unless somebody says otherwise."""
    return find_dataset(dataset).augmentation.get(name, AUGMENTATIONS[name].default)


def dataset_choices() -> list[tuple[str, str]]:
    """Return the datasets as (title, name), the added ones last."""
    return [(row.title, row.name) for row in list_datasets()]


def model_choices() -> list[tuple[str, str]]:
    """Return the networks as (title, name), those that start from pretrained weights last, each with its size."""
    rows = sorted(MODELS.values(), key=lambda row: row.starts_pretrained)
    return [
        (f"{row.title} ({'pretrained, ' * row.starts_pretrained}{count(row.parameters)})", row.name) for row in rows
    ]


def _literals(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        return list(typing.get_args(annotation))
    return [value for part in typing.get_args(annotation) for value in _literals(part)]
