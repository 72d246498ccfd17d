"""The run directory: what is written survives a crash, and what is read tells the truth."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from vision_app import runs
from vision_app.config import RunConfig
from vision_app.errors import InputError
from vision_app.runs import Run, Status, create_run, list_checkpoints, list_models, list_runs, resolve, write_atomic


@pytest.fixture(autouse=True)
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in place of the shipped checkpoints."""
    monkeypatch.setenv("VISION_APP_CHECKPOINTS", str(tmp_path / "checkpoints"))
    return tmp_path / "checkpoints"


def write_run(path: Path, state: str = "completed", created: float = 1.0, model: bool = True, **status: object) -> Run:
    path.mkdir(parents=True)
    (path / "config.json").write_text(RunConfig().to_json())
    if model:
        (path / "model.keras").write_bytes(b"weights")
    Run(path).write_status(Status(state=state, created=created, **status))
    return Run(path)


def hidden_files(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("data", [b"new \xff", "new \u00fc"])
def test_a_file_is_replaced(tmp_path: Path, data: bytes | str) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    write_atomic(path, data)
    assert path.read_bytes() == (data if isinstance(data, bytes) else data.encode())
    assert path.stat().st_mode & 0o777 == 0o644
    assert hidden_files(tmp_path) == []


@pytest.mark.parametrize("moment", ["os.fsync", "pathlib.Path.chmod", "pathlib.Path.replace"])
def test_a_failure_at_any_moment_leaves_the_old_content(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(moment, fail)
    with pytest.raises(OSError, match="No space"):
        write_atomic(path, "new")
    assert path.read_text() == "old" and hidden_files(tmp_path) == []


def test_bytes_are_on_the_disk_before_the_name_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, calls = tmp_path / "file", []
    path.write_text("old")
    replace = Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: calls.append(("fsync", path.read_text())))

    def watch(temporary: Path, target: Path) -> None:
        calls.append(("replace", temporary.read_text()))
        replace(temporary, target)

    monkeypatch.setattr(Path, "replace", watch)
    write_atomic(path, "new")
    assert calls == [("fsync", "old"), ("replace", "new")]


KILLED = """
import os, sys
from pathlib import Path
from vision_app.runs import write_atomic
os.fsync = lambda number: os.kill(os.getpid(), 9)
write_atomic(Path(sys.argv[1]), "new")
"""


def test_a_killed_writer_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "status.json"
    path.write_text("old")
    root = Path(__file__).parents[1]
    result = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=root, timeout=60)
    assert result.returncode == -9
    assert path.read_text() == "old"


def test_a_new_run_is_queued_and_holds_its_config() -> None:
    config = RunConfig(dataset="shapes", model="lenet5", seed=9, augmentation={"flip": 0.5})
    run = create_run(config)
    assert run.config() == config
    assert run.status().state == "queued" and abs(run.status().created - time.time()) < 5
    assert run.name.endswith(run.path.name) and "-shapes-lenet5-" in run.name
    assert run.history() == [] and run.report() is None and run.log_tail() == ""
    assert list_runs() == [run] and not run.is_checkpoint


@pytest.mark.parametrize("dataset", ["/some/where/my pictures", "hub:owner/name@main", "a\u00e9/..", "x" * 200])
def test_run_names_are_file_names(dataset: str) -> None:
    run = create_run(RunConfig(dataset=dataset))
    assert run.path.parent == runs.runs_root() and not set(run.name) & set(' /:@."')
    assert resolve(run.name) == run


def test_runs_are_listed_newest_first(tmp_path: Path) -> None:
    for name, created in (("b", 2), ("a", 3), ("d", 1), ("c", 3)):
        write_run(tmp_path / "runs" / name, created=created)
    (tmp_path / "runs" / "no-run").mkdir()
    (tmp_path / "runs" / "file").write_text("")
    assert [run.name for run in list_runs()] == ["c", "a", "b", "d"]


def test_models_are_checkpoints_by_name_then_runs(tmp_path: Path, checkpoints: Path) -> None:
    assert list_models() == list_runs() == list_checkpoints() == []
    write_run(checkpoints / "zebra", created=5)
    write_run(checkpoints / "ant", created=1)
    write_run(tmp_path / "runs" / "old", created=1)
    write_run(tmp_path / "runs" / "new", created=2)
    write_run(tmp_path / "runs" / "untrained", created=3, model=False)
    assert [run.name for run in list_models()] == ["ant", "zebra", "new", "old"]
    assert [run.is_checkpoint for run in list_models()] == [True, True, False, False]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"state": "dancing", "created": 1}', "\udcff\udcfe"])
def test_one_damaged_status_does_not_hide_the_other_runs(tmp_path: Path, content: str) -> None:
    write_run(tmp_path / "runs" / "good", created=5)
    bad = write_run(tmp_path / "runs" / "bad", created=9)
    (bad.path / "status.json").write_bytes(content.encode(errors="surrogateescape"))
    assert [run.name for run in list_runs()] == ["good", "bad"]
    assert resolve("latest").name == "good"
    with pytest.raises(InputError, match=r"The status.json of 'bad' is damaged"):
        bad.status()


@pytest.mark.parametrize("content", [b"[" * 5000, None])
def test_what_cannot_even_be_parsed_hides_no_run(tmp_path: Path, content: bytes | None) -> None:
    write_run(tmp_path / "runs" / "good")
    bad = write_run(tmp_path / "runs" / "bad", created=9)
    (bad.path / "status.json").unlink()
    if content is None:
        (bad.path / "status.json").mkdir()
    else:
        (bad.path / "status.json").write_bytes(content)
    (tmp_path / "runs" / "odd" / "config.json").mkdir(parents=True)
    (tmp_path / "runs" / "odd" / "status.json").write_text("{}")
    assert [run.name for run in list_runs()] == ["good", "bad"]
    assert bad.state() == "damaged"


def test_lines_of_the_history_that_are_no_records_are_left_out(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    run.history_file.write_bytes(b'[1]\n5\n\xff\xfe\n{"kind": "batch", "step": 1}\n')
    assert [line["step"] for line in run.history()] == [1]


def test_a_runs_folder_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("VISION_APP_RUNS", str(tmp_path / "file"))
    with pytest.raises(InputError, match="Cannot make the folder of the runs"):
        create_run(RunConfig())


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b'{"epochs": 0}', b'{"unknown": 1}'])
def test_a_damaged_config_is_told(tmp_path: Path, content: bytes) -> None:
    run = write_run(tmp_path / "runs" / "bad")
    (run.path / "config.json").write_bytes(content)
    with pytest.raises(
        InputError, match=r"config.json of 'bad' is damaged|\(epochs\) should be|Unknown field 'unknown'"
    ):
        run.config()


def test_what_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"'{tmp_path.name}' is not a run: its config.json is missing"):
        Run(tmp_path).config()


def test_resolve(tmp_path: Path, checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = write_run(checkpoints / "shipped")
    old = write_run(tmp_path / "runs" / "old", created=1)
    new = write_run(tmp_path / "runs" / "new", created=2)
    elsewhere = write_run(tmp_path / "else" / "where")
    write_run(tmp_path / "runs" / "shipped", created=0)
    assert resolve("shipped") == shipped and resolve("shipped").is_checkpoint
    assert resolve("old") == old and resolve("latest") == new
    assert resolve(str(elsewhere.path)) == elsewhere
    monkeypatch.chdir(tmp_path / "else")
    assert resolve("where") == elsewhere and resolve("./where").path == elsewhere.path
    assert resolve(str(shipped.path)).is_checkpoint


@pytest.mark.parametrize(
    "model", ["", ".", "..", "/", "nothing", "../runs", "a/b", "x" * 300, "zero\0byte", "~", "\u00fc" * 200]
)
def test_what_cannot_be_resolved_is_refused(model: str, checkpoints: Path) -> None:
    write_run(checkpoints / "shipped")
    with pytest.raises(InputError, match=r"Unknown model .*Expected a run id, `latest`.*shipped"):
        resolve(model)


def test_latest_needs_a_run() -> None:
    with pytest.raises(InputError, match="There is no latest run yet: train one first"):
        resolve("latest")


def batch(step: int) -> dict:
    return {"kind": "batch", "step": step}


def test_half_a_last_line_is_ignored(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    lines = [json.dumps(batch(step)) for step in range(3)]
    for cut in range(len(lines[2])):
        run.history_file.write_text("\n".join(lines[:2]) + "\n" + lines[2][:cut])
        assert run.history() == [batch(0), batch(1)]
    run.history_file.write_text("\n".join(lines))
    assert len(run.history()) == 3


def test_a_resumed_run_drops_what_it_did_again(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    epoch = {"kind": "epoch", "step": 4, "epoch": 1}
    first = [batch(2), epoch, batch(6), batch(8)]
    resumed = [{"kind": "resume", "step": 5}, batch(7), {"kind": "resume", "step": 7}, batch(9)]
    run.history_file.write_text("".join(json.dumps(line) + "\n" for line in first + resumed))
    assert run.history() == [batch(2), epoch, batch(9)]


def test_the_end_of_the_log(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run")
    run.log_file.write_bytes(b"\xff" + b"".join(b"line %d\n" % number for number in range(10_000)))
    assert run.log_tail(3) == "line 9997\nline 9998\nline 9999"
    run.log_file.write_bytes(b"caf\xc3")
    assert run.log_tail() == "caf\ufffd"


@pytest.fixture
def sleeper() -> Iterator[psutil.Popen]:
    """A living process of our own."""
    process = psutil.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    if process.is_running():
        process.kill()
    process.wait()


def status_of(tmp_path: Path, **status: object) -> Status:
    return write_run(tmp_path / "run", **status).status()


@pytest.mark.parametrize("name", ["here", "..", "./here"])
def test_a_page_opens_no_folder(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(tmp_path / "here")
    (tmp_path / "config.json").write_text("{}")  # in the folder above the runs
    monkeypatch.chdir(tmp_path)
    if name != "..":
        assert resolve(name).path == tmp_path / "here"
    with pytest.raises(InputError, match="Unknown model"):
        resolve(name, paths=False)


@pytest.mark.parametrize("state", ["queued", "running"])
def test_a_living_worker_runs(tmp_path: Path, state: str, sleeper: psutil.Popen) -> None:
    assert status_of(tmp_path, state=state, pid=sleeper.pid, pid_started=sleeper.create_time()).state == state


def test_a_dead_worker_was_interrupted(tmp_path: Path, sleeper: psutil.Popen) -> None:
    started = sleeper.create_time()
    sleeper.kill()
    deadline = time.time() + 20
    while sleeper.status() != psutil.STATUS_ZOMBIE and time.time() < deadline:
        time.sleep(0.01)
    run = write_run(tmp_path / "run", "running", pid=sleeper.pid, pid_started=started)
    assert run.status().state == "interrupted"  # dead, but nobody has collected it yet
    sleeper.wait()
    assert run.status().state == "interrupted"
    assert "the best model so far is kept" in run.status().message
    assert json.loads((run.path / "status.json").read_text())["state"] == "running"  # readers write nothing


def test_a_process_number_given_out_again_is_another_process(tmp_path: Path, sleeper: psutil.Popen) -> None:
    status = status_of(tmp_path, state="running", pid=sleeper.pid, pid_started=sleeper.create_time() - 60)
    assert status.state == "interrupted"


@pytest.mark.parametrize(("age", "state"), [(0, "queued"), (50, "queued"), (70, "interrupted")])
def test_a_worker_gets_a_minute_to_start(tmp_path: Path, age: float, state: str) -> None:
    assert status_of(tmp_path, state="queued", created=time.time() - age).state == state


@pytest.mark.parametrize("state", ["completed", "stopped", "failed", "interrupted"])
def test_what_has_ended_needs_no_process(tmp_path: Path, state: str) -> None:
    assert status_of(tmp_path, state=state, pid=1, pid_started=0.0, message="as it was").message == "as it was"


def test_status_changes_keep_the_rest(tmp_path: Path) -> None:
    run = write_run(tmp_path / "run", best_epoch=3)
    assert run.update_status(message="Testing", best_value=0.5) == run.status()
    assert (run.status().best_epoch, run.status().best_value, run.status().state) == (3, 0.5, "completed")


def test_a_real_run(trained_run: Run) -> None:
    status, history = trained_run.status(), trained_run.history()
    assert status.state == "completed" and status.num_train == pytest.approx(360, abs=10)
    assert [line["epoch"] for line in history if line["kind"] == "epoch"] == [1, 2]
    assert status.steps_per_epoch * 2 == history[-1]["step"] + 1
    assert trained_run.model_file.exists() and trained_run.tflite_file.exists()
    assert trained_run.report()["count"] == 359
    assert status.created <= status.started <= status.finished
