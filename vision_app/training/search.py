"""Searching: runs that differ in a few fields, one behind the other, and which of them is best on validation images.

Each run knows the search that it is part of, so that a search outlives the page and the command that started it.
"""

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from vision_app.config import RunConfig, named
from vision_app.data.datasets import find_dataset
from vision_app.errors import InputError
from vision_app.runs import LIVE, Run, is_readable, list_runs
from vision_app.training import jobs
from vision_app.training.choices import combine
from vision_app.training.recipe import make_config


@dataclass(frozen=True)
class Planned:
    """One run of a search before it starts: its config, and what of it is tried."""

    config: RunConfig
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Tried:
    """One run of a search: what was tried, and how good its best model is on the validation images."""

    run: str
    fields: Mapping[str, Any]
    state: str
    validation_accuracy: float | None
    best_epoch: int | None
    seconds: float | None


def plan_search(
    dataset: str,
    model: str,
    choices: Mapping[str, Any],
    fixed: Mapping[str, Any],
    num_random: int | None = None,
    seed: int = 0,
    base: RunConfig | None = None,
) -> list[Planned]:
    """Return the runs of a search, every one of them checked.

    Args:
        dataset: that all learn from.
        model: of those runs for which none is chosen.
        choices: what to try, by field, as `read_choices` gives it; `model` is a field too.
        fixed: fields that are the same in all of them.
        num_random: draw so many combinations; None: all there are.
        seed: of the draw.
        base: start from this config instead of the defaults.

    Raises:
        InputError: a combination is impossible or there are too many; nothing has started.
    """
    if "dataset" in choices:
        raise InputError("Accuracies on several datasets cannot be compared; search on one dataset at a time.")
    data = find_dataset(dataset)
    dividing = [name for name in ("validation_fraction", "train_limit") if name in choices]
    if dividing and "validation" not in data.counts:
        raise InputError(
            f"Accuracies on different validation images cannot be compared, and {named(dividing[0])} changes which are held out "
            f"of {data.title}; set one value for all runs."
        )
    planned: dict[str, Planned] = {}
    for fields in combine(choices, num_random, seed):
        others = {name: value for name, value in fields.items() if name != "model"}
        try:
            config = make_config(dataset, fields.get("model", model), {**fixed, **others}, base)
        except InputError as error:
            tried = ", ".join(f"{name}={value}" for name, value in fields.items())
            raise InputError(f"Nothing was started, because one combination is impossible ({tried}): {error}") from None
        planned.setdefault(config.to_json(), Planned(config, fields))
    if len(planned) < 2:
        raise InputError("Expected at least two different runs to choose from, got one; try several values of a field.")
    return list(planned.values())


def start_search(planned: Sequence[Planned]) -> list[Run]:
    """Start all runs of a search and return at once; they train one after the other, in this order."""
    name, runs = secrets.token_hex(4), []
    try:
        for item in planned:
            runs.append(jobs.start(item.config, {"search": name, "fields": dict(item.fields)}))
    except Exception:
        stop_all(runs)
        raise
    return runs


def stop_all(runs: Iterable[Run]) -> None:
    """Ask all runs that wait or train to end, the last one first, so that none begins because another one ends."""
    for run in reversed(list(runs)):
        if run.state() in LIVE:
            with suppress(InputError):  # it has ended by itself just now
                jobs.stop(run)


def resume_all(runs: Iterable[Run]) -> list[Run]:
    """Have all runs of a search that ended early go on or begin, in their order; return them.

    Raises:
        InputError: there is none.
    """
    ended = [run for run in runs if jobs.can_resume(run)]
    if not ended:
        raise InputError("No run of this search can be resumed: those that ended early had saved nothing.")
    for run in ended:
        jobs.resume(run)
    return ended


def find_search(run: Run) -> list[Run]:
    """Return the runs of the search that a run is part of, in the order in which they were started; none without one."""
    name = _read(run).get("search")
    if not name:
        return []
    return [other for other in reversed(list_runs()) if _read(other).get("search") == name and is_readable(other)]


def rank(runs: Iterable[Run]) -> list[Tried]:
    """Return the runs of a search, the best on the validation images first; the test images decide nothing."""
    found = [_tried(run) for run in runs]
    return sorted(
        found, key=lambda tried: -1.0 if tried.validation_accuracy is None else tried.validation_accuracy, reverse=True
    )


def _tried(run: Run) -> Tried:
    status = run.status()
    return Tried(
        run=run.name,
        fields=_read(run).get("fields", {}),
        state=status.state,
        validation_accuracy=_validation_accuracy(run),
        best_epoch=status.best_epoch,
        seconds=status.seconds,
    )


def _validation_accuracy(run: Run) -> float | None:
    """Return the validation accuracy of the model that the run keeps, whatever decided which epoch is the best."""
    status = run.status()
    if status.best_epoch is None or run.config().monitor != "val_loss":
        return status.best_value
    kept = (line for line in run.history() if line["kind"] == "epoch" and line["epoch"] == status.best_epoch)
    return next((line["val_accuracy"] for line in kept), None)


def _read(run: Run) -> dict[str, Any]:
    """Return what a run knows about its search; nothing for one that is part of none."""
    try:
        found = json.loads(run.search_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
