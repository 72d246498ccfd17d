"""Trying several networks and settings in the Train tab: what the form means, and how the runs compare."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

from vision_app.config import RunConfig
from vision_app.errors import InputError
from vision_app.models.catalog import MODELS
from vision_app.readable import percent
from vision_app.runs import LIVE, Run
from vision_app.training.choices import read_choices
from vision_app.training.jobs import can_resume
from vision_app.training.search import Planned, Tried, find_search, plan_search, rank, resume_all, stop_all
from vision_app.ui.forms import ADVANCED, BASIC
from vision_app.ui.train_keep import known_run
from vision_app.ui.train_overlay import MAX_RUNS
from vision_app.ui.train_settings import tried_in_words
from vision_app.ui.train_table import STATE_WORDS

NO_SEARCH = "This run is part of no search; choose one that is."


def field_choices() -> list[tuple[str, str]]:
    """Return the settings of which several values can be tried, as (title, name)."""
    fields = [(_title_of(name), name) for name in (*BASIC, *ADVANCED) if name != "options"]
    options = dict.fromkeys(name for row in MODELS.values() for name in row.options)
    return [*fields, *((_title_of(name), name) for name in options)]


def _title_of(name: str) -> str:
    """Return what a setting is called, which may be an option of some networks only."""
    if name in RunConfig.model_fields:
        return RunConfig.model_fields[name].title
    owners = ", ".join(row.title for row in MODELS.values() if name in row.options)
    return f"{name} ({owners})"


def read_search(
    config: RunConfig, models: Sequence[str], rows: Sequence[tuple[str | None, str | None]], number: str | None
) -> list[Planned]:
    """Return the runs that the form describes.

    Args:
        config: what the rest of the form describes, where nothing else is tried.
        models: the networks to try; none: the one of the form.
        rows: a setting and its values as they were typed; a row without values is left out.
        number: how many combinations to pick at random, as it was typed; empty: all.

    Raises:
        InputError: something is missing or impossible; nothing has started.
    """
    choices: dict[str, Any] = {"model": list(models)} if models else {}
    for field, text in rows:
        if not (text or "").strip():
            continue
        if not field:
            raise InputError(f"Expected the setting that '{text}' is for, got none; choose it on the left.")
        if field in choices:
            raise InputError(f"{_title_of(field)} is there twice; put all its values into one row.")
        choices[field] = read_choices(field, str(text))
    if not choices:
        raise InputError("Expected something to try, got nothing; choose several networks, or values of a setting.")
    return plan_search(config.dataset, config.model, choices, {}, _number(number), config.seed, config)


def search_html(run: Run | None) -> str:
    """Return how the runs of the search that a run is part of compare; nothing for one that is part of none."""
    runs = find_search(run) if run else []
    if not runs:
        return ""
    tried, configs = rank(runs), {each.name: each.config() for each in runs}
    rows = "".join(_row(each, configs[each.run], each.run == run.name) for each in tried)
    done = sum(each.state not in LIVE for each in tried)
    head = "".join(f'<th scope="col">{title}</th>' for title in ("Tried", "Validation accuracy", "Best epoch", "State"))
    name = html.escape(run.name)
    seeds = " Each seed holds out other images." if len({config.seed for config in configs.values()}) > 1 else ""
    act = _button("stop-search", name, "Stop all") if done < len(runs) else ""
    if not act and any(map(can_resume, runs)):
        act = _button("resume-search", name, "Resume those that ended early")
    return (
        f'<section class="vw-search" aria-label="Search"><h3>{_title(tried, configs, done)}</h3>'
        f'<div class="vw-scroll"><table class="vw-runs"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
        f"<p>{_button('show-search', name, 'Show the best together')}{act}"
        f'<span class="vw-note">Validation decides; the test images have no say.{seeds}</span></p></section>'
    )


def best_together(name: str) -> str:
    """Return the best runs of a search as they are ticked: as many as there are colours.

    Raises:
        InputError: the run is part of no search.
    """
    return ",".join(each.run for each in rank(_searched(name))[:MAX_RUNS])


def stop_search(name: str) -> None:
    """Ask all runs of the search that a run is part of to end.

    Raises:
        InputError: the run is part of none.
    """
    stop_all(_searched(name))


def resume_search(name: str) -> None:
    """Have those runs of a search go on that ended early.

    Raises:
        InputError: there are none, or the run is part of no search.
    """
    resume_all(_searched(name))


def _searched(name: str) -> list[Run]:
    runs = find_search(known_run(name))
    if not runs:
        raise InputError(NO_SEARCH)
    return runs


def _button(act: str, name: str, text: str) -> str:
    return f'<button type="button" data-act="{act}" data-run="{name}">{text}</button>'


def _title(tried: Sequence[Tried], configs: Mapping[str, RunConfig], done: int) -> str:
    """Return the finding: what is best so far, or for good."""
    best = tried[0]
    if best.validation_accuracy is None:
        return f"{done} of {len(tried)} runs done"
    words = html.escape(tried_in_words(configs[best.run], best.fields))
    if done < len(tried):
        return f"{done} of {len(tried)} runs done; best so far: {words}"
    scored = sum(each.validation_accuracy is not None for each in tried)
    if scored < len(tried):
        return f"Best of the {scored} of {len(tried)} runs that were trained: {words}"
    return f"Best of {len(tried)}: {words}"


def _row(tried: Tried, config: RunConfig, selected: bool) -> str:
    name, words = html.escape(tried.run), html.escape(tried_in_words(config, tried.fields))
    button = (
        f'<button type="button" data-act="show" data-run="{name}" title="{name}" aria-pressed="{str(selected).lower()}">'
        f"{words}</button>"
    )
    return (
        f'<tr><td class="vw-runs-name">{button}</td><td>{percent(tried.validation_accuracy)}</td><td>{tried.best_epoch or "-"}</td>'
        f'<td class="vw-state vw-{tried.state}">{STATE_WORDS[tried.state]}</td></tr>'
    )


def _number(text: str | None) -> int | None:
    text = (text or "").strip()
    if not text:
        return None
    if not text.isdecimal():
        raise InputError(f"Expected a number of combinations to pick, got '{text[:40]}'; leave it empty to try all.")
    return int(text)
