"""Training throughput: our worker with live logging, a plain Keras `fit`, and a PyTorch eager loop of the same network.

    python benchmarks/training.py [--rounds 3] [--only simple_cnn] [--torch PYTHON]

All see the same images, batches and validation in float32; each is a process of its own, in turn. The worker is also run as
`train --tune` would set it. Images a second are of the epochs after the first, validation included; memory is the most that the
process held. PyTorch is optional: --torch names a Python that has it (default: this one). MNIST and CIFAR-10 are used when
VISION_APP_DATA has them, generated shapes else.
"""

import argparse
import itertools
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
TORCH = ROOT / "benchmarks" / "support" / "training_torch.py"


@dataclass(frozen=True)
class Case:
    """One network on some pictures."""

    model: str
    dataset: str
    size: int
    channels: int
    images: int
    batch_size: int
    epochs: int

    def config(self) -> Any:
        """Return the run: no augmentation, so that all do the same."""
        from vision_app.data.datasets import DATASETS
        from vision_app.data.fetching import is_available
        from vision_app.training.recipe import make_config

        dataset = self.dataset if is_available(DATASETS[self.dataset]) else "shapes"
        fields = {"input_size": self.size, "channels": self.channels, "batch_size": self.batch_size, "weights": ""}
        fields |= {"epochs": self.epochs, "train_limit": self.images, "augmentation": {}, "optimizer": "sgd"}
        fields |= {"learning_rate": 0.01, "l2": 0.0, "label_smoothing": 0.0, "normalization": "rescale"}
        return make_config(dataset, self.model, fields | {"schedule": "constant", "warmup_epochs": 0})


CASES = (
    Case("simple_cnn", "mnist", 28, 1, 20_000, 64, 4),
    Case("fast_cnn", "cifar10", 32, 3, 4_000, 250, 3),
    Case("mobilenet_v2", "shapes", 96, 3, 1_500, 32, 3),
)


def through_the_worker(case: Case, tuned: bool = False) -> dict[str, float]:
    """Run our worker; return images a second and peak memory in MB."""
    from vision_app.training import jobs
    from vision_app.training.tune import tune_precision

    config = tune_precision(case.config())[0] if tuned else case.config()
    run = jobs.start(config)
    while run.status().pid is None:
        time.sleep(0.02)
    with _memory_of(run.status().pid) as most:
        jobs.wait(run)
    if run.status().state != "completed":
        raise SystemExit(run.status().message)
    # From one end of an epoch to the next: with everything that the worker writes in between.
    ends = [line["time"] for line in run.history() if line["kind"] == "epoch"]
    seconds = [end - begin for begin, end in itertools.pairwise(ends)]
    return {"speed": run.status().num_train / median(seconds), "memory": max(most) / 1e6}


def elsewhere(command: list[str]) -> dict[str, float]:
    """Run another contestant as a process; it prints its images a second as the last line."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with _memory_of(process.pid) as most:
        said, complaint = process.communicate()
    if process.returncode:
        raise SystemExit(complaint.strip().splitlines()[-1])
    return {"speed": float(said.split()[-1]), "memory": max(most) / 1e6}


@contextmanager
def _memory_of(pid: int) -> Iterator[list[int]]:
    """Yield a list that fills with the bytes that a process holds, ten times a second."""
    import psutil

    process, most, over = psutil.Process(pid), [0], Event()

    def look() -> None:
        while not over.wait(0.1):
            try:
                most.append(process.memory_info().rss)
            except psutil.Error:
                return

    thread = Thread(target=look)
    thread.start()
    yield most
    over.set()
    thread.join()


def plain_fit(case: Case) -> float:
    """Return images a second of plain Keras, as a person would write it, in this process."""
    import keras

    from vision_app.data.ready import ready_training
    from vision_app.models.catalog import build_model

    config = case.config()
    train, validation = ready_training(config)
    model = build_model(case.model, train.images.shape[1:], len(config.classes))
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    seconds: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            self.began = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            seconds.append(time.perf_counter() - self.began)

    model.fit(
        train.images[:].astype("float32"),
        train.labels,
        batch_size=case.batch_size,
        epochs=case.epochs,
        validation_data=(validation.images[:].astype("float32"), validation.labels),
        validation_batch_size=500,
        verbose=0,
        callbacks=[Clock()],
    )
    return len(train) / median(seconds[1:])


def write_images(case: Case, folder: Path) -> Path:
    """Write a case's images for a process that cannot import this package's data."""
    import numpy as np

    from vision_app.data.ready import ready_training

    train, validation = ready_training(case.config())
    file = folder / f"{case.model}.npz"
    np.savez(file, x=train.images[:], y=train.labels, val_x=validation.images[:], val_y=validation.labels)
    return file


def main(rounds: int, only: str | None, torch_python: str) -> None:
    """Print the comparison."""
    has_torch = not subprocess.run([torch_python, "-c", "import torch"], capture_output=True).returncode
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VISION_APP_RUNS"] = folder
        for index, case in enumerate(CASES):
            if only in (None, case.model):
                contestants = {
                    "our worker": lambda case=case: through_the_worker(case),
                    "our worker, tuned": lambda case=case: through_the_worker(case, tuned=True),
                    "plain Keras fit": lambda index=index: elsewhere([sys.executable, __file__, "--plain", str(index)]),
                }
                if has_torch:
                    file = str(write_images(case, Path(folder)))
                    command = [torch_python, str(TORCH), case.model, file, str(case.batch_size), str(case.epochs)]
                    contestants["PyTorch eager"] = lambda command=command: elsewhere(command)
                _compare(case, contestants, rounds)
    if not has_torch:
        print("PyTorch is not installed here, so it was left out; --torch names a Python that has it.")


def _compare(case: Case, contestants: dict[str, Any], rounds: int) -> None:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            found[name].append(run())
    print(f"\n{case.model}, {case.size} px, {case.config().dataset}, batches of {case.batch_size}, {rounds} rounds")
    for name, results in found.items():
        ratios = [one["speed"] / ours["speed"] for one, ours in zip(found["our worker"], results, strict=True)]
        speed, memory = (median(result[key] for result in results) for key in ("speed", "memory"))
        ratio = f"the worker is {median(ratios):.2f} times as fast ({min(ratios):.2f} to {max(ratios):.2f})"
        print(
            f"  {name:18} {speed:8,.0f} images/s  {memory:6,.0f} MB  {ratio if name != 'our worker' else ''}",
            flush=True,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=[case.model for case in CASES])
    parser.add_argument("--torch", default=sys.executable, metavar="PYTHON")
    parser.add_argument("--plain", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.plain is not None:
        print(plain_fit(CASES[chosen.plain]))
    else:
        main(chosen.rounds, chosen.only, chosen.torch)
