"""Train in the page: watch a run, leave and come back, stop one, queue one, see why one failed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.browser.steps import choose, open_tab, parameter, wait_for
from tests.ui.stored_runs import write_failed_run
from vision_app.training.recipe import make_config
from vision_app.ui.run_names import short_names

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

MINUTES = 300_000  # milliseconds: what a run may take on a machine with other work
LOOK = """() => {
  const live = document.querySelector("#train-live"), line = live?.querySelector(".vw-plot-box polyline");
  return {
    state: live?.querySelector(".vw-live-head .vw-state")?.className.match(/vw-(?!state)(\\w+)/)[1],
    points: line ? line.points.numberOfItems : 0,
  };
}"""


def start(page: Page, epochs: int) -> str:
    """Start a run and return its name, once the address has it."""
    # Filled after the address has been: an older run there must not be taken for the new one.
    expect(page.locator("#train-runs .vw-runs, #train-runs .vw-empty").first).to_be_visible()
    before = parameter(page, "run")
    epochs_field = page.locator("#field-epochs input")
    epochs_field.fill(str(epochs))
    epochs_field.press("Tab")
    page.locator("#train-start").click()
    return wait_for(page, lambda: (name := parameter(page, "run")) != before and name, "the run in the address")


def look(page: Page) -> dict[str, Any]:
    """Return the state and the number of points of the training curve, as they stand in the page at one moment."""
    return page.evaluate(LOOK)


def more_points(page: Page, than: int, running: bool = False) -> dict[str, Any]:
    """Wait until the curve has more points; with `running`, while the run goes on."""

    def grown() -> dict[str, Any] | None:
        seen = look(page)
        assert not running or seen["state"] in (None, "queued", "running"), f"over too soon to be watched: {seen}"
        return seen if seen["points"] > than else None

    return wait_for(page, grown, f"more than {than} points", seconds=200)


def state_of(page: Page) -> Locator:
    return page.locator("#train-live .vw-live-head .vw-state")


def row_of(page: Page, run: str) -> Locator:
    return page.locator("#train-runs tr").filter(has=page.get_by_role("button", name=run))


def test_a_run_is_watched_left_and_found_again_until_it_is_completed(page: Page, runs_folder: Path) -> None:
    open_tab(page, "train")
    run = start(page, epochs=40)
    first = more_points(page, 1, running=True)
    second = more_points(page, first["points"], running=True)
    expect(page.locator("#train-live")).to_contain_text("of 40")

    page.reload()
    assert parameter(page, "run") == run
    third = more_points(page, second["points"] - 1)
    assert parameter(page, "run") == run

    other = page.context.new_page()
    open_tab(other, "train")  # shows the run that goes on
    more_points(other, third["points"] - 1)
    assert parameter(other, "run") == run
    for each in (page, other):
        expect(state_of(each)).to_have_text("Completed", timeout=MINUTES)
        expect(row_of(each, run)).to_contain_text("Completed")
    report = json.loads((runs_folder / run / "report.json").read_text())
    tested = f"Test accuracy {100 * report['accuracy']:.2f} % on {report['count']:,} images"
    expect(page.locator("#train-live")).to_contain_text(tested)
    assert report["accuracy"] > 0.9
    expect(page.locator("#train-live .vw-plot-box svg[role=img]")).to_have_count(2)
    expect(page.locator("#train-stop")).to_be_disabled()
    watch = page.locator("#train-watch-shown")
    expect(watch).to_contain_text(re.compile(r"After epoch \d+: 9\d\.\d\d % of 143 validation images are right"))
    expect(watch.locator(".vw-strip figure")).to_have_count(12)
    page.locator("#train-watch-epoch input[type=range]").press("Home")
    expect(watch).to_contain_text("Before training")
    expect(watch.locator(".vw-strip .vw-wrong").first).to_be_visible()


def test_a_run_is_stopped_keeps_its_best_and_lets_the_next_one_go(page: Page, runs_folder: Path) -> None:
    open_tab(page, "train")
    long = start(page, epochs=300)
    expect(page.locator("#train-live section")).to_have_attribute("aria-label", f"Run {long}")
    expect(page.locator("#train-live dl.vw-numbers")).to_contain_text("(epoch ", timeout=MINUTES)
    short = start(page, epochs=1)
    expect(state_of(page)).to_have_text("Waiting for the device")
    expect(row_of(page, short)).to_contain_text("Waiting for the device")
    expect(row_of(page, long)).to_contain_text("Running")

    row_of(page, long).get_by_role("button", name=long, exact=True).click()
    expect(page.locator("#train-live section")).to_have_attribute("aria-label", f"Run {long}")
    page.locator("#train-stop").click()
    expect(page.locator("#train-stop")).to_be_disabled()
    expect(state_of(page)).to_have_text(re.compile("Stop|Testing"))
    expect(state_of(page)).to_have_text("Stopped", timeout=MINUTES)
    expect(page.locator("#train-live")).to_contain_text("Test accuracy")
    status = json.loads((runs_folder / long / "status.json").read_text())
    assert status["state"] == "stopped" and status["best_epoch"] >= 1
    assert (runs_folder / long / "model.keras").stat().st_size > 10_000
    expect(row_of(page, short)).to_contain_text("Completed", timeout=MINUTES)

    page.locator("#train-resume").click()  # and stops it again, further on
    expect(state_of(page)).to_have_text("Running", timeout=MINUTES)
    expect(page.locator("#train-resume")).to_be_hidden()
    more_points(page, look(page)["points"], running=True)
    page.locator("#train-stop").click()
    expect(state_of(page)).to_have_text("Stopped", timeout=MINUTES)
    assert '"kind": "resume"' in (runs_folder / long / "history.jsonl").read_text()

    open_tab(page, "compare", models=f"{long},digits")
    legend = page.locator("#compare-details .vw-legend").first
    expect(legend).to_contain_text(f"{short_names([long])[long]}, validation")
    expect(legend).to_contain_text("digits, validation")


def test_several_are_tried_and_stopped_together(page: Page, runs_folder: Path) -> None:
    open_tab(page, "train")
    page.get_by_role("button", name="Try several").click()
    page.locator("#search-values-0 input, #search-values-0 textarea").fill("0.01, 0.02")
    page.locator("#search-start").click()
    search = page.locator("#train-search")
    expect(search).to_contain_text("0 of 2 runs done")
    page.reload()
    expect(search.get_by_role("button", name="learning rate 0.02")).to_be_visible()
    search.get_by_role("button", name="Stop all").click()
    expect(search.locator("tr", has_text="learning rate 0.02")).to_contain_text("Stopped")  # it waited
    search.get_by_role("button", name="learning rate 0.02").click()
    wait_for(
        page, lambda: parameter(page, "run") in [run.name for run in _searched(runs_folder)], "a run of the search"
    )


def _searched(folder: Path) -> list[Path]:
    return [file.parent for file in folder.glob("*/search.json")]


def test_a_failed_run_says_why(page: Page, runs_folder: Path) -> None:
    run = write_failed_run(runs_folder, "Out of memory. Use a smaller batch size, input size or model.")
    open_tab(page, "train", run=run)
    expect(state_of(page)).to_have_text("Failed")
    expect(page.locator("#train-live")).to_contain_text("Out of memory. Use a smaller batch size")
    expect(page.locator("#train-live")).to_contain_text("the last words of the log")
    expect(row_of(page, run)).to_contain_text("Failed")


def test_a_run_that_is_not_there_is_told(page: Page, runs_folder: Path) -> None:
    run = write_failed_run(runs_folder, "Out of memory.")
    open_tab(page, "train", run="nope")
    expect(page.locator("#train-notice")).to_contain_text("There is no run 'nope' here;")
    row_of(page, run).get_by_role("button", name=run, exact=True).click()
    expect(page.locator("#train-live section")).to_have_attribute("aria-label", f"Run {run}")
    expect(page.locator("#train-notice")).to_be_hidden()


@pytest.mark.parametrize(
    ("value", "rule"), [("-3", "greater than or equal to 1, got -3"), ("", "a whole number, got nothing")]
)
def test_an_impossible_number_is_refused_by_its_name(page: Page, value: str, rule: str) -> None:
    open_tab(page, "train")
    page.locator("#field-epochs input").fill(value)
    page.locator("#field-epochs input").press("Tab")
    page.locator("#train-start").click()
    expect(page.get_by_test_id("toast-body")).to_contain_text(f"Epochs (epochs) should be {rule}.")


def test_an_impossible_form_is_refused_in_words(page: Page) -> None:
    open_tab(page, "train")
    page.get_by_role("button", name="Advanced").click()
    for field in ("Dropout", "Training images"):
        expect(page.get_by_label(field)).to_have_value("")  # empty: the model's own, all of them
    page.locator("#field-warmup_epochs input").fill("50")
    page.locator("#field-warmup_epochs input").press("Tab")
    page.locator("#train-start").click()
    expect(page.get_by_test_id("toast-body")).to_contain_text("Warm-up epochs (warmup_epochs) must be below Epochs")


def test_a_run_is_measured_and_fitted_into_a_time(page: Page) -> None:
    open_tab(page, "train")
    page.locator("#train-minutes input, #train-minutes textarea").fill("0.5")
    before = page.locator("#field-epochs input").input_value()
    page.locator("#train-estimate").click()
    plan = page.locator("#train-plan")
    expect(plan).to_contain_text(re.compile("fits? into this time|takes .* s, so it learns once from"), timeout=MINUTES)
    expect(plan).to_contain_text("parameters")
    said = re.search(r"(\d+) epochs? fits?", plan.inner_text())
    expect(page.locator("#field-epochs input")).to_have_value(said[1] if said else "1")
    assert said is None or int(said[1]) <= 3 * int(before)


def test_the_schedule_is_drawn_as_the_form_says_and_an_estimate_goes_with_its_network(page: Page) -> None:
    open_tab(page, "train")
    schedule, plan = page.locator("#train-schedule"), page.locator("#train-plan")
    expect(schedule).to_contain_text("Learning rate: constant, 0.001")
    page.locator("#train-estimate").click()
    expect(plan).to_contain_text("parameters", timeout=MINUTES)
    choose(page, "train-model", "Fast CNN")
    expect(schedule).to_contain_text("Learning rate: triangular, at most 0.5")
    expect(plan).not_to_contain_text("parameters")
    page.locator("#field-learning_rate input").fill("0.25")
    expect(schedule).to_contain_text("at most 0.25")
    expect(page.locator("#field-batch_norm")).to_have_count(0)  # this network is built one way only


def test_the_settings_of_a_run_come_back_into_the_form(page: Page, runs_folder: Path) -> None:
    config = make_config("shapes", "resnet_small", {"epochs": 3, "augmentation": {"rotation": 25}, "dropout": 0.2})
    run = write_failed_run(runs_folder, "The disk is full.", config)
    open_tab(page, "train", run=run)
    page.locator("#train-copy").click()
    expect(page.locator("#train-model input")).to_have_value(re.compile(r"^ResNet, small \("))
    expect(page.locator("#train-dataset input")).to_have_value("Shapes")
    expect(page.locator("#field-epochs input")).to_have_value("3")
    expect(page.locator("#field-strength-rotation input[type=number]")).to_have_value("25")
    expect(page.locator("#train-facts")).to_contain_text("ResNet, small")


def test_the_page_of_a_network_opens_and_follows_the_choice(page: Page) -> None:
    open_tab(page, "train")
    page.locator("#train-about-fold > button").click()
    expect(page.locator("#train-about .katex").first).to_be_visible()
    figure = page.locator("#train-about-figures svg")
    expect(figure).to_have_attribute("aria-label", re.compile("^Simple CNN"))
    choose(page, "train-model", "LeNet-5")
    expect(figure).to_have_attribute("aria-label", re.compile("^LeNet-5"))
    expect(page.locator("#train-about")).to_contain_text("bank cheques")


def test_a_deleted_run_comes_back_and_a_note_is_kept(page: Page, runs_folder: Path) -> None:
    run = write_failed_run(runs_folder, "Out of memory.")
    open_tab(page, "train", run=run)
    field = page.locator("#train-note textarea, #train-note input").first
    field.fill("too wide")
    field.press("Tab")
    expect(row_of(page, run)).to_contain_text("too wide")
    page.get_by_role("button", name=f"Delete {run}").click()
    expect(row_of(page, run)).to_have_count(0)
    expect(page.locator("#train-runs-head")).to_contain_text(f"Deleted {run}.")
    assert parameter(page, "run") != run
    page.get_by_role("button", name="Undo").click()
    expect(row_of(page, run)).to_contain_text("too wide")
    expect(field).to_have_value("too wide")
    page.get_by_role("button", name=f"Star {run}").click()
    expect(page.locator("#train-runs tbody tr").first).to_contain_text(run)
    assert json.loads((runs_folder / run / "notes.json").read_text()) == {"star": True, "note": "too wide"}
