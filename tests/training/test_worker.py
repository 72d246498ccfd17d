"""Waiting for the device."""

from types import SimpleNamespace

import pytest
from filelock import FileLock

from vision_app.config import RunConfig
from vision_app.runs import Run, create_run, list_runs, runs_root
from vision_app.training import worker


class Looks:
    """Stands for signals and time: counts the looks, and does something at some of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **at: object) -> None:
        self.wanted, self.at, self.slept = None, at, []
        monkeypatch.setattr(worker.time, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        if act := self.at.get(f"look_{len(self.slept)}"):
            act()

    def end(self) -> None:
        self.wanted = "stopped"


@pytest.fixture
def waiting() -> list[Run]:
    runs = [create_run(RunConfig()) for _ in range(3)]
    for number, run in enumerate(runs):
        run.update_status(created=run.status().created + number)
    return runs


@pytest.fixture
def device() -> FileLock:
    return FileLock(runs_root() / ".device.lock")


def test_while_another_run_has_the_device_nothing_is_read(
    waiting: list[Run], device: FileLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = FileLock(device.lock_file)
    busy.acquire()
    looks = Looks(monkeypatch, look_2=busy.release)
    listed = []
    monkeypatch.setattr(worker, "list_runs", lambda: listed.append(busy.is_locked) or list_runs())
    assert worker._wait_for_turn(waiting[0], device, looks)
    assert listed == [False] and device.is_locked
    device.release()


def test_a_run_leaves_the_device_to_older_ones_and_looks_less_often_the_more_there_are(
    waiting: list[Run], device: FileLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(monkeypatch, look_1=lambda: waiting[0].update_status(state="completed"))
    looks.at["look_2"] = lambda: waiting[1].update_status(state="stopped")
    assert worker._wait_for_turn(waiting[2], device, looks)
    assert looks.slept == [3 * worker.POLL_SECONDS, 2 * worker.POLL_SECONDS]
    device.release()


def test_a_waiting_run_that_is_asked_to_end_does_not_keep_the_device(
    waiting: list[Run], device: FileLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = Looks(monkeypatch)
    looks.at["look_1"] = looks.end
    assert not worker._wait_for_turn(waiting[1], device, looks)
    FileLock(device.lock_file).acquire(blocking=False)
    assert worker._wait_for_turn(waiting[0], FileLock(device.lock_file), SimpleNamespace(wanted="stopped")) is False
