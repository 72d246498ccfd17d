"""The table of runs in the Train tab."""

import html
import math
import textwrap
import time
from collections.abc import Sequence

from vision_app.config import RunConfig
from vision_app.errors import InputError
from vision_app.figures.curves import RUN_COLOURS
from vision_app.keeping import read_mark
from vision_app.readable import age, number, percent
from vision_app.runs import LIVE, Run, list_training_runs
from vision_app.ui.train_settings import differences

MAX_RUNS = 100
SETTINGS_LENGTH = 70  # characters; the rest is in the tooltip
NOTE_LENGTH = 140
HEAD = ("Draw", "Star", "Run", "State", "Dataset", "Model", "Settings and note", "Best", "Test", "Age", "Delete")
UNTITLED = ("Draw", "Star", "Delete")  # their buttons say it
STATE_WORDS = {
    "queued": "Waiting for the device",
    "running": "Running",
    "completed": "Completed",
    "stopped": "Stopped",
    "failed": "Failed",
    "interrupted": "Interrupted",
}


def shown_runs() -> list[Run]:
    """Return the runs of the table: the starred ones, then the others, each newest first."""
    return sorted(list_training_runs(), key=lambda run: not read_mark(run).star)[:MAX_RUNS]


def runs_html(selected: str, beside: Sequence[str] = (), together: Sequence[str] = ()) -> str:
    """Return the table of runs; each name is a button that shows the run.

    Args:
        selected: the run that is shown.
        beside: those that are ticked to be drawn beside it.
        together: those that are drawn in one plot, in the order of their colours.
    """
    runs = shown_runs()
    if not runs:
        return (
            '<div class="vw-empty"><strong>No runs yet</strong>'
            "<span>Press Start: digits trains in about a minute on a small machine.</span></div>"
        )
    rows = "".join(_row(run, run.name == selected, _tick(run.name, beside, together)) for run in runs)
    head = "".join(f'<th scope="col">{_title(title)}</th>' for title in HEAD)
    return f'<div class="vw-scroll"><table class="vw-runs"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def monitored(value: float | None, monitor: str) -> str:
    """Return a best value as what it is: "98.90 %", or "loss 0.0123"."""
    if value is None or not math.isfinite(value):
        return "-"
    if monitor != "val_loss":
        return percent(value)
    return f"loss {value:.4f}" if value < 1000 else f"loss {number(value)}"


def _title(title: str) -> str:
    return f'<span class="vw-said-only">{title}</span>' if title in UNTITLED else title


def _tick(name: str, beside: Sequence[str], together: Sequence[str]) -> str:
    """Return the cell that draws a run beside the chosen one, marked with its colour in the plots."""
    colour = f' style="--vw-mine: {RUN_COLOURS[together.index(name)]}"' if name in together else ""
    state = " checked" if name in beside else " disabled" if len(beside) >= len(RUN_COLOURS) else ""
    label = f"Draw {html.escape(name)} beside the chosen run"
    return (
        f'<td class="vw-runs-draw"{colour}><input type="checkbox" data-act="draw" data-run="{html.escape(name)}"'
        f' aria-label="{label}" title="{label}"{state}></td>'
    )


def _row(run: Run, selected: bool, tick: str) -> str:
    name = html.escape(run.name)
    try:
        status, config, report = run.status(), run.config(), run.report()
        settings = _settings(config, read_mark(run).note)
    except InputError as error:
        span = f'<td colspan="{len(HEAD) - 4}">{html.escape(str(error))}</td>'
        return f"<tr><td></td>{_star(run)}<td>{name}</td>{span}{_delete(name, live=False)}</tr>"
    button = f'<button type="button" data-act="show" data-run="{name}" aria-pressed="{str(selected).lower()}">{name}</button>'
    cells = (
        tick,
        _star(run),
        f'<td class="vw-runs-name">{button}</td>',
        f'<td class="vw-state vw-{status.state}">{STATE_WORDS[status.state]}</td>',
        f"<td>{html.escape(config.dataset)}</td><td>{html.escape(config.model)}</td>{settings}",
        f"<td>{monitored(status.best_value, config.monitor)}</td>",
        f"<td>{percent(report['accuracy']) if report else '-'}</td>",
        f"<td>{age(max(0.0, time.time() - status.created))}</td>",
        _delete(name, status.state in LIVE),
    )
    return f"<tr>{''.join(cells)}</tr>"


def _star(run: Run) -> str:
    name, is_starred = html.escape(run.name), read_mark(run).star
    return (
        f'<td class="vw-runs-star"><button type="button" data-act="star" data-run="{name}" aria-label="Star {name}"'
        f' title="Starred runs stand first" aria-pressed="{str(is_starred).lower()}">{"★" if is_starred else "☆"}</button></td>'
    )


def _delete(name: str, live: bool) -> str:
    why = ' disabled title="It goes on; stop it first"' if live else ""
    return f'<td><button type="button" data-act="delete" data-run="{name}" aria-label="Delete {name}"{why}>Delete</button></td>'


def _settings(config: RunConfig, note: str) -> str:
    """Return the cell that tells runs of one dataset and model apart, with what somebody noted."""
    text = ", ".join(differences(config)) or "defaults"
    short = textwrap.shorten(text, SETTINGS_LENGTH, placeholder=" …")
    noted = textwrap.shorten(note, NOTE_LENGTH, placeholder=" …")
    said = f'<span title="{html.escape(note)}">{html.escape(noted)}</span>' if note else ""
    return f'<td class="vw-runs-settings" title="{html.escape(text)}">{html.escape(short)}{said}</td>'
