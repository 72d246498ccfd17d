"""Kills a training process again and again at random moments, resumes the run each time, and looks for damage.

    python benchmarks/kills.py [KILLS]

One run of digits; by default 50 kills (SIGKILL, as a power cut). After each: does the best model load, can the last state be read, is every
line of the history whole but the last? At the end the run is let finish, and compared with one that was never killed.
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

SETTINGS = {"epochs": 800, "train_limit": 400, "early_stopping": False, "augmentation": {"rotation": 10}, "seed": 3}
LONGEST = 2.0  # seconds of training before a kill


def main(kills: int) -> None:
    """Kill, resume, look; print what was found."""
    import keras
    import psutil

    from vision_app.runs import Run, create_run
    from vision_app.training import jobs
    from vision_app.training.recipe import make_config
    from vision_app.training.state import list_states, read_state
    from vision_app.training.train import train

    config = make_config("digits", "lenet5", SETTINGS)
    run, dice = jobs.start(config), random.Random(0)
    resumed = unreadable_models = unreadable_states = epochs_lost = 0
    for number in range(1, kills + 1):
        _wait_for_training(run)
        time.sleep(dice.uniform(0, LONGEST))
        if run.status().state != "running":
            kills = number - 1
            print(f"The run was over after {kills} kills; raise its epochs.")
            break
        before = [line["epoch"] for line in run.history() if line["kind"] == "epoch"]
        psutil.Process(run.status().pid).kill()
        jobs.wait(run, 30)
        if run.model_file.exists():
            try:
                keras.saving.load_model(run.model_file, compile=False)
            except Exception:
                unreadable_models += 1
        state = read_state(run) if list_states(run) else None
        unreadable_states += list_states(run) != [] and (
            state is None or state.epoch < int(list_states(run)[0].stem[6:])
        )
        epochs_lost += max(before, default=0) - (state.epoch if state else 0)
        jobs.resume(run) if state else None
        resumed += state is not None
        print(
            f"kill {number:2}: after epoch {max(before, default=0)}, resumed from {state.epoch if state else 'nothing'}",
            flush=True,
        )
        if state is None:
            run = jobs.start(config)
    while not jobs.wait(run, 5):
        pass
    epochs = [line["epoch"] for line in run.history() if line["kind"] == "epoch"]
    whole = create_run(config)

    class GoingOn:
        wanted = None

    train(whole, GoingOn())
    curves = [[line["val_loss"] for line in one.history() if line["kind"] == "epoch"] for one in (run, whole)]
    print(
        f"{kills} kills, {resumed} resumes, {unreadable_models} damaged models, {unreadable_states} damaged states, "
        f"{epochs_lost} whole epochs done again; state {run.status().state}, epochs {'all there' if epochs == list(range(1, config.epochs + 1)) else 'missing'}, "
        f"largest difference of the validation loss to a run that was never killed {max(abs(a - b) for a, b in zip(*curves, strict=True)):.2g}"
    )
    _check(Run(run.path))


def _wait_for_training(run: "Run") -> None:  # noqa: F821
    steps = len(run.history())
    while run.status().state in ("queued", "running") and len(run.history()) <= steps:
        time.sleep(0.02)


def _check(run: "Run") -> None:  # noqa: F821
    leftovers = [path.name for path in run.path.iterdir() if path.name.startswith(".") and path.suffix != ".lock"]
    print(f"left behind in the run's folder: {', '.join(leftovers) or 'nothing'}")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VISION_APP_RUNS"] = folder
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 50)
