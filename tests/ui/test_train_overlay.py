"""Several runs in the plots of the Train tab."""

import re

from tests.ui.stored_runs import batch_line, epoch_line, write_history
from vision_app.figures.curves import RUN_COLOURS
from vision_app.runs import Run, create_run
from vision_app.training.recipe import make_config
from vision_app.ui import train_overlay
from vision_app.ui.train_runs import traces
from vision_app.ui.train_table import runs_html
from vision_app.ui.train_view import live_html


def finished(model: str = "simple_cnn", dataset: str = "digits", **fields: object) -> Run:
    run = create_run(make_config(dataset, model, fields))
    write_history(run, [epoch_line(1, 1.0, 1.1), epoch_line(2, 0.5, 0.6)], state="completed", best_epoch=2)
    return run


def test_runs_are_called_by_what_sets_them_apart() -> None:
    def called(*runs: Run) -> list[str]:
        return list(train_overlay.labels(runs).values())

    first, second = finished(learning_rate=0.01), finished(learning_rate=0.1)
    assert called(first, second) == ["learning rate 0.01", "learning rate 0.1"]
    assert called(first, finished("lenet5")) == ["Simple CNN", "LeNet-5"]
    assert called(first, second, finished("lenet5")) == [
        "Simple CNN, learning rate 0.01", "Simple CNN, learning rate 0.1", "LeNet-5, learning rate 0.001"
    ]  # fmt: skip
    assert called(first, finished(dataset="shapes")) == ["Digits 8 x 8", "Shapes"]
    twin = finished(learning_rate=0.01)
    assert len(set(called(first, twin))) == 2
    assert len(set(called(first, twin, second))) == 3


def test_ticks_come_and_go_and_there_are_no_more_than_colours() -> None:
    names = [finished(seed=seed).name for seed in range(len(RUN_COLOURS) + 1)]
    text = ""
    for name in names:
        text = train_overlay.toggle_beside(text, name)
    assert train_overlay.read_beside(text) == names[:-1]
    page = runs_html("", names[:-1])
    assert page.count(" checked>") == len(RUN_COLOURS) and page.count(" disabled>") == 1
    text = train_overlay.toggle_beside(text, names[0])
    assert train_overlay.read_beside(text) == names[1:-1]
    assert train_overlay.toggle_beside("", "nope") == "" and train_overlay.read_beside("nope,../x") == []


def test_the_chosen_run_is_drawn_with_the_ticked_ones_and_colours_stay() -> None:
    a, b, c = (finished(seed=seed) for seed in range(3))
    assert train_overlay.drawn_together(a.name, "") == []
    assert train_overlay.drawn_together(a.name, a.name) == []
    assert train_overlay.drawn_together(a.name, f"{b.name},{a.name}") == [b, a]
    assert train_overlay.drawn_together(c.name, f"{b.name},{a.name}") == [b, a, c]
    (c.path / "config.json").write_text("{")
    assert train_overlay.drawn_together(c.name, f"{b.name},{a.name}") == [b, a]
    row = re.search(rf'--vw-mine: ([^"]*)"><input[^>]*data-run="{a.name}"', runs_html("", [], [b.name, a.name]))
    assert row[1] == RUN_COLOURS[1]


def test_all_of_them_are_drawn_in_the_place_of_one() -> None:
    runs = [finished(seed=seed) for seed in range(3)]
    alone, together = live_html(runs[0], False), live_html(runs[0], True, smoothing=0.5, together=runs)
    assert alone.count("<polyline") == 2  # no batches: validation of loss and accuracy
    assert together.count("<polyline") == 2 * 3 * 2 * 2  # plots, runs, kinds, pale and smoothed
    assert "seed 2, validation" in together and "Loss, logarithmic" in together


def test_one_run_is_smoothed_and_its_validation_stays_as_measured() -> None:
    run = finished()
    write_history(run, [*(batch_line(step, 2.0 - step % 2) for step in range(20)), epoch_line(2, 0.5, 0.6)])
    assert live_html(run, False).count("<polyline") == 4
    smooth = live_html(run, False, smoothing=0.9)
    assert smooth.count("<polyline") == 6 and smooth.count('opacity="0.3"') == 2
    assert traces(run.name, False) != traces(run.name, False, smoothing=0.9)


def test_a_ticked_run_that_goes_on_is_new_to_show() -> None:
    a, b = finished(seed=1), finished(seed=2)
    before = traces(a.name, False, beside=b.name)
    assert before == traces(a.name, False, beside=b.name) != traces(a.name, False)
    b.append_history(**epoch_line(3, 0.1, 0.2))
    assert traces(a.name, False, beside=b.name) != before


def test_a_run_without_an_epoch_keeps_the_colours_of_the_others() -> None:
    waiting, done = create_run(make_config("digits", "lenet5", {})), finished()
    drawn = live_html(done, False, together=[waiting, done])
    assert f"stroke:{RUN_COLOURS[1]}" in drawn and f"stroke:{RUN_COLOURS[0]}" not in drawn
