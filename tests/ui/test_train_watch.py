"""What is shown of a run's epochs, from files written by hand, and which epoch is shown."""

import re

import numpy as np
import pytest

from tests.ui.stored_runs import epoch_line, write_history
from vision_app.evaluation.epochs import summarize
from vision_app.explain.strip import Glimpse, Strip, write_glimpse, write_strip
from vision_app.runs import Run, create_run
from vision_app.training.recipe import make_config
from vision_app.ui import train_watch
from vision_app.ui.train_watch_view import epochs_to_see, traces, watch_html

HOSTILE = '<img src=x onerror="alert(1)">'


@pytest.fixture
def run() -> Run:
    """A run of two classes that has not begun."""
    return create_run(make_config("digits", "lenet5", {}).updated(classes=("cat", HOSTILE)))


def do_epoch(run: Run, epoch: int, hits: int, strip: bool = True) -> None:
    """Write an epoch after which so many of ten cats, and no others of ten, were right."""
    if epoch:
        result = summarize(epoch, np.array([[hits, 10 - hits], [10, 0]]), np.array([hits, 20 - hits]))
        with run.validation_file.open("a") as file:
            file.write(result.model_dump_json() + "\n")
        write_history(run, [epoch_line(number, 1, 1) for number in range(1, epoch + 1)])
    if strip:
        maps = np.zeros((2, 4, 4), np.uint8)
        maps[0, 1] = 255
        write_strip(run, Strip(np.full((2, 8, 8, 1), 40, np.uint8), np.array([0, 1])))
        write_glimpse(run, Glimpse(epoch, np.array([[0.75, 0.25], [0.875, 0.125]], np.float16), maps))


def said(html: str) -> str:
    """Return the text of a piece of HTML."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_a_run_without_such_files_shows_nothing(run: Run) -> None:
    assert epochs_to_see(run, run.epochs_done()) == []
    box, _, shown, _ = train_watch._look(run.name, ("", 0), ((), 0))
    assert box.visible is False and shown == ""
    assert train_watch._look("", ("", 0), (("before",), 0))[0].visible is False


def test_pictures_tell_what_they_were_taken_for_and_what_they_are(run: Run) -> None:
    for epoch, hits in ((0, 0), (1, 4), (2, 8)):
        do_epoch(run, epoch, hits)
    html = watch_html(run, 2)
    assert said(html).startswith("After epoch 2: 40.00 % of 20 validation images are right; macro F1 28.57 %.")
    assert "True class among the first 2: " in html
    first, second = re.findall(r"<figure class=\"vw-(?:right|wrong)\".*?</figure>", html)
    assert said(first) == "cat , 75.0 % right"
    assert said(second).startswith("cat , 87.5 % is &lt;img src") and "nothing speaks for &lt;img" in second
    assert "Grad-CAM for class cat: taken for cat, 75.0 %" in first and HOSTILE not in html
    assert html.count("data:image/png") == 4
    assert "Highest macro F1: 28.57 % at epoch 2" in html and "is the weakest, 0.0" in html
    assert "taken for cat, 10 of 10" in html and "No image was taken for" not in html
    assert "Before training" in watch_html(run, 0) and "below, after epoch 1" in watch_html(run, 0)


def test_classes_that_are_never_the_answer_are_named() -> None:
    run = create_run(make_config("digits", "lenet5", {}))
    confusion = np.zeros((10, 10), np.int64)
    confusion[:8, 1] = 3  # the last two classes have no images
    run.validation_file.write_text(summarize(1, confusion, np.array([3, 21, *[0] * 8])).model_dump_json() + "\n")
    write_history(run, [epoch_line(1, 1, 1)])
    assert "No image was taken for 0, 2, 3, 4, 5 and 2 more." in watch_html(run, 1)


def test_one_kind_of_file_is_enough(run: Run) -> None:
    do_epoch(run, 1, 5, strip=False)
    assert "vw-strip" not in watch_html(run, 1) and "macro F1" in watch_html(run, 1)
    run.validation_file.unlink()
    do_epoch(run, 0, 0)
    html = watch_html(run, 0)
    assert "vw-strip" in html and "Accuracy by class" not in html


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04half", b"no archive"])
def test_damaged_files_leave_the_rest(run: Run, damage: bytes) -> None:
    do_epoch(run, 1, 5)
    with run.validation_file.open("a") as file:
        file.write('{"epoch": "one"}\n{"epoch": 1, "count": "many"}\n[1]\n{"cells"')
    (run.strip_folder / "epoch-000001.npz").write_bytes(damage)
    assert "The pictures of epoch 1 cannot be read" in watch_html(run, 1)


def test_an_epoch_that_was_not_finished_is_not_shown(run: Run) -> None:
    do_epoch(run, 1, 5)
    do_epoch(run, 2, 6)
    write_history(run, [epoch_line(1, 1, 1)])  # as after a resume
    assert epochs_to_see(run, run.epochs_done()) == [1]


def test_the_slider_follows_until_somebody_moves_it(run: Run) -> None:
    follow = ("", 0)
    do_epoch(run, 0, 0)
    do_epoch(run, 1, 3)
    box, slider, shown, seen = train_watch._look(run.name, follow, ((), 0))
    assert box.visible and (slider.maximum, slider.value) == (1, 1) and "After epoch 1" in shown
    assert all(part["__type__"] == "update" for part in train_watch._look(run.name, follow, seen))  # nothing new
    do_epoch(run, 2, 4)
    _, slider, shown, seen = train_watch._look(run.name, follow, seen)
    assert (slider.maximum, slider.value) == (2, 2) and "After epoch 2" in shown
    shown, held = train_watch._show(run.name, 1, seen)
    assert "After epoch 1" in shown and held == (run.name, 1)
    do_epoch(run, 3, 5)
    _, slider, shown, seen = train_watch._look(run.name, held, seen)
    assert (slider.maximum, slider.value) == (3, 1) and "After epoch 1" in shown
    assert train_watch._show(run.name, 3, seen)[1] == follow  # back at the end
    other = create_run(run.config())
    do_epoch(other, 1, 5)
    do_epoch(other, 2, 5)
    assert train_watch._look(other.name, held, seen)[1].value == 2  # another run is shown at its end
    assert traces(None) == () and train_watch._show("gone", 1, seen)[0] == ""
