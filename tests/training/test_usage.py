"""What a worker takes of the machine."""

from types import SimpleNamespace

import psutil
import pytest

from tests.test_device import answer
from vision_app import device
from vision_app.device import GpuUse
from vision_app.runs import Run, create_run
from vision_app.training import usage
from vision_app.training.recipe import make_config
from vision_app.training.usage import Usage, read_usage


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose worker is this process."""
    run, me = create_run(make_config("digits", "lenet5", {})), psutil.Process()
    run.update_status(state="running", pid=me.pid, pid_started=me.create_time(), device="CPU, 2 cores")
    monkeypatch.setattr(usage, "_LOOKS", {})
    monkeypatch.setattr(usage, "_GPUS", [])
    return run


def test_memory_is_the_workers_and_a_run_that_is_over_takes_nothing(run: Run) -> None:
    found = read_usage(run)
    assert found.memory_bytes == pytest.approx(psutil.Process().memory_info().rss, rel=0.2)
    assert found.cores is None and found.gpus == ()
    run.update_status(state="completed")
    assert read_usage(run) is None


def test_cores_are_processor_time_by_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    now, taken = [100.0], [7.0]
    process = SimpleNamespace(
        cpu_times=lambda: SimpleNamespace(user=taken[0] - 1, system=1.0), memory_info=lambda: SimpleNamespace(rss=5)
    )
    monkeypatch.setattr(usage.psutil, "Process", lambda pid: process)
    monkeypatch.setattr(Run, "status", lambda self: SimpleNamespace(state="running", pid=1, device="CPU"))
    monkeypatch.setattr(usage.time, "monotonic", lambda: now[0])
    found = []
    for after, more in ((0.0, 0.0), (0.5, 0.9), (1.5, 2.1), (0.2, 0.4), (2.0, 0.7)):
        now[0], taken[0] = now[0] + after, taken[0] + more
        found.append(read_usage(run).cores)
    # The second look is too soon: the third measures 3.0 s of work in 2.0 s. So is the fourth: the fifth has 1.1 in 2.2.
    assert found == [None, None, pytest.approx(1.5), pytest.approx(1.5), pytest.approx(0.5)]


def test_only_a_run_on_a_gpu_asks_for_it_and_not_all_the_time(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(usage, "read_gpus", lambda: asked.append(1) or (GpuUse(0.93, 4 * 10**9, 150 * 10**9),))
    assert read_usage(run).gpus == () and not asked
    run.update_status(device="NVIDIA H200")
    assert read_usage(run).gpus == read_usage(run).gpus == (GpuUse(0.93, 4 * 10**9, 150 * 10**9),)
    assert len(asked) == 1


def test_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "num_cores", lambda: 2)
    assert Usage(1.84, 620_000_000).words() == "1.8 of 2 cores, 620.0 MB of memory"
    assert Usage(None, 620_000_000).words() == "620.0 MB of memory"
    gpus = (GpuUse(0.93, 4_100_000_000, 150_700_000_000),)
    expected = "GPU 93 % busy, 4.1 GB of its 150.7 GB; 1.0 of 2 cores, 2.0 GB of memory"
    assert Usage(1.0, 2_000_000_000, gpus).words() == expected


def test_what_the_driver_says(monkeypatch: pytest.MonkeyPatch) -> None:
    answer(monkeypatch, "93, 3910, 143771\n[N/A], [N/A], [N/A]\n0, 1, 143771\n")
    assert device.read_gpus() == (GpuUse(0.93, 3910 * 2**20, 143771 * 2**20), GpuUse(0.0, 2**20, 143771 * 2**20))
    answer(monkeypatch, OSError())
    assert device.read_gpus() == ()
