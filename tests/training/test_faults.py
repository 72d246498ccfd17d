"""What a training survives: half files, full disks, not-a-numbers, memory that runs out, many starts, clocks that jump."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import psutil
import pytest
from filelock import FileLock, Timeout

from vision_app import processes
from vision_app.processes import child_environment, created, is_alive
from vision_app.runs import Run, create_run, list_runs
from vision_app.training import train as recipe
from vision_app.training import worker
from vision_app.training.callbacks import HistoryWriter, KeepBest, LearningRate, TrainingFailed
from vision_app.training.progress import read_progress
from vision_app.training.recipe import make_config
from vision_app.training.state import State, list_states, read_state, write_state
from vision_app.training.train import train

resource = pytest.importorskip("resource", reason="limits on files and memory are set as on Linux and macOS")
SMALL = {"epochs": 2, "train_limit": 100, "batch_size": 32, "augmentation": {}}
GOING_ON = SimpleNamespace(wanted=None)


def small_run(**changes: object) -> Run:
    return create_run(make_config("digits", "lenet5", SMALL | changes))


def test_what_a_killed_worker_left_half_written_is_gone_when_the_run_goes_on() -> None:
    run = small_run()
    run.state_folder.mkdir()
    half = [run.path / ".model.saving.keras", run.path / ".status.json.x7", run.path / ".report.json.q"]
    run.strip_folder.mkdir()
    half += [run.path / ".model.tflite.k", run.state_folder / ".saving.npz", run.strip_folder / ".epoch-000003.npz.u"]
    kept = [run.path / ".notes.json.being-written", run.state_folder / "worker.lock", run.log_file]
    for file in (*half, *kept):
        file.write_bytes(b"half")
    run.forget_half_files()
    assert [file.name for file in half if file.exists()] == [] and all(file.exists() for file in kept)


@pytest.mark.parametrize("moment", ["save", "fsync", "chmod", "replace"])
def test_a_kill_at_any_moment_of_saving_leaves_the_old_model(moment: str, tmp_path: Path) -> None:
    def save(path: Path) -> None:
        path.write_bytes(b"half")
        if moment == "save":
            os._exit(9)

    def end(*_: object) -> None:
        os._exit(9)

    run = Run(tmp_path)
    run.model_file.write_bytes(b"old")
    keeper = KeepBest(run, SimpleNamespace(save=save), "val_loss")
    keeper.set_model(keeper.serving)
    child = os.fork()
    if not child:  # it only writes files, and ends without cleaning up, as if it were killed
        os.fsync = end if moment == "fsync" else os.fsync
        Path.chmod = end if moment == "chmod" else Path.chmod
        Path.replace = end if moment == "replace" else Path.replace
        keeper.save()
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert run.model_file.read_bytes() == b"old"


def test_a_disk_that_fills_at_any_byte_leaves_the_old_state() -> None:
    """As a limit on the size of files, which the system enforces for every writer alike."""
    run = small_run()
    state = State(1, 1.0, {}, tuple(np.random.default_rng(0).normal(size=(4, 50, 20))), ())
    write_state(run, state)
    size = list_states(run)[0].stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    for number in range(1, 21):
        resource.setrlimit(resource.RLIMIT_FSIZE, (number * size // 21, before[1]))
        try:
            with pytest.raises(OSError, match="File too large"):
                write_state(run, State(2, 2.0, {}, state.model, ()))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert read_state(run).epoch == 1 and len(list(run.state_folder.iterdir())) == 1


@pytest.mark.parametrize("values", [(np.nan, 0.5, 0.4), (np.inf, 0.5, 0.6), (0.5, np.nan, np.nan)])
def test_a_number_that_is_none_is_never_the_best(values: tuple[float, ...]) -> None:
    run = small_run()
    keeper = KeepBest(run, SimpleNamespace(save=lambda path: path.write_bytes(b"model")), "val_loss")
    keeper.set_model(keeper.serving)
    for epoch, value in enumerate(values):
        keeper.on_epoch_end(epoch, {"val_loss": value})
    good = [value for value in values if np.isfinite(value)]
    assert run.status().best_value == min(good)
    assert run.status().best_epoch == values.index(min(good)) + 1


def test_a_loss_that_is_no_number_ends_the_run_at_once_and_is_never_saved() -> None:
    run = small_run(optimizer="sgd", learning_rate=100.0, epochs=5)
    original = keras.Model.compile

    def compile_badly(model: keras.Model, **settings: object) -> None:
        original(model, **settings | {"loss": lambda labels, logits: keras.ops.mean(logits) * float("nan")})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "compile", compile_badly)
        with pytest.raises(TrainingFailed, match=r"The loss became nan at step \d+: .*Lower the learning rate"):
            train(run, GOING_ON)
    assert not run.model_file.exists() and run.status().best_epoch is None
    assert not [line for line in run.history() if line["kind"] == "epoch"]


def test_an_epoch_without_numbers_leaves_the_good_one_before_it() -> None:
    run, good = small_run(epochs=4), []

    class Break(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            if epoch == 2:
                good.append(run.model_file.read_bytes())
                self.model.get_layer("logits").kernel.assign(np.full((84, 10), np.nan))

    original = recipe.make_callbacks
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "make_callbacks", lambda *given, **more: [*original(*given, **more), Break()])
        with pytest.raises(TrainingFailed, match=r"The loss became nan"):
            train(run, GOING_ON)
    assert run.model_file.read_bytes() == good[0] and run.status().best_epoch <= 2
    assert [line["epoch"] for line in run.history() if line["kind"] == "epoch"] == [1, 2]
    assert read_state(run).epoch == 2 and list(run.validation(9)) == [1, 2]
    assert run.report() is None and not run.tflite_file.exists()


OUT_OF_MEMORY = """
import resource, sys
import tensorflow, keras, numpy  # their own memory does not count
from vision_app.training import train as recipe
from vision_app.training import worker
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20,) * 2)
sys.exit(worker.main(sys.argv[1]))
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit on memory is Linux's")
def test_a_run_for_which_memory_does_not_reach_says_so() -> None:
    run = create_run(make_config("digits", "resnet_small", SMALL | {"input_size": 128, "train_limit": 1000}))
    command = [sys.executable, "-c", OUT_OF_MEMORY, str(run.path)]
    done = subprocess.run(command, env=child_environment(), capture_output=True, text=True, timeout=240)
    assert done.returncode != 0
    status = run.status()
    assert status.state in ("failed", "interrupted")  # TensorFlow may end without a word
    assert "memory" in status.message
    assert all(each.status() for each in list_runs())


CHILD = """
import subprocess, sys, time
from vision_app.processes import child_environment
child = subprocess.Popen([sys.executable, "-c", "from vision_app.processes import end_with_parent\\n"
    "import time\\nend_with_parent()\\nprint('ready', flush=True)\\ntime.sleep(600)"], env=child_environment())
print(child.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere a process keeps the time at which it was created")
def test_setting_the_clock_makes_no_process_another(monkeypatch: pytest.MonkeyPatch) -> None:
    started, boot, create = created(psutil.Process()), psutil.boot_time(), psutil.Process.create_time
    boot_name, seconds = started.split()
    assert is_alive(os.getpid(), started)
    assert not is_alive(os.getpid(), f"{boot_name} {float(seconds) + 60}")
    assert not is_alive(os.getpid(), f"another-start-of-the-machine {seconds}")
    with monkeypatch.context() as patch:
        patch.setattr(processes, "BOOT", Path("/no/such/file"))
        assert is_alive(os.getpid(), created(psutil.Process()))
    monkeypatch.setattr(psutil, "boot_time", lambda: boot + 3600)
    monkeypatch.setattr(psutil.Process, "create_time", lambda process: create(process) + 3600)
    assert is_alive(os.getpid(), started)


def test_the_children_of_a_killed_worker_end_with_it() -> None:
    parent = subprocess.Popen([sys.executable, "-c", CHILD], env=child_environment(), stdout=subprocess.PIPE, text=True)
    said = [parent.stdout.readline().strip() for _ in range(2)]
    child = psutil.Process(int(next(line for line in said if line != "ready")))
    started = child.create_time()
    assert is_alive(child.pid, started)
    parent.kill()
    parent.wait()
    limit = time.monotonic() + 5
    while is_alive(child.pid, started):
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_of_many_waiting_workers_one_has_the_device_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty workers at once, as threads: a lock of the system is held by a process, or here by an object of its own."""
    monkeypatch.setattr(worker, "POLL_SECONDS", 0.01)
    runs = [small_run() for _ in range(20)]
    at_once, most, done = [], [], []

    def work(run: Run) -> None:
        lock = FileLock(run.path.parent / ".device.lock", is_singleton=False)
        assert worker._wait_for_turn(run, lock, GOING_ON)
        run.update_status(state="running", pid=os.getpid(), pid_started=psutil.Process().create_time())
        at_once.append(run.name)
        most.append(len(at_once))
        time.sleep(0.002)
        at_once.remove(run.name)
        done.append(run.name)
        run.update_status(state="completed")
        lock.release()

    threads = [threading.Thread(target=work, args=(run,)) for run in reversed(runs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert max(most) == 1
    assert sorted(done) == sorted(run.name for run in runs)


def test_a_lock_file_that_a_killed_worker_left_holds_nobody_up() -> None:
    run = small_run()
    path = run.path.parent / ".device.lock"
    hold = (
        "import os, sys; from filelock import FileLock; lock = FileLock(sys.argv[1]); lock.acquire(); "
        "print('held', flush=True); os.read(0, 1)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(Timeout):
        FileLock(path, is_singleton=False).acquire(blocking=False)
    holder.kill()
    holder.wait()
    lock = FileLock(path, is_singleton=False)
    assert path.exists() and worker._wait_for_turn(run, lock, GOING_ON)
    lock.release()


SERVER = """
import time
from vision_app.training import jobs
from vision_app.training.recipe import make_config
print(jobs.start(make_config("digits", "lenet5", {"epochs": 3, "train_limit": 400})).name, flush=True)
time.sleep(600)
"""


def test_a_run_outlives_the_server_that_started_it_and_the_next_one_finds_it() -> None:
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    name = server.stdout.readline().strip()
    server.kill()
    server.wait()
    (run,) = list_runs()
    assert run.name == name
    limit = time.monotonic() + 120
    while run.state() in ("queued", "running") and time.monotonic() < limit:
        time.sleep(0.1)
    assert run.state() == "completed", run.log_tail()
    lines = run.history()
    assert [line["epoch"] for line in lines if line["kind"] == "epoch"] == [1, 2, 3]
    assert max(line["step"] for line in lines) == 3 * run.status().steps_per_epoch - 1


@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_clock_that_jumps_makes_no_time_negative(jump: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run = small_run()
    writer = HistoryWriter(run, LearningRate(run.config(), 2, 0, 2), 32, 2, 2)
    run.update_status(state="running", started=time.time(), pid=os.getpid(), pid_started=psutil.Process().create_time())
    real, shift = time.time, [0]
    monkeypatch.setattr(time, "time", lambda: real() + shift[0])
    writer.on_epoch_begin(0)
    writer._write("batch", 0.5, loss=1.0, accuracy=0.5, images_per_second=10.0)
    shift[0] = jump
    writer._write("epoch", 1, loss=1.0, accuracy=0.5, val_loss=1.0, val_accuracy=0.5, seconds=0.1)
    progress = read_progress(run)
    assert progress.elapsed_seconds >= 0 and (progress.remaining_seconds or 0) >= 0
    assert [line["kind"] for line in run.history()] == ["batch", "epoch"]


@pytest.mark.parametrize("half", ['{"kind": "batch", "st', ""])
def test_half_a_line_of_a_full_disk_spoils_no_other(half: str) -> None:
    run = small_run()
    run.append_history(kind="batch", step=0)
    run.append_history(kind="batch", step=1)
    with run.history_file.open("a") as file:
        file.write(half)
    run.append_history(kind="resume", step=1)
    run.append_history(kind="batch", step=1)
    assert [line["step"] for line in run.history()] == [0, 1]
    assert len(run.history_file.read_text().splitlines()) == 4 + bool(half)
