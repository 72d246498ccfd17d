"""What a person keeps about runs: a star and a note beside each, and deleted ones for a week, so that they can come back."""

import os
import shutil
import time
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vision_app.errors import InputError
from vision_app.runs import LIVE, Run, runs_root, write_atomic

KEPT_SECONDS = 7 * 24 * 3600
MAX_NOTE = 2000  # characters


class Mark(BaseModel):
    """What somebody has said about a run; the worker never writes it."""

    model_config = ConfigDict(frozen=True)

    star: bool = False
    note: str = Field("", max_length=MAX_NOTE)


def read_mark(run: Run) -> Mark:
    """Return a run's star and note; what cannot be read counts as none, as it says nothing that the run needs."""
    try:
        return Mark.model_validate_json(run.notes_file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return Mark()


def set_star(run: Run, star: bool) -> Mark:
    """Give a run a star or take it away.

    Raises:
        InputError: it ships with the app.
    """
    return _write(run, star=star)


def set_note(run: Run, note: str) -> Mark:
    """Replace a run's note; an empty one removes it.

    Raises:
        InputError: the run ships with the app, or the note is too long.
    """
    return _write(run, note=note.strip())


def delete(runs: Iterable[Run]) -> None:
    """Move runs to the trash: all of them, or none if one cannot be deleted.

    Raises:
        InputError: one is going on, ships with the app, or does not lie in the folder of the runs.
    """
    chosen = list(dict.fromkeys(runs))
    for run in chosen:
        _check_own(run, "be deleted")
        if run.path.parent != runs_root():
            raise InputError(f"Only runs in {runs_root()} can be deleted, got {run.path}; remove that folder yourself.")
        if run.state() in LIVE:
            raise InputError(f"{run.name} is {run.state()} and cannot be deleted; stop it first.")
    empty_trash()
    for run in chosen:
        _trash().mkdir(exist_ok=True)
        os.utime(run.path)  # when it was deleted; before it moves, so that it is never taken for an old one
        _move(run.path, _free_place(run.name))


def restore(name: str) -> Run:
    """Bring a deleted run back.

    Raises:
        InputError: no run of that name was deleted, or another one has its place.
    """
    found = {run.name: run for run in list_deleted()}
    if name not in found:
        known = ", ".join(found) or "none"
        raise InputError(f"There is no deleted run '{name}'. Deleted in the last week: {known}.")
    _move(found[name].path, runs_root() / name)
    return Run(runs_root() / name)


def list_deleted() -> list[Run]:
    """Return the runs in the trash, the last one deleted first."""
    if not _trash().is_dir():
        return []
    found = [Run(path) for path in _trash().iterdir() if path.is_dir()]
    return sorted(found, key=lambda run: run.path.stat().st_mtime, reverse=True)


def empty_trash() -> None:
    """Remove for good what was deleted more than a week ago."""
    for run in list_deleted():
        if run.path.stat().st_mtime < time.time() - KEPT_SECONDS:
            shutil.rmtree(run.path, ignore_errors=True)


def _trash() -> Path:
    return runs_root() / ".trash"


def _free_place(name: str) -> Path:
    """Return where a deleted run goes: under its name, or a like one where an earlier run of that name was deleted too."""
    places = (_trash() / (name if number == 1 else f"{name}-{number}") for number in count(1))
    return next(place for place in places if not place.exists())


def _write(run: Run, **changes: object) -> Mark:
    _check_own(run, "take a star or a note")
    try:
        mark = Mark(**{**read_mark(run).model_dump(), **changes})
    except ValidationError:
        got = len(str(changes["note"]))
        raise InputError(f"A note takes up to {MAX_NOTE:,} characters, got {got:,}; shorten it.") from None
    write_atomic(run.notes_file, mark.model_dump_json(indent=2))
    return mark


def _check_own(run: Run, what: str) -> None:
    if run.is_checkpoint:
        raise InputError(f"{run.name} ships with the app and cannot {what}; choose a run.")


def _check_free(place: Path) -> None:
    if place.exists():
        raise InputError(f"There is a '{place.name}' in {place.parent} already; rename or remove that one first.")


def _move(source: Path, target: Path) -> None:
    """Move a run's folder within the folder of the runs: it is in one place or the other, never half.

    Raises:
        InputError: there is something at the target, or a file is in use where the system forbids that.
    """
    _check_free(target)
    try:
        source.rename(target)
    except OSError as error:
        raise InputError(f"Cannot move {source.name} ({error.strerror}); close what uses it and try again.") from error
