"""What is wrong with the data that a run learned from, looked up by a process of its own."""

import json
import logging
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from vision_app.processes import child_environment
from vision_app.runs import Run
from vision_app.training.callbacks import Asked

log = logging.getLogger(__name__)
LONGEST = 300  # seconds; the run's result does not wait longer for it
POLL_SECONDS = 0.1


def check_data(run: Run, asked: Asked) -> dict[str, Any] | None:
    """Return what `health.summary` says of the run's dataset; None when it cannot say, or somebody wants the run to end now."""
    before = asked.wanted  # a run that was stopped is still tested and looked at
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "health.json"
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "vision_app.health.summary", run.config().dataset, str(file)],
                stdin=subprocess.DEVNULL,
                env=child_environment(),
            )
            limit = time.monotonic() + LONGEST
            try:
                while process.poll() is None and time.monotonic() < limit and asked.wanted == before:
                    time.sleep(POLL_SECONDS)
            finally:
                process.kill()
                process.wait()
            return json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # it wrote nothing, or could not be started
            log.warning("The data of %s were not checked; see above.", run.name)
            return None
