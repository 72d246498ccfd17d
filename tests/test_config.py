"""The run's config: what it accepts, what it refuses in words, and its JSON."""

import json

import pytest
from pydantic import ValidationError

from vision_app.config import RunConfig
from vision_app.errors import InputError


def test_defaults_are_valid_and_survive_json() -> None:
    config = RunConfig()
    assert RunConfig.parse(json.loads(config.to_json())) == config


def test_every_value_survives_json() -> None:
    options = {"blocks_per_group": 2, "wide": True, "ratio": 0.5}
    config = RunConfig(
        augmentation="flip,rotation=10", classes=("a", "b"), options=options, dropout=None, early_stopping=True
    )
    again = RunConfig.parse(json.loads(config.to_json()))
    assert again == config
    assert again.options == options and isinstance(again.options["wide"], bool)


def test_the_designs_field_names_are_there() -> None:
    names = (
        "dataset model seed input_size channels normalization augmentation epochs batch_size optimizer learning_rate "
        "momentum schedule warmup_epochs l2 dropout label_smoothing early_stopping patience min_delta monitor "
        "mixed_precision"
    )
    assert set(names.split()) <= set(RunConfig.model_fields)


@pytest.mark.parametrize("name", RunConfig.model_fields)
def test_every_field_explains_itself(name: str) -> None:
    field = RunConfig.model_fields[name]
    assert field.title and field.description.endswith(".")


def test_config_is_frozen() -> None:
    with pytest.raises(ValidationError):
        RunConfig().epochs = 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", {}),
        (None, {}),
        ("", {}),
        ("flip", {"flip": -1}),
        ("flip, rotation=10", {"flip": -1, "rotation": 10}),
        (["flip", "zoom=0.1"], {"flip": -1, "zoom": 0.1}),
        ({"flip": 0.5}, {"flip": 0.5}),
    ],
)
def test_augmentation_in_words(text: object, expected: dict[str, float]) -> None:
    assert RunConfig.parse({"augmentation": text}).augmentation == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, r"^Epochs \(epochs\) should be greater than or equal to 1, got 0\.$"),
        ({"epochs": "many"}, r"^Epochs \(epochs\) should be a whole number, got 'many'\.$"),
        ({"epochs": 2.5}, r"^Epochs \(epochs\) should be a whole number, got 2.5\.$"),
        ({"epochs": 1e30}, r"^Epochs \(epochs\) is far too large, got 1e\+30\.$"),
        ({"epochs": None}, r"^Epochs \(epochs\) should be a whole number, got nothing\.$"),
        ({"l2": None}, r"^L2 \(l2\) should be a number, got nothing\.$"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"monitor": "luck"}, r"Monitor \(monitor\) should be 'val_accuracy', 'val_loss' or 'last_epoch', got 'luck'"),
        ({"colour": 1}, "Unknown field 'colour'. Known: .*epochs"),
        ({"augmentation": "rotation=far"}, r"Augmentation \(augmentation.rotation\) should be a number, got 'far'"),
        ({"epochs": 3, "warmup_epochs": 3}, r"\(warmup_epochs\) must be below Epochs \(epochs\), here 3, got 3"),
        ({"schedule": "plateau", "warmup_epochs": 1}, r"set Warm-up epochs \(warmup_epochs\) to 0"),
        (
            {"early_stopping": True, "monitor": "last_epoch"},
            r"Early stopping \(early_stopping\) must be off where the last",
        ),
        ({"seed": -1, "epochs": 0}, "seed.*; Epochs"),
    ],
)
def test_impossible_values_are_named(values: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        RunConfig.parse(values)


def test_updated_checks_again() -> None:
    assert RunConfig().updated(epochs=3).epochs == 3
    with pytest.raises(InputError, match="epochs"):
        RunConfig().updated(epochs=-3)
