"""From a dataset, a model and a few wishes to a complete config."""

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from vision_app.config import RunConfig, named, parse_options, wanted_weights
from vision_app.data.augment import resolve_strengths
from vision_app.data.datasets import find_dataset
from vision_app.data.patch import read_patch
from vision_app.errors import InputError
from vision_app.models.catalog import find_model
from vision_app.training.pretrained import check_weights

FILLED_IN = {"classes", "upload_style", "versions", "fingerprint", "patch", "dataset", "model"}
PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "opencv-python-headless", "scikit-learn")


def default_values(dataset: str, model: str, pretrained: bool | None = None) -> dict[str, Any]:
    """Return the defaults for a dataset and a model, by field name: the model's recipe, the dataset's augmentation.

    Args:
        pretrained: whether the run starts from pretrained weights; None: as the model's recipe says.
    """
    data, info = find_dataset(dataset), find_model(model)
    height, _, channels = data.image_shape or (info.photo_size, info.photo_size, 3)
    chosen = info.recipe_for(info.starts_pretrained if pretrained is None else pretrained)
    recipe = {"epochs": data.epochs, "augmentation": data.augmentation, **chosen}
    return {
        **recipe,
        "input_size": info.input_size_for(height),
        "channels": channels,
    }


def make_config(dataset: str, model: str, overrides: dict[str, Any], base: RunConfig | None = None) -> RunConfig:
    """Return a complete, checked config.

    Args:
        dataset: as for `find_dataset`.
        model: a row of MODELS.
        overrides: fields to set; what is no field but an option of the model goes to its options.
        base: start from this config instead of the defaults.

    Raises:
        InputError: something is unknown or impossible; nothing has started.
    """
    data, info = find_dataset(dataset), find_model(model)
    pretrained = bool(wanted_weights(overrides["weights"])) if "weights" in overrides else None
    name = data.name  # as a run keeps it, whatever was typed
    values = _inherit(base, name, model, pretrained) if base else default_values(name, model, pretrained)
    for field in FILLED_IN & set(overrides):
        raise InputError(f"The field '{field}' is filled in by the app and cannot be set; leave it out.")
    options = {**values.get("options", {}), **_options(overrides.get("options"))}
    plain = {}
    for field, value in overrides.items():
        if field in info.options:
            options[field] = value
        elif field != "options" and not (field in ("input_size", "channels") and value is None):
            plain[field] = value
    values = {**values, **plain, "options": options, "dataset": name, "model": model}
    if "fine_tune_epochs" not in overrides:  # a default must not forbid a short run, or one from scratch
        values["fine_tune_epochs"] = _fitting_fine_tuning(values)
    if "warmup_epochs" not in overrides:
        values["warmup_epochs"] = _fitting_warmup(values)
    config = RunConfig.parse(
        {
            **values,
            "classes": data.classes,
            "upload_style": data.upload_style,
            "patch": read_patch(data),
            "fingerprint": "",
            "versions": _versions(),
        }
    )
    info.check_input((config.input_size, config.input_size, config.channels))
    info.check_options(config.options)
    info.check_batch_norm(config.batch_norm)
    info.check_dropout(config.dropout)
    check_weights(info, config)
    if config.weights and config.normalization != "rescale":
        raise InputError(
            f"Pretrained weights expect pixels as they learned from them; set {named('normalization')} to 'rescale', "
            "or the weights to none."
        )
    if config.synthetic and data.synthesize is None:
        raise InputError(f"{data.title} has no generated images: synthetic must be 0, got {config.synthetic:g}.")
    fewest = 2 * len(config.classes)
    if config.train_limit and config.train_limit < fewest:
        raise InputError(
            f"{named('train_limit')} should be at least {fewest}, one of each class to learn from and one to validate on; "
            f"got {config.train_limit}."
        )
    return config.updated(augmentation=resolve_strengths(config.augmentation))


def _inherit(base: RunConfig, dataset: str, model: str, pretrained: bool | None) -> dict[str, Any]:
    """Return a config's fields; what belongs to another dataset, model or beginning gives way to the defaults of this one.

    Epochs belong to the model unless somebody chose them: they are not those that its base would have by itself.
    """
    if pretrained is None and model == base.model:
        pretrained = bool(base.weights)
    values, defaults = base.model_dump(), default_values(dataset, model, pretrained)
    stale: set[str] = set()
    if dataset != base.dataset:
        stale |= {"input_size", "channels", "augmentation", "synthetic"}
    if model != base.model:
        stale |= {"input_size", "options", "dropout", "batch_norm"}
    if model != base.model or pretrained != bool(base.weights):
        for info in (find_model(base.model), find_model(model)):
            stale |= {*info.recipe_for(True), *info.recipe_for(False)}
        stale = stale - {"epochs"} if _chose_epochs(base) else stale | {"epochs"}
    return {
        **{name: value for name, value in values.items() if name not in stale},
        **{name: defaults[name] for name in stale & set(defaults)},
    }


def _chose_epochs(config: RunConfig) -> bool:
    """Whether somebody chose how many epochs a run has; nobody can tell where its dataset is gone."""
    try:
        usual = default_values(config.dataset, config.model, bool(config.weights))
    except InputError:
        return False
    return config.epochs != usual["epochs"]


def _options(given: Any) -> dict[str, Any]:
    """Return the options of the network from a mapping or "name=value, name=value"."""
    if isinstance(given, str):
        return parse_options(given)
    if not isinstance(given, Mapping | None):
        raise InputError(f"Model options must look like 'blocks_per_group=2', got {given!r}.")
    return dict(given or {})


def _fitting_warmup(values: Mapping[str, Any]) -> Any:
    warmup, epochs = values.get("warmup_epochs", 0), values.get("epochs")
    if values.get("schedule") == "plateau":
        return 0
    return epochs / 5 if isinstance(epochs, int) and 1 <= epochs <= warmup else warmup


def _fitting_fine_tuning(values: Mapping[str, Any]) -> Any:
    wanted, epochs = values.get("fine_tune_epochs", 0), values.get("epochs")
    if not values.get("weights"):
        return 0
    return min(wanted, epochs // 3) if isinstance(epochs, int) and 1 <= epochs <= wanted else wanted


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
