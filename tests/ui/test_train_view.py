"""What the Train tab says, from run directories written by hand."""

import re
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.ui.stored_runs import batch_line, epoch_line, write_history
from vision_app.runs import Run, create_run
from vision_app.training.recipe import make_config
from vision_app.ui import train_view


@pytest.fixture
def run() -> Run:
    return create_run(make_config("digits", "simple_cnn", {"epochs": 4}))


def alive(**changes: Any) -> dict[str, Any]:
    """Return the status of a run whose process lives: this one."""
    me = psutil.Process()
    begun = {"started": time.time() - 75, "steps_per_epoch": 10, "device": "CPU, 2 cores"}
    return {"state": "running", "pid": me.pid, "pid_started": me.create_time(), **begun, **changes}


def state_of(text: str) -> str:
    return re.search(r'role="status">([^<]*)<', text).group(1)


def left_of(text: str) -> str:
    return re.search(r"<dt>Left</dt><dd>([^<]*)<", text).group(1)


def titles_of(text: str) -> list[str]:
    return re.findall(r"<figcaption>([^<]*)<", text)


def test_without_a_run_the_page_says_what_to_do() -> None:
    text = train_view.live_html(None, False)
    assert "Press Start" in text
    assert not re.search(r"\d+ seconds", text)


def test_a_running_run_shows_its_progress_in_numbers(run: Run) -> None:
    write_history(run, [batch_line(step, 2.0 - step / 20) for step in range(15)], **alive())
    text = train_view.live_html(run, False)
    assert "2 of 4" in text
    assert "500 images/s" in text
    assert "1 min 15 s" in text
    assert 'aria-valuenow="37.5"' in text
    assert "CPU, 2 cores" in text
    assert text.count("<svg height") == 2
    assert (state_of(text), titles_of(text)) == ("Running", ["Loss", "Accuracy"])


def test_the_last_epoch_is_said_to_be_the_last(run: Run) -> None:
    write_history(run, [batch_line(step, 2.0) for step in range(15)], **alive())
    run.state_folder.mkdir()
    run.last_epoch_file.touch()
    text = train_view.live_html(run, False)
    assert state_of(text) == "In its last epoch" and "It ends after this epoch" in text
    assert state_of(train_view.live_html(run, False, stopping=True)) == "Stopping"


def test_what_is_left_is_told_no_finer_than_it_is_known(run: Run) -> None:
    now = time.time()
    lines = [batch_line(step, 2.0) | {"time": now - 29 * (9 - step)} for step in range(10)]
    write_history(run, lines, **alive())
    assert left_of(train_view.live_html(run, False)) in ("about 14 min", "about 15 min")


def test_the_best_epoch_is_the_title_of_the_curve(run: Run) -> None:
    lines = [epoch_line(1, 1.0, 1.0), epoch_line(2, 0.5, 0.6)]
    best = {"best_epoch": 2, "best_value": 0.5}
    write_history(run, lines, state="completed", started=0.0, finished=9.0, steps_per_epoch=10, **best)
    assert titles_of(train_view.live_html(run, False)) == ["Loss: best at epoch 2", "Accuracy"]


def test_no_epoch_is_called_the_best_where_the_last_is_kept() -> None:
    run = create_run(make_config("digits", "lenet5", {"monitor": "last_epoch"}))
    lines = [epoch_line(1, 1.0, 0.6), epoch_line(2, 0.5, 0.9)]
    kept = {"best_epoch": 2, "best_value": 0.75}
    write_history(run, lines, state="completed", started=0.0, finished=9.0, steps_per_epoch=10, **kept)
    text = train_view.live_html(run, False)
    assert titles_of(text) == ["Loss", "Accuracy"] and "<dt>Kept</dt><dd>75.00 % (epoch 2)</dd>" in text
    write_history(run, lines, **alive(), **kept)
    text = train_view.live_html(run, False, stopping=True)
    assert "the model of the last whole epoch is kept and tested" in text
    run.state_folder.mkdir()
    run.last_epoch_file.touch()
    assert "It ends after this epoch; its model is kept and tested" in train_view.live_html(run, False)


def test_what_is_wrong_is_the_title_and_said_in_a_sentence(run: Run) -> None:
    lines = [epoch_line(number, 4e12 / 10**number, 1.0 + number / 10, 0.1) for number in range(1, 6)]
    write_history(run, lines, state="completed", started=0.0, finished=9.0, best_epoch=1, best_value=0.1)
    text = train_view.live_html(run, False)
    assert titles_of(text)[0] == "Loss: training diverges"
    assert "learning rate of 0.001 is too high" in text
    assert "Overfitting" not in text


def test_a_loss_that_rounding_took_below_zero_draws_no_negative_axis(run: Run) -> None:
    lines = [batch_line(step, loss) for step, loss in enumerate([4e12, -1e5, -2e11, 30])]
    write_history(run, lines, state="completed", started=0.0, finished=9.0)
    labels = re.findall(r'text-anchor="end">([^<]*)</text>', train_view.live_html(run, False))
    assert "4e12" in labels
    assert not [label for label in labels if label.startswith("-")]


def test_after_stop_it_says_so_until_the_model_is_tested(run: Run) -> None:
    lines = [batch_line(step, 2.0) for step in range(15)]
    write_history(run, lines, **alive())
    text = train_view.live_html(run, False, stopping=True)
    assert (state_of(text), left_of(text)) == ("Stopping", "-")
    assert "the best model so far is kept and tested" in text
    run.update_status(seconds=9.0)  # noted between the training and the test
    assert state_of(train_view.live_html(run, False, stopping=True)) == "Stopping"
    run.update_status(message="Testing the best model")
    text = train_view.live_html(run, False, stopping=True)
    assert (state_of(text), left_of(text)) == ("Testing the best model", "-")
    run.update_status(state="stopped", message="")
    assert state_of(train_view.live_html(run, False, stopping=True)) == "Stopped"


def test_a_run_that_waits_promises_no_model_when_it_is_stopped(run: Run) -> None:
    waiting = train_view.live_html(run, False, stopping=True)
    assert state_of(waiting) == "Stopping"
    assert "leaves the queue" in waiting and "kept" not in waiting
    assert "The curve starts with the first batch." in train_view.live_html(run, False)
    run.update_status(state="stopped", finished=time.time())
    stopped = train_view.live_html(run, False)
    assert state_of(stopped) == "Stopped before it began"
    assert "no model and no curve" in stopped
    assert "The curve starts" not in stopped


def test_a_run_that_waits_to_go_on_loses_nothing_when_it_is_stopped(run: Run) -> None:
    write_history(run, [batch_line(step, 2.0) for step in range(15)], asked=time.time())
    waiting = train_view.live_html(run, False, stopping=True)
    assert "what it has learned is kept" in waiting and "<dt>Elapsed</dt><dd>-<" in waiting
    run.model_file.write_bytes(b"model")
    run.update_status(state="stopped", finished=time.time())
    stopped = train_view.live_html(run, False)
    assert state_of(stopped) == "Stopped" and "not tested" in stopped and "no model" not in stopped
    run.report_file.write_text('{"accuracy": 0.5, "count": 10}')
    assert "not tested" not in train_view.live_html(run, False)


def test_a_run_that_is_stopped_while_it_downloads_has_no_model(run: Run) -> None:
    run.update_status(state="stopped", started=time.time() - 9, finished=time.time())
    stopped = train_view.live_html(run, False)
    assert state_of(stopped) == "Stopped" and "there is no model" in stopped and "kept" not in stopped


def test_a_failed_run_shows_why_and_the_end_of_its_log(run: Run) -> None:
    run.log_file.write_text("first\n" * 50 + "ValueError: <b>bad</b>\n")
    write_history(run, [], state="failed", message="The disk is <full>.")
    text = train_view.live_html(run, False)
    assert "The disk is &lt;full&gt;." in text
    assert "ValueError: &lt;b&gt;bad&lt;/b&gt;" in text
    assert 'role="alert"' in text


@pytest.mark.parametrize(("saved", "words"), [(True, "the best model so far is kept"), (False, "no model yet to keep")])
def test_an_interrupted_run_claims_only_the_model_there_is(run: Run, saved: bool, words: str) -> None:
    write_history(run, [batch_line(0, 2.0)], state="interrupted", started=1.0, finished=2.0)
    if saved:
        run.model_file.write_bytes(b"model")
    assert words in train_view.live_html(run, False)


def test_a_worker_that_died_is_shown_as_interrupted(run: Run) -> None:
    write_history(run, [batch_line(0, 2.0)], state="running", pid=2**22 + 1, pid_started=1.0, started=1.0)
    assert state_of(train_view.live_html(run, False)) == "Interrupted"


def test_facts_say_that_small_pictures_are_enlarged() -> None:
    assert "enlarged to 28 × 28" in train_view.facts("digits", "simple_cnn", None)
    assert "enlarged" not in train_view.facts("shapes", "simple_cnn", None)
    assert "reduced to 24 × 24" in train_view.facts("shapes", "simple_cnn", 24)
    assert "Inside, it enlarges them" in train_view.facts("cifar10", "resnet50", None)
    assert "Inside" not in train_view.facts("cifar10", "resnet50", 96) + train_view.facts("cifar10", "resnet18", None)


@pytest.mark.parametrize("size", [-3, 2.5, 4000])
def test_facts_promise_no_size_that_the_network_cannot_take(size: float) -> None:
    text = train_view.facts("shapes", "simple_cnn", size)
    assert "10 to 256 pixels a side" in text
    assert "reduced" not in text and "enlarged" not in text


def test_facts_say_what_has_to_be_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_APP_DATA", str(tmp_path))
    assert "Downloads 170.1 MB first" in train_view.facts("cifar10", "fast_cnn", None)


def test_what_is_wrong_with_the_data_is_said_with_a_way_to_see_it() -> None:
    said = train_view.data_faults("my set", {"checked": ["broken", "blur"], "findings": {"broken": 1200, "blur": 3}})
    assert (
        "In the dataset as published, broken files: 1,200, blurred pictures: 3" in said and "2 kinds of faults" in said
    )
    assert 'href="?tab=browse&amp;dataset=my+set&amp;split=all"' in said
    assert "Nothing wrong was found" in train_view.data_faults("digits", {"checked": ["broken"], "findings": {}})
    assert train_view.data_faults("digits", None) == ""
