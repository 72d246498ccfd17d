"""Launchers: jobs reach a run's worker through its row, whatever that is."""

from dataclasses import replace

import pytest

from vision_app.errors import InputError
from vision_app.runs import create_run
from vision_app.training import jobs, launchers
from vision_app.training.recipe import make_config


def test_jobs_go_through_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, ...]] = []
    far = replace(
        launchers.LAUNCHERS["local"],
        start=lambda run: seen.append(("start", run.name)),
        ask=lambda run, ending: seen.append(("ask", ending)),
        wait=lambda run, seconds: seconds == 7,
        started=lambda run: True,
    )
    monkeypatch.setitem(launchers.LAUNCHERS, "local", far)
    run = jobs.start(make_config("digits", "lenet5", {}))
    jobs.stop(run)
    jobs.interrupt_all()
    assert seen == [("start", run.name), ("ask", "stopped"), ("ask", "interrupted")]
    assert jobs.wait(run, 7) and not jobs.wait(run, 8)


def test_a_run_of_an_unknown_launcher_is_not_touched() -> None:
    run = create_run(make_config("digits", "lenet5", {}))
    run.update_status(launcher="moon")
    with pytest.raises(InputError, match=r"Unknown launcher 'moon'\. Known: local"):
        jobs.stop(run)
