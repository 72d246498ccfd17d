"""Following a training run from a terminal until it ends."""

import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Self

from vision_app import readable
from vision_app.console import FAULT, Answer, document, facts, progress_bar, say
from vision_app.errors import InputError
from vision_app.runs import LIVE, Run

POLL_SECONDS = 0.2


class Interruptions:
    """Counts Ctrl-C and SIGTERM while entered: the first is only remembered, so that nothing is left half done."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> Self:
        self.previous = {number: signal.signal(number, self._count) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.previous.items():
            signal.signal(number, handler)

    def _count(self, _number: int, _frame: object) -> None:
        self.count += 1
        if self.count > 1:
            raise KeyboardInterrupt


def follow(run: Run, interruptions: Interruptions, stop: Callable[[Run], None] | None = None) -> None:
    """Show a run's progress until it ends; the first interruption stops it, the second one leaves.

    Args:
        run: to follow.
        interruptions: counted since before it was started.
        stop: how to stop it; by default it alone is stopped.
    """
    from vision_app.training import jobs

    stop = stop or jobs.stop
    asked, epoch = False, 0
    with progress_bar("Training") as show:
        while run.status().state in LIVE:
            if interruptions.count and not asked:
                asked = True
                say("Stopping; the best model is kept.")
                with suppress(InputError):  # it may have ended by itself just now
                    stop(run)
            epoch = _show_progress(run, show, epoch)
            time.sleep(POLL_SECONDS)


def wait(run: Run) -> None:
    """Return when a run has ended."""
    while run.status().state in LIVE:
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
    speed = f", {now.images_per_second:,.0f} images/s" if now.images_per_second else ""
    left = f", {readable.duration(now.remaining_seconds)} left" if now.remaining_seconds is not None else ""
    note = f"epoch {now.epoch}/{now.epochs}{speed}{left} {now.message}".strip()
    show(now.share, note)
    if now.epoch > said and not sys.stderr.isatty():
        say(note)
    return max(said, now.epoch)
