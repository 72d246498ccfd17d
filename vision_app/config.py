"""What determines a run: one flat, frozen, validated value, written to config.json and read back the same."""

import json
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from vision_app.edits import Edit
from vision_app.errors import InputError

Optimizer = Literal["adam", "adamw", "sgd", "rmsprop", "muon"]
Schedule = Literal["constant", "step", "exponential", "cosine", "triangular", "plateau"]
Fit = Literal["crop", "pad", "stretch"]
Monitor = Literal["val_accuracy", "val_loss", "last_epoch"]
IMPORTED = "imported"  # in place of a network's name: the model was trained elsewhere, and nothing is known of how


class DataConfig(BaseModel):
    """Which images a run sees and how they are made ready for the network."""

    dataset: str = Field("digits", title="Dataset", description="The images to learn from.")
    input_size: int | None = Field(
        None,
        ge=4,
        le=1024,
        title="Input size",
        description="Pixels a side that the network receives; empty: the dataset's own.",
    )
    channels: Literal[1, 3] | None = Field(
        None, title="Channels", description="1 for grey, 3 for colour; empty: the dataset's own."
    )
    fit: Fit = Field("crop", title="Fit", description="How a picture that is not square becomes square.")
    normalization: Literal["rescale", "standardize"] = Field(
        "rescale",
        title="Normalisation",
        description="Divide by 255, or subtract the training mean and divide by its deviation.",
    )
    augmentation: dict[str, float] = Field(
        default_factory=dict,
        title="Augmentation",
        description="Random changes to training images, each with its strength.",
    )
    synthetic: float = Field(
        0.0, ge=0, le=1, title="Synthetic share", description="Share of training images replaced by generated ones."
    )
    validation_fraction: float = Field(
        0.1, gt=0, le=0.5, title="Validation share", description="Share of the training images kept for validation."
    )
    train_limit: int | None = Field(
        None, ge=20, title="Training images", description="Use only so many training images; empty: all."
    )


class ModelConfig(BaseModel):
    """Which network a run trains."""

    model: str = Field("simple_cnn", title="Model", description="The network to train.")
    weights: str = Field(
        "",
        title="Pretrained weights",
        description="'imagenet' or a weights file, for a network that can start from them; empty: from scratch.",
    )
    dropout: float | None = Field(
        None,
        ge=0,
        lt=1,
        title="Dropout",
        description="Share of units switched off while training; empty: the model's own.",
    )
    batch_norm: bool | None = Field(
        None,
        title="Batch normalisation",
        description="Off leaves it out, to see what it does; empty: as the model is published.",
    )
    l2: float = Field(
        0.0, ge=0, le=1, title="L2", description="Penalty on large weights; with Muon, on the last layer's alone."
    )
    options: dict[str, int | float | bool] = Field(
        default_factory=dict,
        title="Model options",
        description="Further options of this model, such as blocks_per_group.",
    )


class TrainConfig(BaseModel):
    """How a run trains it."""

    seed: int = Field(0, ge=0, le=2**31 - 1, title="Seed", description="The same seed gives the same run.")
    epochs: int = Field(10, ge=1, le=1000, title="Epochs", description="How often each training image is seen.")
    batch_size: int = Field(64, ge=1, le=8192, title="Batch size", description="Images per step.")
    optimizer: Optimizer = Field("adam", title="Optimizer", description="The rule that turns gradients into steps.")
    learning_rate: float = Field(
        1e-3, gt=0, le=100, title="Learning rate", description="The size of a step, at its highest."
    )
    momentum: float = Field(
        0.9, ge=0, lt=1, title="Momentum", description="How much of the last step is kept (SGD, RMSprop, Muon)."
    )
    schedule: Schedule = Field(
        "constant",
        title="Schedule",
        description="How the learning rate changes; plateau waits half of Patience.",
    )
    warmup_epochs: float = Field(
        0, ge=0, title="Warm-up epochs", description="The rate rises from zero over so many epochs."
    )
    label_smoothing: float = Field(
        0.0, ge=0, lt=1, title="Label smoothing", description="Share of the target spread over all classes."
    )
    early_stopping: bool = Field(False, title="Early stopping", description="Stop when validation no longer improves.")
    patience: int = Field(5, ge=1, title="Patience", description="Epochs without improvement before stopping.")
    min_delta: float = Field(0.0, ge=0, title="Smallest improvement", description="What counts as an improvement.")
    monitor: Monitor = Field(
        "val_accuracy",
        title="Monitor",
        description="What decides which epoch is kept; the last epoch, where too few images validate to choose by.",
    )
    fine_tune_epochs: int = Field(
        0,
        ge=0,
        le=999,
        title="Fine-tuning epochs",
        description="So many epochs at the end also train the last layers of the pretrained part; 0: none.",
    )
    fine_tune_layers: int | None = Field(
        None, ge=1, le=1000, title="Layers to fine-tune", description="How many of them; empty: the model's own choice."
    )
    fine_tune_learning_rate: float = Field(
        1e-4, gt=0, le=100, title="Fine-tuning rate", description="The learning rate for these epochs, at its highest."
    )
    ema: float = Field(
        0.0,
        ge=0,
        lt=1,
        title="Weight averaging",
        description="Judge and keep a moving average of the weights; share kept in a step, such as 0.99 (less in the first steps); 0: off.",
    )
    mixed_precision: bool = Field(
        False, title="Mixed precision", description="Compute in 16 bits: faster on most GPUs, on some CPUs too."
    )


class RunConfig(DataConfig, ModelConfig, TrainConfig):
    """Everything that determines a run. Flat: every field has one name in config.json, the form and `--set`."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)

    classes: tuple[str, ...] = Field(
        (), title="Classes", description="Class names in label order, filled in at the start."
    )
    upload_style: str = Field(
        "photo", title="Upload style", description="How outside pictures are made to look like the dataset's."
    )
    patch: tuple[Edit, ...] = Field(
        (), title="Corrections", description="The dataset's corrections when the run was started."
    )
    fingerprint: str = Field(
        "",
        title="Fingerprint",
        description="Hash of the images and labels that the run learned from, filled in at the start.",
    )
    versions: dict[str, str] = Field(
        default_factory=dict, title="Versions", description="Packages that the run was made with."
    )

    @field_validator("augmentation", mode="before")
    @classmethod
    def _augmentation_from_text(cls, value: Any) -> Any:
        """Accept "none", "flip,rotation=10", a list of names, or a mapping; a bare name takes its default strength (-1)."""
        if value is None or value == "none":
            return {}
        if isinstance(value, str):
            value = [part for part in value.replace(" ", "").split(",") if part]
        if isinstance(value, (list, tuple)) and all(isinstance(part, str) for part in value):
            return dict(part.split("=", 1) if "=" in part else (part, -1) for part in value)
        return value

    @field_validator("weights", mode="before")
    @classmethod
    def _no_weights(cls, value: Any) -> Any:
        return wanted_weights(value)

    @field_validator("options", mode="before")
    @classmethod
    def _options_from_text(cls, value: Any) -> Any:
        """Accept "width=16, depth=2" or a mapping."""
        return parse_options(value) if isinstance(value, str) else value

    @property
    def fine_tune_from(self) -> int:
        """The epochs that pass before fine-tuning begins: all, where there is none."""
        return self.epochs - self.fine_tune_epochs

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.fine_tune_epochs and not self.weights:
            raise ValueError(
                f"{named('fine_tune_epochs')} need pretrained weights; set {named('weights')}, or these epochs to 0"
            )
        if self.fine_tune_epochs >= self.epochs:
            raise ValueError(
                f"{named('fine_tune_epochs')} must be below {named('epochs')}, here {self.epochs}, got "
                f"{self.fine_tune_epochs}; lower them or train longer"
            )
        if self.warmup_epochs >= self.fine_tune_from and self.warmup_epochs > 0:
            before = " before fine-tuning" if self.fine_tune_epochs else ""
            raise ValueError(
                f"{named('warmup_epochs')} must be below {named('epochs')}{before}, here {self.fine_tune_from}, got "
                f"{self.warmup_epochs:g}; lower it or train longer"
            )
        if self.early_stopping and self.monitor == "last_epoch":
            raise ValueError(
                f"{named('early_stopping')} must be off where the last epoch is kept, for it would stop at a worse one; "
                f"turn it off, or set {named('monitor')} to 'val_loss'"
            )
        if self.schedule == "plateau" and self.warmup_epochs:
            raise ValueError(
                f"Schedule 'plateau' follows the validation loss and takes no warm-up; set {named('warmup_epochs')} to 0"
            )
        return self

    @classmethod
    def parse(cls, values: dict[str, Any]) -> "RunConfig":
        """Build a config from plain values.

        Raises:
            InputError: a field is unknown or its value impossible; the message names field, rule and value.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            raise InputError(describe(error)) from None

    def updated(self, **changes: Any) -> "RunConfig":
        """Return a copy with some fields changed, validated again."""
        return self.parse({**self.model_dump(), **changes})

    def to_json(self) -> str:
        """Return the config as indented JSON."""
        return json.dumps(self.model_dump(mode="json"), indent=2)


def parse_value(text: str) -> Any:
    """Read what somebody typed: numbers, true, false and none become what they mean, the rest stays text."""
    text = text.strip()
    words = {"true": True, "false": False, "none": None, "null": None, "": None}
    if text.lower() in words:
        return words[text.lower()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def wanted_weights(value: Any) -> Any:
    """Return what names pretrained weights; what stands for none becomes ""."""
    is_none = value is None or (isinstance(value, str) and value.strip().lower() in ("", "none"))
    return "" if is_none else value


def parse_options(text: str) -> dict[str, float]:
    """Read "name=value, name=value" into numbers.

    Raises:
        InputError: it is not of that form.
    """
    options = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, value = part.partition("=")
        try:
            options[name.strip()] = float(value) if "." in value else int(value)
        except ValueError:
            raise InputError(f"Model options must look like 'blocks_per_group=2', got '{part}'.") from None
    return options


# In place of pydantic's words for a number that is none, by the kind of error.
_NUMBER_RULES = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "should be a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "should be a number"),
    "int_parsing_size": "is far too large",
}


def named(field: str) -> str:
    """Return a field as the form calls it and as the command line does: "Epochs (epochs)"."""
    known = RunConfig.model_fields.get(field.partition(".")[0])
    return f"{known.title} ({field})" if known else field


def describe(error: ValidationError) -> str:
    """Turn the first complaints of pydantic into one sentence that names field, rule and value."""
    parts = []
    for item in error.errors()[:3]:
        field = ".".join(str(piece) for piece in item["loc"])
        if item["type"] == "extra_forbidden":
            known = ", ".join(
                name
                for name in RunConfig.model_fields
                if name not in ("classes", "upload_style", "patch", "fingerprint", "versions")
            )
            parts.append(f"Unknown field '{field}'. Known: {known}")
        elif field:
            rule = _NUMBER_RULES.get(item["type"], item["msg"].removeprefix("Input ").removeprefix("Value error, "))
            got = "nothing" if item["input"] is None else repr(item["input"])
            parts.append(f"{named(field)} {rule}, got {got}")
        else:
            parts.append(item["msg"].removeprefix("Value error, "))
    return "; ".join(parts) + "."
