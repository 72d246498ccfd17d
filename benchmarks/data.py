"""Large sets of files: listing, opening, and images a second into training, against Keras and a plain Pillow loop.

    python benchmarks/data.py [NUM_FILES] [--health]

Writes NUM_FILES generated JPEG files (default 100,000; 64 x 64 pixels in 100 class folders) into a temporary folder. Each row is
a process of its own; memory is the most that it held, in MB, less what its imports take. With --health, CIFAR-10's health
report is timed too, without and with label errors, if CIFAR-10 is in VISION_APP_DATA.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
NUM_CLASSES, SIDE, BATCH = 100, 64, 64


def write_class(folder: Path, label: int, count: int) -> None:
    """Write the JPEG files of one class: a colour with noise, so that they are of a photo's size."""
    import numpy as np
    from PIL import Image

    generator = np.random.default_rng(label)
    target = folder / f"class_{label:03}"
    target.mkdir(parents=True)
    colour = generator.uniform(60, 200, 3)
    for number in range(count):
        noise = generator.normal(0, 25, (SIDE, SIDE, 3))
        Image.fromarray((colour + noise).clip(0, 255).astype("uint8")).save(target / f"{number:05}.jpg", quality=85)


def memory() -> float:
    """Return the most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def timed(action: Callable[[], object]) -> tuple[float, float, object]:
    """Return the seconds of an action, the MB that it added to the peak, and what it returned."""
    before, began = memory(), time.perf_counter()
    found = action()
    return time.perf_counter() - began, memory() - before, found


def our_listing(folder: str) -> dict[str, float]:
    """List and divide the set; the second process finds the listing in the cache."""
    from vision_app.data.own import open_own

    seconds, added, dataset = timed(lambda: open_own(folder))
    return {"seconds": seconds, "memory": added, "images": sum(dataset.counts.values())}


def keras_listing(folder: str) -> dict[str, float]:
    """List the set with keras.utils.image_dataset_from_directory."""
    import keras

    seconds, added, found = timed(lambda: _keras_set(keras, folder))
    return {"seconds": seconds, "memory": added, "images": len(found.file_paths)}


def pillow_listing(folder: str) -> dict[str, float]:
    """List the set as a plain script does."""
    seconds, added, found = timed(lambda: sorted((path, path.parent.name) for path in Path(folder).glob("*/*.jpg")))
    return {"seconds": seconds, "memory": added, "images": len(found)}


def our_epochs(folder: str) -> dict[str, float]:
    """Read two epochs of batches as the trainer does: the first decodes into one file."""
    from vision_app.data.pipeline import TrainingBatches
    from vision_app.data.ready import ready_split
    from vision_app.training.recipe import make_config

    config = make_config(folder, "simple_cnn", {"input_size": SIDE, "augmentation": {}})

    def first() -> TrainingBatches:
        part = ready_split(config, folder, "train")
        batches = TrainingBatches(part.images, part.labels, BATCH, 0, None)
        _read(batches)
        return batches

    first_seconds, added, batches = timed(first)
    second_seconds, more, _ = timed(lambda: _read(batches))
    count = len(batches) * BATCH
    return {"first": count / first_seconds, "second": count / second_seconds, "memory": added + more}


def keras_epochs(folder: str) -> dict[str, float]:
    """Read two epochs with keras.utils.image_dataset_from_directory."""
    import keras

    found = _keras_set(keras, folder)
    rates, added = [], 0.0
    for _ in range(2):
        seconds, more, count = timed(lambda: sum(len(images) for images, _ in found))
        rates.append(count / seconds)
        added += more
    return {"first": rates[0], "second": rates[1], "memory": added}


def pillow_epochs(folder: str) -> dict[str, float]:
    """Read two epochs in a plain loop: open, convert, resize, stack."""
    import numpy as np
    from PIL import Image

    paths = [path for path in sorted(Path(folder).glob("*/*.jpg")) if int(path.stem) % 10 < 7]

    def loop() -> None:
        for start in range(0, len(paths), BATCH):
            batch = [Image.open(path).convert("RGB").resize((SIDE, SIDE)) for path in paths[start : start + BATCH]]
            np.stack([np.asarray(image) for image in batch])

    results = [timed(loop) for _ in range(2)]
    return {
        "first": len(paths) / results[0][0],
        "second": len(paths) / results[1][0],
        "memory": results[0][1] + results[1][1],
    }


def _keras_set(keras: object, folder: str) -> object:
    return keras.utils.image_dataset_from_directory(
        folder,
        validation_split=0.3,
        subset="training",
        seed=0,
        image_size=(SIDE, SIDE),
        batch_size=BATCH,
        verbose=False,
    )


def _read(batches: object) -> None:
    for index in range(len(batches)):
        batches.batch(index)


def run(name: str, folder: str) -> dict[str, float]:
    """Run one of the functions above in a process of its own."""
    answer = subprocess.run([sys.executable, __file__, "--run", name, folder], capture_output=True, text=True)
    if answer.returncode:
        raise SystemExit(f"{name} failed:\n{answer.stderr[-2000:]}")
    return json.loads(answer.stdout.splitlines()[-1])


def main(count: int) -> None:
    """Print the comparison."""
    with tempfile.TemporaryDirectory() as place:
        os.environ["VISION_APP_DATA"] = str(Path(place) / "data")
        folder = Path(place) / "photos"
        with ProcessPoolExecutor() as pool:
            list(
                pool.map(write_class, [folder] * NUM_CLASSES, range(NUM_CLASSES), [count // NUM_CLASSES] * NUM_CLASSES)
            )
        print(f"{count:,} JPEG files of {SIDE} x {SIDE} pixels in {NUM_CLASSES} classes\n")
        print(f"{'listing':42}{'seconds':>10}{'MB':>8}{'x plain loop':>14}")
        rows = [("plain loop (pathlib)", "pillow_listing"), ("keras, image_dataset_from_directory", "keras_listing"),
                ("ours, the first time", "our_listing"), ("ours, from the cache", "our_listing")]  # fmt: skip
        plain = None
        for title, name in rows:
            found = run(name, str(folder))
            plain = plain or found["seconds"]
            print(f"{title:42}{found['seconds']:10.2f}{found['memory']:8.0f}{found['seconds'] / plain:14.2f}")
        print(f"\n{'into training, images a second':42}{'epoch 1':>10}{'epoch 2':>10}{'MB':>8}{'epoch 2, x keras':>18}")
        rates = {name: run(name, str(folder)) for name in ("pillow_epochs", "keras_epochs", "our_epochs")}
        for title, name in (("plain Pillow loop", "pillow_epochs"), ("keras, image_dataset_from_directory", "keras_epochs"),
                            ("ours (decoding in epoch 1)", "our_epochs")):  # fmt: skip
            row, ratio = rates[name], rates[name]["second"] / rates["keras_epochs"]["second"]
            print(f"{title:42}{row['first']:10,.0f}{row['second']:10,.0f}{row['memory']:8.0f}{ratio:18.2f}")


def health() -> None:
    """Print how long CIFAR-10's report takes, and its peak memory."""
    for title, options in (("without label errors", ["--skip", "label_error"]), ("with label errors", [])):
        command = ["/usr/bin/env", sys.executable, "-m", "vision_app", "health", "cifar10", "--json", *options]
        began = time.perf_counter()
        answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        seconds = time.perf_counter() - began
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        if answer.returncode:
            raise SystemExit(answer.stderr[-2000:])
        counts = {row["kind"]: row["count"] for row in json.loads(answer.stdout)["findings"]}
        print(f"health of CIFAR-10 {title}: {seconds:.0f} s, at most {peak:,.0f} MB so far, {counts}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        print(json.dumps(globals()[sys.argv[2]](sys.argv[3])))
    else:
        numbers = [int(argument) for argument in sys.argv[1:] if argument.isdecimal()]
        if "--health" in sys.argv:
            health()
        main(numbers[0] if numbers else 100_000)
