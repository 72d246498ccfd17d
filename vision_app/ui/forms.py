"""The config as a form: one component a field, made from the field's own title and help; values cross by name."""

import typing
from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from vision_app.config import RunConfig
from vision_app.data.augment import AUGMENTATIONS
from vision_app.data.datasets import find_dataset, list_datasets
from vision_app.models.catalog import MODELS
from vision_app.training.recipe import make_config

BASIC = ("epochs", "batch_size", "optimizer", "learning_rate", "schedule", "seed", "augmentation", "weights")
ADVANCED = (
    "input_size", "channels", "fit", "normalization", "validation_fraction", "train_limit", "synthetic", "dropout", "l2",
    "momentum", "warmup_epochs", "label_smoothing", "monitor", "early_stopping", "patience", "min_delta",
    "mixed_precision", "options",
)  # fmt: skip
WIDE = ("augmentation", "weights", "monitor", "options")
MAY_BE_EMPTY = ("train_limit", "dropout")  # as text: Gradio's number shows and sends 0 where there is none
TEXTS = ("weights",)
TITLES = {
    "adam": "Adam",
    "sgd": "SGD",
    "rmsprop": "RMSprop",
    "adamw": "AdamW",
    "val_accuracy": "Validation accuracy",
    "val_loss": "Validation loss",
}
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


def build_field(name: str, value: Any) -> gr.components.Component:
    """Return the component for one field of RunConfig, with its title and its one sentence of help.

    Limits are left to the config: Gradio would name no field, and round what is no whole number.
    """
    field = RunConfig.model_fields[name]
    common = {
        "label": field.title,
        "info": field.description,
        "elem_id": f"field-{name}",
        "min_width": 130,
        "value": value,
    }
    if name == "augmentation":
        return gr.Dropdown([(row.title, row.name) for row in AUGMENTATIONS.values()], multiselect=True, **common)
    if name == "options":
        return gr.Textbox(placeholder="blocks_per_group=2", **common)
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


def default_form(dataset: str, model: str) -> dict[str, Any]:
    """Return what the form shows for a dataset and a model, by field name."""
    config = make_config(dataset, model, {})
    return form_values(config)


def form_values(config: RunConfig) -> dict[str, Any]:
    """Return what the form shows for a config."""
    values = {name: getattr(config, name) for name in (*BASIC, *ADVANCED)}
    return {
        **values,
        **{name: "" if values[name] is None else str(values[name]) for name in (*MAY_BE_EMPTY, *TEXTS)},
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
    known = find_dataset(dataset).augmentation
    given = {name: value for name, value in values.items() if name not in MAY_BE_EMPTY or value not in (None, "")}
    given["augmentation"] = {name: known.get(name, -1) for name in values.get("augmentation") or []}
    if given.get("channels"):
        given["channels"] = int(given["channels"])
    return make_config(dataset, model, given)


def dataset_choices() -> list[tuple[str, str]]:
    """Return the datasets as (title, name), the added ones last."""
    return [(row.title, row.name) for row in list_datasets()]


def model_choices() -> list[tuple[str, str]]:
    """Return the networks as (title, name)."""
    return [(row.title, row.name) for row in MODELS.values()]


def _literals(annotation: Any) -> list[Any]:
    if typing.get_origin(annotation) is typing.Literal:
        return list(typing.get_args(annotation))
    return [value for part in typing.get_args(annotation) for value in _literals(part)]
