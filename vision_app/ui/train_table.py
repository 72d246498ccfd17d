"""The table of runs in the Train tab."""

import html
import math
import textwrap
import time

from vision_app.config import RunConfig
from vision_app.errors import InputError
from vision_app.readable import duration, number, percent
from vision_app.runs import Run, list_runs
from vision_app.ui.train_settings import differences

MAX_RUNS = 100
SETTINGS_LENGTH = 70  # characters; the rest is in the tooltip
HEAD = ("Run", "State", "Dataset", "Model", "Settings", "Best", "Test", "Age")
STATE_WORDS = {
    "queued": "Waiting for the device",
    "running": "Running",
    "completed": "Completed",
    "stopped": "Stopped",
    "failed": "Failed",
    "interrupted": "Interrupted",
}


def runs_html(selected: str) -> str:
    """Return the table of runs, newest first; each name is a button that shows the run."""
    runs = list_runs()[:MAX_RUNS]
    if not runs:
        return (
            '<div class="vw-empty"><strong>No runs yet</strong>'
            "<span>Press Start: digits trains in about a minute on a small machine.</span></div>"
        )
    rows = "".join(_row(run, run.name == selected) for run in runs)
    head = "".join(f'<th scope="col">{title}</th>' for title in HEAD)
    return f'<div class="vw-scroll"><table class="vw-runs"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def monitored(value: float | None, monitor: str) -> str:
    """Return a best value as what it is: "98.90 %", or "loss 0.0123"."""
    if value is None or not math.isfinite(value):
        return "-"
    if monitor.endswith("accuracy"):
        return percent(value)
    return f"loss {value:.4f}" if value < 1000 else f"loss {number(value)}"


def _row(run: Run, selected: bool) -> str:
    try:
        status, config, report = run.status(), run.config(), run.report()
        settings = _settings(config)
    except InputError as error:
        return f"<tr><td>{html.escape(run.name)}</td><td colspan='{len(HEAD) - 1}'>{html.escape(str(error))}</td></tr>"
    name = html.escape(run.name)
    button = f'<button type="button" data-run="{name}" aria-pressed="{str(selected).lower()}">{name}</button>'
    cells = (
        f"<td>{button}</td>",
        f'<td class="vw-state vw-{status.state}">{STATE_WORDS[status.state]}</td>',
        f"<td>{html.escape(config.dataset)}</td><td>{html.escape(config.model)}</td>{settings}",
        f"<td>{monitored(status.best_value, config.monitor)}</td>",
        f"<td>{percent(report['accuracy']) if report else '-'}</td>",
        f"<td>{duration(max(0.0, time.time() - status.created))}</td>",
    )
    return f"<tr>{''.join(cells)}</tr>"


def _settings(config: RunConfig) -> str:
    """Return the cell that tells runs of one dataset and model apart."""
    text = ", ".join(differences(config)) or "defaults"
    short = textwrap.shorten(text, SETTINGS_LENGTH, placeholder=" …")
    return f'<td class="vw-runs-settings" title="{html.escape(text)}">{html.escape(short)}</td>'
