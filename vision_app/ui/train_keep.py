"""Stars, notes, and deleting with a way back, as the Train tab offers them."""

import html
import time

from vision_app import keeping
from vision_app.errors import InputError
from vision_app.keeping import KEPT_SECONDS, list_deleted, read_mark
from vision_app.readable import age
from vision_app.runs import Run
from vision_app.ui.train_runs import choose_run, find_run

HINT = "Tick runs to draw their curves together."
GONE = "This run is no longer there; choose another."


def toggle_star(name: str) -> None:
    """Give a run a star, or take it away.

    Raises:
        InputError: the run is no longer there.
    """
    run = known_run(name)
    keeping.set_star(run, not read_mark(run).star)


def save_note(name: str, text: str) -> None:
    """Replace a run's note; one that has not changed writes nothing.

    Raises:
        InputError: the run is no longer there, or the note is too long.
    """
    if not name:
        return
    run = known_run(name)
    if text.strip() != read_mark(run).note:
        keeping.set_note(run, text)


def note_of(name: str) -> str:
    """Return the note of the chosen run."""
    run = find_run(name)
    return read_mark(run).note if run else ""


def delete(name: str, chosen: str) -> tuple[str, str]:
    """Delete a run; return the run that is chosen now, and the offer to undo.

    Raises:
        InputError: it is going on, or no longer there.
    """
    keeping.delete([known_run(name)])
    if find_run(chosen) is None:
        shown, _ = choose_run("")
        chosen = shown.name if shown else ""
    return chosen, head_html(name)


def head_html(deleted: str = "") -> str:
    """Return the heading of the table; after a deletion, with a button that undoes it."""
    name = html.escape(deleted)
    offer = f'Deleted {name}. <button type="button" data-act="restore" data-run="{name}">Undo</button>'
    return f'<h2 class="vw-section">Runs</h2><p role="status">{offer if deleted else HINT}</p>'


def deleted_html() -> str:
    """Return the runs that can still be restored, folded; nothing where there are none."""
    runs = list_deleted()
    if not runs:
        return ""
    items = "".join(f"<li>{_deleted_item(run)}</li>" for run in runs)
    return f"<details><summary>Deleted runs ({len(runs)})</summary><ul>{items}</ul></details>"


def known_run(name: str) -> Run:
    """Return a run by its plain name.

    Raises:
        InputError: it is no longer there.
    """
    run = find_run(name)
    if run is None:
        raise InputError(GONE)
    return run


def _deleted_item(run: Run) -> str:
    name, since = html.escape(run.name), max(0.0, time.time() - run.path.stat().st_mtime)
    left = f"in {age(KEPT_SECONDS - since)}" if since < KEPT_SECONDS - 60 else "soon"
    button = f'<button type="button" data-act="restore" data-run="{name}" aria-label="Restore {name}">Restore</button>'
    return f"<span>{name}</span><span>gone for good {left}</span>{button}"
