"""Run directories that no worker has written, in the format of the contract."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from vision_app.config import RunConfig
from vision_app.runs import Run
from vision_app.training.recipe import make_config


def write_failed_run(folder: Path, reason: str, config: RunConfig | None = None) -> str:
    """Write a run that has failed and return its name."""
    name = f"failed-{time.time_ns()}"
    (folder / name).mkdir()
    now = time.time()
    status = {"state": "failed", "created": now, "started": now, "finished": now, "message": reason}
    (folder / name / "config.json").write_text((config or make_config("digits", "lenet5", {})).to_json())
    (folder / name / "status.json").write_text(json.dumps(status))
    (folder / name / "log.txt").write_text("Traceback\nthe last words of the log\n")
    return name


def write_history(run: Run, lines: list[dict[str, Any]], **status: Any) -> None:
    """Write what a run has done so far, and fields of its status."""
    run.history_file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    run.update_status(**status)


def epoch_line(number: int, loss: float, val_loss: float, accuracy: float = 0.5) -> dict[str, Any]:
    """Return what the history says about an epoch of ten steps."""
    values = {"loss": loss, "val_loss": val_loss, "accuracy": accuracy, "val_accuracy": accuracy}
    return {"kind": "epoch", "step": number * 10 - 1, "epoch": number, "time": 0.0, "learning_rate": 0.1, **values}


def batch_line(step: int, loss: float, accuracy: float = 0.5) -> dict[str, Any]:
    """Return what the history says about one of ten steps an epoch."""
    place = {"kind": "batch", "step": step, "epoch": (step + 1) / 10, "time": 1000.0 + step}
    return {**place, "loss": loss, "accuracy": accuracy, "learning_rate": 0.1, "images_per_second": 500.0}


def copy_run(run: Run, folder: Path, name: str) -> str:
    """Copy a finished run into another runs folder and return its name there."""
    shutil.copytree(run.path, folder / name, dirs_exist_ok=True)
    return name
