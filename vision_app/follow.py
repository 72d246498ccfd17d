"""Following a training run from a terminal until it ends."""

import signal
import sys
import time
from collections.abc import Callable

from vision_app import readable
from vision_app.console import FAULT, Answer, document, facts, progress_bar, say
from vision_app.runs import LIVE, Run

POLL_SECONDS = 0.2


def follow(run: Run) -> None:
    """Show a run's progress until it ends; the first Ctrl-C (or SIGTERM) asks it to stop, the second one lets it be."""
    from vision_app.training import jobs

    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with progress_bar("Training") as show:
            try:
                wait(run, show)
            except KeyboardInterrupt:
                say("Stopping; the best model is kept.")
                jobs.stop(run)
                wait(run, show)
    finally:
        signal.signal(signal.SIGTERM, previous)


def wait(run: Run, show: Callable[[float, str], None] | None = None) -> None:
    """Return when a run has ended; `show` is called with the share done and a sentence meanwhile."""
    epoch = 0
    while run.status().state in LIVE:
        if show:
            epoch = _show_progress(run, show, epoch)
        time.sleep(POLL_SECONDS)


def training_answer(run: Run, as_json: bool) -> Answer:
    """Return what is to be said about a run that has ended."""
    status = run.status()
    found = {"run": run.name, "state": status.state, "best_epoch": status.best_epoch}
    found |= {"seconds": status.seconds, "test_accuracy": stored_accuracy(run)}
    failed = status.state in ("failed", "interrupted")
    if failed:
        say(f"Error: {status.message or 'the training ended early'} (more in {run.log_file})")
    if as_json:
        return document(found | {"message": status.message}, FAULT if failed else 0)
    shown = {"seconds": readable.duration(status.seconds), "test_accuracy": readable.percent(found["test_accuracy"])}
    return Answer(facts(found | shown), FAULT if failed else 0)


def stored_accuracy(run: Run) -> float | None:
    """Return the test accuracy of a run, or None before it is known."""
    from vision_app.evaluation.compare import stored_report

    report = stored_report(run)
    return report.accuracy if report else None


def _show_progress(run: Run, show: Callable[[float, str], None], said: int) -> int:
    """Move the bar; where there is none, say one line an epoch. Returns the last epoch that was said."""
    from vision_app.training.progress import read_progress

    now = read_progress(run)
    left = f", {readable.duration(now.remaining_seconds)} left" if now.remaining_seconds is not None else ""
    note = f"epoch {now.epoch}/{now.epochs}, {now.images_per_second or 0:,.0f} images/s{left} {now.message}"
    total = (now.steps_per_epoch or 0) * now.epochs
    show(now.step / total if total else 0.0, note.strip())
    if now.epoch > said and not sys.stderr.isatty():
        say(note.strip())
    return max(said, now.epoch)
