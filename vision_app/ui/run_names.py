"""Names short enough for a legend: runs without their date and hash, datasets and models by their titles."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import PurePath

from vision_app.data.datasets import DATASETS
from vision_app.data.registry import list_added
from vision_app.models.catalog import MODELS

# As runs.create_run makes it: date, time, dataset, model, four letters that keep ids apart.
_RUN_ID = re.compile(r"\d{8}-(\d\d)(\d\d)(\d\d)-(.+)-([^-]+)-[0-9a-f]{4}")


def short_names(names: Iterable[str], with_dataset: bool = True, limit: int | None = None) -> dict[str, str]:
    """Return name -> short form: "simple_cnn on digits, 12:14:42"; names that would look alike stay whole.

    Args:
        names: of runs and checkpoints; a checkpoint's name stays as it is.
        with_dataset: False where the dataset is said elsewhere: "simple_cnn, 12:14:42".
        limit: longer ones lose their middle.
    """
    short = {name: _cut(_short_name(name, with_dataset), limit) for name in names}
    met = Counter(short.values())
    return {name: name if met[form] > 1 else form for name, form in short.items()}


def dataset_title(name: str) -> str:
    """Return how people call a dataset: cifar10 -> "CIFAR-10"; one that is nowhere listed is called as its folder."""
    known = {row.name: row.title for row in (*DATASETS.values(), *list_added())}
    return known.get(name) or PurePath(name).name or name


def model_title(name: str) -> str:
    """Return how people call a network: fast_cnn -> "Fast CNN"; one that is not in the catalogue keeps its name."""
    return MODELS[name].title if name in MODELS else name


def _short_name(name: str, with_dataset: bool) -> str:
    found = _RUN_ID.fullmatch(name)
    if not found:
        return name
    hours, minutes, seconds, dataset, model = found.groups()
    place = f" on {dataset}" if with_dataset else ""
    return f"{model}{place}, {hours}:{minutes}:{seconds}"


def _cut(text: str, limit: int | None) -> str:
    if limit is None or len(text) <= limit:
        return text
    end = (limit - 1) // 2  # names differ at their ends
    return f"{text[: limit - 1 - end]}…{text[-end:]}"
