"""Run directories that no worker has written, in the format of the contract."""

import json
import shutil
import time
from pathlib import Path

from vision_app.runs import Run
from vision_app.training.recipe import make_config


def write_failed_run(folder: Path, reason: str) -> str:
    """Write a run that has failed and return its name."""
    name = f"failed-{time.time_ns()}"
    (folder / name).mkdir()
    now = time.time()
    status = {"state": "failed", "created": now, "started": now, "finished": now, "message": reason}
    (folder / name / "config.json").write_text(make_config("digits", "lenet5", {}).to_json())
    (folder / name / "status.json").write_text(json.dumps(status))
    (folder / name / "log.txt").write_text("Traceback\nthe last words of the log\n")
    return name


def copy_run(run: Run, folder: Path, name: str) -> str:
    """Copy a finished run into another runs folder and return its name there."""
    shutil.copytree(run.path, folder / name, dirs_exist_ok=True)
    return name
