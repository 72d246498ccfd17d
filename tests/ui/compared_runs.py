"""Runs with reports and histories, as the Compare tab reads them, without training anything."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from vision_app.config import RunConfig
from vision_app.evaluation.report import evaluate
from vision_app.runs import Run, Status, runs_root
from vision_app.ui import compare_latency

LABELS = np.arange(20) % 4
RUN_ID = "20261120-121442-digits-simple_cnn-be8b"
OTHER_ID = "20261120-093001-digits-lenet5-697b"


def isolate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be no checkpoints and no measured latencies; 0.5 ms is what a measurement then gives."""
    monkeypatch.setenv("VISION_APP_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.setattr(compare_latency, "_LATENCIES", {})
    monkeypatch.setattr(compare_latency, "run_latency", lambda run: 0.5)


def make(name: str, wrong: int | None = 0, split: str = "first", state: str = "completed", **config: object) -> Run:
    """Write a run with a report on 20 images of which `wrong` are mistaken; None: without a report or a model."""
    classes = config.pop("classes", ("a", "b", "c", "d"))
    settings = {"dataset": "digits", "model": "lenet5", "input_size": 8, "channels": 1, "classes": classes, **config}
    run = Run(runs_root() / name)
    run.path.mkdir(parents=True)
    (run.path / "config.json").write_text(RunConfig.parse(settings).to_json())
    run.write_status(Status(state=state, created=1.0, seconds=12.5, parameters=1000, pid=os.getpid()))
    if wrong is not None:
        _write_results(run, wrong, settings["dataset"], split, classes)
    return run


def _write_results(run: Run, wrong: int, dataset: str, split: str, classes: tuple[str, ...]) -> None:
    answers = LABELS.copy()
    answers[:wrong] = (answers[:wrong] + 1) % 4
    probabilities = np.full((20, 4), 0.01)
    probabilities[np.arange(20), answers] = 0.97
    report = evaluate(probabilities, LABELS, classes, model=run.name, dataset=dataset, split="test", split_id=split)
    (run.path / "report.json").write_text(report.to_json())
    run.model_file.write_bytes(b"k" * 300)
    run.tflite_file.write_bytes(b"t" * 200)
    epochs = [
        {"kind": "epoch", "epoch": e, "step": e, "loss": 1 / e, "val_loss": 2 / e, "accuracy": 0.5, "val_accuracy": 0.4}
        for e in (1, 2, 3)
    ]
    run.history_file.write_text("".join(json.dumps(line) + "\n" for line in epochs))
