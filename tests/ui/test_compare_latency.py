"""Latencies: measured when asked for, once a file."""

import os
import time
from pathlib import Path

import pytest

from tests.ui.compared_runs import isolate, make
from vision_app.runs import Status
from vision_app.ui import compare_latency as latency
from vision_app.ui import compare_view as view


@pytest.fixture(autouse=True)
def _only_these_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


def test_latency_is_measured_once_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(latency, "run_latency", lambda run: calls.append(run.name) or 0.25)
    run, waiting = make("run"), make("waiting", None, state="failed")
    assert [each.name for each in view.unmeasured()] == ["run"]
    assert latency.measured_latency(run) == latency.measured_latency(run) == latency.known_latency(run) == 0.25
    assert latency.measured_latency(waiting) is None
    assert calls == ["run"] and view.unmeasured() == []
    run.tflite_file.write_bytes(b"another")
    os.utime(run.tflite_file, ns=(1, 1))
    assert [each.name for each in view.unmeasured()] == ["run"] and latency.known_latency(run) is None


def test_a_damaged_model_file_has_no_latency(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(run: object) -> float:
        raise ValueError("not a model")

    monkeypatch.setattr(latency, "run_latency", refuse)
    assert latency.measured_latency(make("torn")) is None
    assert view.unmeasured() == []


def test_a_run_under_way_is_not_measured() -> None:
    run = make("waiting")
    run.write_status(Status(state="queued", created=time.time()))
    assert latency.measured_latency(run) is None and view.unmeasured() == []
