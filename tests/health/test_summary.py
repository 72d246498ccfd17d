"""The few numbers about a dataset that stand in a run's report."""

from pathlib import Path

import pytest

from tests.data.photos import class_folders, write_folder
from vision_app.data import own
from vision_app.health import jobs, summary
from vision_app.health.catalog import CHECKS
from vision_app.health.findings import Finding, HealthReport


def test_the_checks_that_take_seconds_are_made() -> None:
    found = summary.summarize("digits")
    assert set(found["checked"]) == set(CHECKS) - set(summary.SLOW)
    assert found["findings"] == {"blur": 9}  # what `health digits` says


def test_what_a_full_look_found_is_used(data_folder: Path) -> None:
    counts = {"train": 1438, "test": 359}
    findings = (Finding(kind="label_error", count=7), Finding(kind="outlier", count=0))
    report = HealthReport(dataset="digits", seconds=8, counts=counts, findings=findings, skipped=("near_duplicate",))
    file = jobs.report_file("digits")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(report.to_json())
    found = summary.summarize("digits")
    assert found["findings"] == {"label_error": 7} and set(found["checked"]) == set(CHECKS) - {"near_duplicate"}


def test_many_files_are_not_decoded_for_it_alone(
    tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "_OPENED", {})
    monkeypatch.setattr(summary, "MOST_FILES", 20)
    assert summary.summarize(str(write_folder(tmp_path / "set", class_folders(7)))) is None
