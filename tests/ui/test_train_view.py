"""What the Train tab says, from run directories written by hand."""

import json
import time
from pathlib import Path

import pytest

from vision_app.runs import Run, create_run, list_runs
from vision_app.training.recipe import make_config
from vision_app.ui import train_view


def epoch(number: int, loss: float, val_loss: float) -> dict:
    values = {"loss": loss, "val_loss": val_loss, "accuracy": 0.5, "val_accuracy": 0.5}
    return {"kind": "epoch", "step": number * 10 - 1, "epoch": number, "time": 0.0, "learning_rate": 0.1, **values}


def batch(step: int, loss: float) -> dict:
    place = {"kind": "batch", "step": step, "epoch": (step + 1) / 10, "time": 1000.0 + step}
    return {**place, "loss": loss, "accuracy": 0.5, "learning_rate": 0.1, "images_per_second": 500.0}


@pytest.fixture
def run() -> Run:
    return create_run(make_config("digits", "simple_cnn", {"epochs": 4}))


def write(run: Run, lines: list[dict], **status: object) -> None:
    run.history_file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run.update_status(**status)


def test_without_a_run_the_page_says_what_to_do() -> None:
    assert "Press Start" in train_view.live_html(None, False)
    assert "No runs yet" in train_view.runs_html("")


def test_a_running_run_shows_its_progress_in_numbers(run: Run) -> None:
    import psutil

    me = psutil.Process()
    write(
        run,
        [batch(step, 2.0 - step / 20) for step in range(15)],
        state="running",
        pid=me.pid,
        pid_started=me.create_time(),
        started=time.time() - 75,
        steps_per_epoch=10,
        device="CPU, 2 cores",
    )
    text = train_view.live_html(run, False)
    assert "2 of 4" in text
    assert "500 images/s" in text
    assert "1 min 15 s" in text
    assert 'aria-valuenow="37.5"' in text
    assert "CPU, 2 cores" in text
    assert text.count("<svg height") == 2


def test_the_best_epoch_is_the_title_of_the_curve(run: Run) -> None:
    lines = [epoch(1, 1.0, 1.0), epoch(2, 0.5, 0.6)]
    write(run, lines, state="completed", started=0.0, finished=9.0, best_epoch=2, best_value=0.5, steps_per_epoch=10)
    assert "Loss. Best at epoch 2" in train_view.live_html(run, False)


@pytest.mark.parametrize(
    ("losses", "since"),
    [
        ([(1.0, 1.0), (0.5, 0.6), (0.4, 0.5), (0.3, 0.48)], None),  # still falling
        ([(1.0, 1.0), (0.5, 0.5), (0.3, 0.8), (0.2, 0.9), (0.1, 1.0)], 2),
        ([(1.0, 1.0), (0.5, 0.5), (0.3, 0.51), (0.2, 0.5), (0.1, 0.51)], None),  # flat is not rising
        ([(1.0, 1.0), (0.5, 0.5), (0.6, 0.8), (0.7, 0.9), (0.8, 1.0)], None),  # training gets worse too
        ([(1.0, 0.5), (0.3, 0.8), (0.2, 0.9)], None),  # too early to say
    ],
)
def test_overfitting_is_a_clear_rise_while_training_still_improves(losses: list, since: int | None) -> None:
    epochs = [epoch(number, *pair) for number, pair in enumerate(losses, 1)]
    assert train_view.overfitting_since(epochs) == since


def test_a_failed_run_shows_why_and_the_end_of_its_log(run: Run) -> None:
    run.log_file.write_text("first\n" * 50 + "ValueError: <b>bad</b>\n")
    write(run, [], state="failed", message="The disk is <full>.")
    text = train_view.live_html(run, False)
    assert "The disk is &lt;full&gt;." in text
    assert "ValueError: &lt;b&gt;bad&lt;/b&gt;" in text
    assert 'role="alert"' in text


def test_a_worker_that_died_is_shown_as_interrupted(run: Run) -> None:
    write(run, [batch(0, 2.0)], state="running", pid=2**22 + 1, pid_started=1.0, started=1.0)
    assert "Interrupted" in train_view.live_html(run, False)
    assert "vw-interrupted" in train_view.runs_html(run.name)


def test_the_table_survives_a_damaged_run(run: Run) -> None:
    other = create_run(make_config("digits", "lenet5", {}))
    (other.path / "config.json").write_text("{broken")
    text = train_view.runs_html(run.name)
    assert "damaged" in text
    assert f'data-run="{run.name}" aria-pressed="true"' in text


def test_only_plain_names_of_runs_are_found(run: Run, tmp_path: Path) -> None:
    assert train_view.find_run(run.name) == run
    assert train_view.find_run(str(run.path)) is None
    assert train_view.find_run(f"../runs/{run.name}") is None
    assert train_view.find_run("") is None


def test_a_damaged_run_is_one_more_trace(run: Run) -> None:
    (run.path / "status.json").write_text("{")
    assert train_view.traces("", False)[1][0][2] == "damaged"


def test_traces_change_when_there_is_something_new_to_show(run: Run) -> None:
    write(run, [batch(0, 2.0)], state="completed")
    before = train_view.traces(run.name, False)
    assert train_view.traces(run.name, False) == before
    assert train_view.traces(run.name, True) != before
    with run.history_file.open("a") as file:
        file.write(json.dumps(batch(1, 1.0)) + "\n")
    after = train_view.traces(run.name, False)
    assert after != before
    create_run(make_config("digits", "lenet5", {}))
    assert train_view.traces(run.name, False) != after
    assert len(list_runs()) == 2


def test_facts_say_that_small_pictures_are_enlarged() -> None:
    assert "enlarged to 28 × 28" in train_view.facts("digits", "simple_cnn", None)
    assert "enlarged" not in train_view.facts("shapes", "simple_cnn", None)
    assert "reduced to 24 × 24" in train_view.facts("shapes", "simple_cnn", 24)


def test_facts_say_what_has_to_be_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_APP_DATA", str(tmp_path))
    assert "Downloads 170.1 MB first" in train_view.facts("cifar10", "fast_cnn", None)
