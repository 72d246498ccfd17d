"""Averaged figures in the Compare tab."""

import pytest

from vision_app.errors import InputError
from vision_app.runs import Run, list_checkpoints
from vision_app.ui.compare_averaging import averaged_html, measure_averaged


def checkpoint(name: str) -> Run:
    return next(run for run in list_checkpoints() if run.name == name)


def test_both_figures_stand_side_by_side_and_progress_goes_over_all_models() -> None:
    told: list[tuple[float, str]] = []
    run = checkpoint("digits")
    reports = measure_averaged([run, run], lambda share, words: told.append((share, words)))
    report = reports["digits"]
    assert report.accuracy == pytest.approx(run.report()["accuracy"], abs=1 / 359) and report.averaged.views == 3
    shares = [share for share, _ in told]
    assert shares[-1] == 1 and min(shares) < 0.5 and told[0][1].startswith("Testing digits: ")
    page = averaged_html(reports)
    assert f"<td>{report.accuracy:.2%}</td><td>{report.averaged.accuracy:.2%}</td><td>3</td>".replace("%", " %") in page


def test_nothing_chosen_and_a_model_that_trains_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="No model is chosen; choose rows of the table"):
        measure_averaged([], print)
    monkeypatch.setattr(Run, "state", lambda run: "running")
    with pytest.raises(InputError, match="digits is still training"):
        measure_averaged([checkpoint("digits")], print)
