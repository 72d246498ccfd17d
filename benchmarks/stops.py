"""How quickly a training process ends when it is asked to, at random moments: with Stop, and with SIGTERM as a shutdown sends it.

    python benchmarks/stops.py [TIMES]

Runs of digits; by default 20 of each kind. Stop: seconds until it trains no more, the test of the best model not counted.
SIGTERM: seconds until the process is gone. After each, the best model must load, and a SIGTERM must leave a run that can go on.
"""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

SETTINGS = {"epochs": 1000, "early_stopping": False, "seed": 3}
LONGEST = 3.0  # seconds of training before it is asked


def main(times: int) -> None:
    """Ask, measure, look; print what was found."""
    import numpy as np

    dice = random.Random(0)
    for kind in ("Stop", "SIGTERM"):
        seconds, whole = [], 0
        for _ in range(times):
            took, is_whole = _ask(kind, dice.uniform(0, LONGEST))
            seconds.append(took)
            whole += is_whole
        print(
            f"{kind}: {whole} of {times} left a model that loads; median {np.median(seconds):.2f} s, "
            f"95 % within {np.quantile(seconds, 0.95):.2f} s, longest {max(seconds):.2f} s",
            flush=True,
        )


def _ask(kind: str, after: float) -> tuple[float, bool]:
    import keras
    import psutil

    from vision_app.training import jobs
    from vision_app.training.recipe import make_config

    run = jobs.start(make_config("digits", "lenet5", SETTINGS))
    while not any(line["kind"] == "epoch" for line in run.history()):
        time.sleep(0.02)
    time.sleep(after)
    began = time.perf_counter()
    if kind == "Stop":
        jobs.stop(run)
        while run.status().seconds is None:  # noted as soon as training is over
            time.sleep(0.005)
        took = time.perf_counter() - began
        jobs.wait(run, 120)
    else:
        psutil.Process(run.status().pid).terminate()
        jobs.wait(run, 120)
        took = time.perf_counter() - began
    keras.saving.load_model(run.model_file, compile=False)
    expected = "stopped" if kind == "Stop" else "interrupted"
    return took, run.status().state == expected and jobs.can_resume(run)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VISION_APP_RUNS"] = folder
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
