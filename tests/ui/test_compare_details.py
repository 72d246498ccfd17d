"""The pictures of the Compare tab."""

from pathlib import Path

import pytest

from tests.ui.compared_runs import OTHER_ID, RUN_ID, isolate, make
from vision_app.ui import compare_view as view
from vision_app.ui.compare_details import details_html, scatter_html
from vision_app.ui.compare_latency import measure


@pytest.fixture(autouse=True)
def _only_these_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


def test_details_show_curves_matrices_and_f1() -> None:
    shown = details_html([make("one", 3), make("two", 0)])
    assert shown.count('class="vw-matrix"') == 2
    assert "Lowest validation loss: 0.6667 at epoch 3" in shown
    assert "Most often confused" in shown and "No class was taken for another" in shown
    assert "F1 by class, Digits 8 x 8 (20 test images)" in shown
    assert shown.count('stroke-dasharray="6 4"') >= 4  # validation is dashed, in both charts


def test_models_of_different_splits_get_tables_of_their_own() -> None:
    shown = details_html([make("one"), make("two", split="second")])
    assert shown.count("<h3>F1 by class") == 2


def test_details_say_what_is_missing() -> None:
    shown = details_html([make("failed", None, state="failed")])
    assert "No test results yet: failed." in shown and "No epoch has been finished yet." in shown
    assert "Choose models in the table" in details_html([])


def test_run_ids_are_short_in_legends_and_titles_and_whole_as_tooltips() -> None:
    shown = details_html([make(RUN_ID, 3), make(OTHER_ID, 1)])
    assert "</svg>simple_cnn on digits, 12:14:42, training</li>" in shown
    assert f'<h3 title="{RUN_ID}">simple_cnn on digits, 12:14:42</h3>' in shown
    assert f'title="{OTHER_ID}">lenet5 on digits, 09:30:01</th>' in shown
    assert f"simple_cnn on digits, 12:14:42: {RUN_ID}\n" in shown
    assert f">{RUN_ID}" not in shown


def test_scatter_needs_two_models_of_one_split() -> None:
    for run in (make("one", 2), make("two", 0, split="second")):
        measure(run)
    assert "<svg" not in scatter_html(view.list_all().comparison.rows)
    measure(make("three", 1))
    shown = scatter_html(view.list_all().comparison.rows)
    assert shown.count("<svg") == 1 and "two" not in shown


def test_names_beside_points_are_short() -> None:
    for name in (RUN_ID, "a_name_that_a_person_has_given_to_a_checkpoint"):
        measure(make(name))
    shown = scatter_html(view.list_all().comparison.rows)
    assert "<h3>Digits 8 x 8: accuracy against latency</h3>" in shown
    assert ">simple_cnn, 12:14:42</text>" in shown and ">a_name_that…checkpoint</text>" in shown
    assert f"simple_cnn, 12:14:42: {RUN_ID}" in shown


def test_models_that_saw_different_data_are_not_compared_without_a_word() -> None:
    runs = [make("one", fingerprint="a"), make("two", fingerprint="b"), make("old"), make("three", fingerprint="a")]
    shown = details_html(runs)
    assert "different images or labels of Digits 8 x 8" in shown and "one, three; two. Compare them with care." in shown
    assert "different images" not in details_html([runs[0], runs[3], runs[2]])
