"""Following a training run from a terminal until it ends."""

import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

from vision_app import readable
from vision_app.config import RunConfig
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


@dataclass
class _Shown:
    """What has been said of a run: the epoch that it is in, the last one that was validated, and the last advice."""

    epoch: int = 0
    validated: int = 0
    advice: str = ""


def follow(run: Run, interruptions: Interruptions, stop: Callable[[Run], None] | None = None) -> None:
    """Show a run's progress until it ends; the first interruption stops it, the second one leaves.

    Args:
        run: to follow.
        interruptions: counted since before it was started.
        stop: how to stop it; by default it alone is stopped.
    """
    from vision_app.training import jobs

    stop = stop or jobs.stop
    asked, shown = False, _Shown()
    with progress_bar("Training") as show:
        while run.status().state in LIVE:
            if interruptions.count and not asked:
                asked = True
                say(f"Stopping; {_kept(run.config())} is kept.")
                with suppress(InputError):  # it may have ended by itself just now
                    stop(run)
            _show_progress(run, show, shown)
            time.sleep(POLL_SECONDS)


def how_to_stop(config: RunConfig) -> str:
    """Return a sentence for who waits for a run."""
    return f"Ctrl-C stops it and keeps {_kept(config)}."


def _kept(config: RunConfig) -> str:
    return "the last whole epoch" if config.monitor == "last_epoch" else "the best epoch"


def wait(run: Run) -> None:
    """Return when a run has ended."""
    while run.status().state in LIVE:
        time.sleep(POLL_SECONDS)


def training_answer(run: Run, as_json: bool, averaging: bool = False) -> Answer:
    """Return what is to be said about a run that has ended.

    Args:
        run: that has ended.
        as_json: as a document.
        averaging: also test it over shifted and mirrored copies.
    """
    status = run.status()
    found = {"run": run.name, "state": status.state, "best_epoch": status.best_epoch}
    found |= {"seconds": status.seconds, "test_accuracy": stored_accuracy(run)}
    failed = status.state in ("failed", "interrupted")
    if averaging and not failed and run.report_file.exists():
        found["averaged_accuracy"] = _averaged_accuracy(run)
    if failed:
        say(f"Error: {status.message or 'the training ended early'} (more in {run.log_file})")
    if as_json:
        return document(found | {"message": status.message}, FAULT if failed else 0)
    shown = {"seconds": readable.duration(status.seconds)}
    shown |= {name: readable.percent(value) for name, value in found.items() if name.endswith("accuracy")}
    return Answer(facts(found | shown), FAULT if failed else 0)


def _averaged_accuracy(run: Run) -> float | None:
    from vision_app.evaluate_run import evaluate_run

    with progress_bar("Averaging") as show:
        averaged = evaluate_run(run, progress=show, averaging=True).averaged
    return averaged and averaged.accuracy


def stored_accuracy(run: Run) -> float | None:
    """Return the test accuracy of a run, or None before it is known."""
    from vision_app.evaluation.compare import stored_report

    report = stored_report(run)
    return report.accuracy if report else None


def _show_progress(run: Run, show: Callable[[float, str], None], shown: _Shown) -> None:
    """Move the bar, or where there is none say one line an epoch; then say what came of each, and what is wrong with it."""
    from vision_app.training.progress import read_progress

    now = read_progress(run)
    speed = f", {now.images_per_second:,.0f} images/s" if now.images_per_second else ""
    left = f", {readable.duration(now.remaining_seconds)} left" if now.remaining_seconds is not None else ""
    note = f"epoch {now.epoch}/{now.epochs}{speed}{left} {now.message}".strip()
    if now.validated and now.validated.epoch > shown.validated:
        shown.validated = now.validated.epoch
        accuracy, loss = readable.percent(now.validated.accuracy), readable.number(now.validated.loss)
        best = " (best)" if now.chosen_epoch == now.validated.epoch else ""
        say(f"after epoch {now.validated.epoch}: validation accuracy {accuracy}, loss {loss}{best}")
        _advise(run, shown)
    show(now.share, note)
    if now.epoch > shown.epoch and not sys.stderr.isatty():
        say(note)
    shown.epoch = max(shown.epoch, now.epoch)


def _advise(run: Run, shown: _Shown) -> None:
    """Say what the curves show, when that is something new."""
    from vision_app.evaluation.epochs import read_epochs
    from vision_app.training.remarks import judge

    advice = judge(run.config(), run.history(), read_epochs(run, shown.validated)).advice
    if advice and advice != shown.advice:
        say(advice)
    shown.advice = advice
