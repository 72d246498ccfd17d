"""Training with other Keras backends, in environments of their own that have no TensorFlow: `make test-backends` builds them."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vision_app.evaluation.epochs import read_epochs
from vision_app.explain.catalog import _enlarge, explain
from vision_app.explain.strip import read_glimpse, read_strip
from vision_app.processes import child_environment
from vision_app.runs import Run, runs_root

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ["train", "--dataset", "digits", "--model", "simple_cnn", "--epochs", "12", "--seed", "3", "--json"]
COMMAND += ["--set", "schedule=cosine", "--set", "warmup_epochs=1"]
SIMILAR = 0.03  # of 359 test images: twice the deviation of one seed to the next


def train_with(python: str | Path, backend: str) -> Run:
    """Train in another environment and return the run."""
    environment = child_environment() | {"KERAS_BACKEND": backend, "VISION_APP_RUNS": str(runs_root())}
    command = [str(python), "-m", "vision_app", *COMMAND]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return Run(runs_root() / json.loads(done.stdout)["run"])


def check_what_it_saw(run: Run) -> None:
    """Compare what a run wrote after its epochs with its history, and its maps with those of TensorFlow."""
    shares = [line["val_accuracy"] for line in run.history() if line["kind"] == "epoch"]
    assert [result.top_k[0] for result in read_epochs(run)] == pytest.approx(shares, abs=1e-5)
    strip, seen = read_strip(run), read_glimpse(run, run.status().best_epoch)
    for image, label, found in zip(strip.images, strip.labels, seen.maps, strict=True):
        again = explain(run, image, int(label)).heatmap
        assert np.abs(_enlarge(found / np.float32(255), len(image)) - again).max() < 0.1
    assert np.abs(seen.maps.astype(int) - read_glimpse(run, 1).maps).max() > 50


@pytest.mark.timeout(1800)  # four trainings and three frameworks
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_worker_trains_without_tensorflow_and_as_well(backend: str) -> None:
    python = ROOT / f".venv-{backend}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"needs an environment with {backend} and without TensorFlow: make test-backends")
    assert subprocess.run([python, "-c", "import tensorflow"], capture_output=True).returncode
    theirs, ours = train_with(python, backend), train_with(sys.executable, "tensorflow")
    assert theirs.status().state == "completed"
    assert abs(theirs.report()["accuracy"] - ours.report()["accuracy"]) < SIMILAR
    check_what_it_saw(theirs)
    assert not theirs.tflite_file.exists()  # a page with TensorFlow makes it, from the same model.keras:
    from vision_app.evaluate_run import evaluate_run

    assert evaluate_run(theirs).accuracy == pytest.approx(theirs.report()["accuracy"], abs=1 / 359)
