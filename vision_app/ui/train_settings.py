"""A run's settings in words: all of them, and what of them somebody has changed."""

import functools
import html
from collections.abc import Iterable, Sequence

from vision_app.config import RunConfig
from vision_app.data.augment import AUGMENTATIONS
from vision_app.errors import InputError
from vision_app.training.recipe import make_config
from vision_app.ui.forms import ADVANCED, BASIC, TITLES
from vision_app.ui.run_names import model_title

CHANNELS = {1: "grey", 3: "colour"}
EMPTY = {
    "train_limit": "all",
    "dropout": "the model's own",
    "batch_norm": "as published",
    "fine_tune_layers": "the model's own",
    "weights": "none",
}


def settings_html(config: RunConfig | None) -> str:
    """Return all that was chosen for a run, folded."""
    if config is None:
        return ""
    rows = "".join(
        f"<div><dt>{RunConfig.model_fields[name].title}</dt><dd>{html.escape(in_words(config, name))}</dd></div>"
        for name in (*BASIC, *ADVANCED)
    )
    return f'<details class="vw-live-settings"><summary>Settings</summary><dl class="vw-numbers">{rows}</dl></details>'


def differences(config: RunConfig) -> list[str]:
    """Return what differs from the defaults of the run's dataset and model: ["50 epochs", "learning rate 0.01"]."""
    try:
        usual = _defaults(config.dataset, config.model)
    except InputError:  # the dataset has gone since
        return []
    changed = [name for name in (*BASIC, *ADVANCED) if getattr(config, name) != getattr(usual, name)]
    return [_phrase(config, name) for name in changed]


def distinctions(configs: Sequence[RunConfig]) -> list[list[str]]:
    """Return, for each of several configs, the settings in which they are not all alike."""
    apart = [name for name in (*BASIC, *ADVANCED) if len({repr(getattr(config, name)) for config in configs}) > 1]
    return [[_phrase(config, name) for name in apart] for config in configs]


def tried_in_words(config: RunConfig, names: Iterable[str]) -> str:
    """Return what a run of a search has tried, of the fields with these names: "LeNet-5, learning rate 0.01"."""
    return ", ".join(_tried(config, name) for name in names)


def in_words(config: RunConfig, name: str) -> str:
    """Return the value of a field as people write it."""
    value = getattr(config, name)
    if name == "augmentation":
        titles = {row.name: row.title for row in AUGMENTATIONS.values()}
        return ", ".join(f"{titles.get(key, key)} {strength:g}" for key, strength in value.items()) or "none"
    if name == "options":
        return ", ".join(f"{key} {option}" for key, option in value.items()) or "none"
    if name == "channels":
        return CHANNELS.get(value, "the dataset's own")
    if value is None or value == "":
        return EMPTY.get(name, "the dataset's own")
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, str):
        return TITLES.get(value, value)
    return f"{value:g}" if isinstance(value, float) else str(value)


@functools.cache
def _defaults(dataset: str, model: str) -> RunConfig:
    return make_config(dataset, model, {})


def _tried(config: RunConfig, name: str) -> str:
    if name == "model":
        return model_title(config.model)
    if name in config.options:
        return f"{name} {config.options[name]}"
    return _phrase(config, name)


def _phrase(config: RunConfig, name: str) -> str:
    """Return one setting within a sentence: "50 epochs", "no early stopping", "schedule cosine"."""
    title, words = RunConfig.model_fields[name].title, in_words(config, name)
    title = title if title.isupper() else title[0].lower() + title[1:]
    if name == "epochs":
        return f"{words} epoch{'s' * (config.epochs != 1)}"
    if words in ("on", "off", "none"):
        return title if words == "on" else f"no {title}"
    return f"{title} {words}"
