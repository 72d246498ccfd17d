"""Training throughput through our worker, with live logging, against a plain Keras `fit` of the same network.

    python benchmarks/training.py [ROUNDS]

Both see the same images, batches and validation; each runs in a process of its own, in turn. Figures are images a second
of the epochs after the first, validation included. MNIST when it is in VISION_APP_DATA, else the generated shapes.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from vision_app.data.datasets import DATASETS
from vision_app.data.fetching import is_available
from vision_app.training import jobs
from vision_app.training.recipe import make_config

EPOCHS, LIMIT = 5, 20_000


def through_the_worker(dataset: str) -> float:
    """Return images a second of one run."""
    config = make_config(dataset, "simple_cnn", {"epochs": EPOCHS, "train_limit": LIMIT, "augmentation": {}})
    run = jobs.start(config)
    jobs.wait(run)
    if run.status().state != "completed":
        raise SystemExit(run.status().message)
    seconds = [line["seconds"] for line in run.history() if line["kind"] == "epoch"]
    return run.status().num_train / median(seconds[1:])


def plain_fit(dataset: str) -> float:
    """Return images a second of plain Keras, as a person would write it, in this process."""
    import time

    import keras

    from vision_app.data.ready import ready_training

    config = make_config(dataset, "simple_cnn", {"epochs": EPOCHS, "train_limit": LIMIT, "augmentation": {}})
    train, validation = ready_training(config)
    layers = keras.layers
    model = keras.Sequential([
        keras.Input(train.images.shape[1:]),
        layers.Rescaling(1 / 255),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(len(config.classes), activation="softmax"),
    ])  # fmt: skip
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    seconds: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            seconds.append(time.perf_counter() - self.began)

    model.fit(
        train.images[:].astype("float32"),
        train.labels,
        batch_size=config.batch_size,
        epochs=EPOCHS,
        validation_data=(validation.images[:].astype("float32"), validation.labels),
        validation_batch_size=500,
        verbose=0,
        callbacks=[Clock()],
    )
    return len(train) / median(seconds[1:])


def main(rounds: int) -> None:
    """Print the comparison."""
    dataset = "mnist" if is_available(DATASETS["mnist"]) else "shapes"
    ours, plain = [], []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VISION_APP_RUNS"] = folder
        for _ in range(rounds):
            command = [sys.executable, __file__, "--plain", dataset]
            plain.append(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
            ours.append(through_the_worker(dataset))
    ratios = [one / other for one, other in zip(ours, plain, strict=True)]
    print(
        f"simple_cnn on {dataset}, batch 64: worker {median(ours):,.0f} images/s, plain fit {median(plain):,.0f} images/s"
    )
    print(f"ratio: {median(ratios):.3f} (from {min(ratios):.3f} to {max(ratios):.3f}, {rounds} rounds)")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--plain"]:
        print(json.dumps(plain_fit(sys.argv[2])))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
