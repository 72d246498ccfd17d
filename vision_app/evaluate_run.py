"""Testing a finished run or checkpoint on real images: where predictions and metrics meet."""

from collections.abc import Callable
from functools import partial

import numpy as np

from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.download import Progress
from vision_app.data.prepared import Chosen, Preparation, Prepared, Stored, prepare
from vision_app.data.ready import Ready, ready_split, ready_training
from vision_app.errors import InputError
from vision_app.evaluation.averaging import MIRRORING, average, count_views
from vision_app.evaluation.compare import model_bytes
from vision_app.evaluation.profiling import measure_latency
from vision_app.evaluation.report import EvaluationReport, evaluate, split_id
from vision_app.lookup import find
from vision_app.predict import load_classifier
from vision_app.runs import Run

Answer = Callable[[np.ndarray], np.ndarray]  # images as the network receives them -> probabilities
BATCH_SIZE = 256
SPLITS = dict.fromkeys(("train", "validation", "test"))


def evaluate_run(
    run: Run,
    dataset: str | None = None,
    split: str = "test",
    limit: int | None = None,
    progress: Progress | None = None,
    averaging: bool = False,
) -> EvaluationReport:
    """Predict a split with a run's model and measure the predictions.

    Args:
        run: the run or checkpoint.
        dataset: a dataset with the same classes; by default the one that the run learned from.
        split: "test", or "train" or "validation" as this run would divide the dataset's training images.
        limit: use only so many images, drawn with a fixed seed.
        progress: called with the share done, 0 to 1, and a sentence.
        averaging: also average over shifted copies, and mirrored ones where the run learned from such; several times slower.

    Raises:
        InputError: unknown dataset or split, other classes than the model's, or no usable model.
    """
    config, status = run.config(), run.status()
    if not (dataset or config.dataset):
        raise InputError(
            f"{run.name} was trained elsewhere; say on which dataset to test it, one with the same classes."
        )
    dataset = find_dataset(dataset or config.dataset).name
    _check_classes(run, dataset)
    ready = _part(run, dataset, split, progress)
    ready = ready.choose(_draw(len(ready), limit))
    classifier = load_classifier(run)
    probabilities = _predict(classifier.probabilities, ready.images, progress)
    report = evaluate(
        probabilities,
        ready.labels,
        config.classes,
        model=run.name,
        dataset=dataset,
        split=split,
        split_id=split_id(dataset, split, ready.originals, ready.labels),
        parameters=status.parameters,
        file_bytes=model_bytes(run),
        training_seconds=status.seconds,
    )
    if not averaging:
        return report
    mirror = any(config.augmentation.get(name, 0) for name in MIRRORING)
    averaged = _predict(partial(average, classifier.probabilities, mirror=mirror), ready.images, progress)
    return report.with_averaged(averaged, ready.labels, count_views(mirror))


def predict_published(run: Run, dataset: str, split: str, progress: Progress | None = None) -> np.ndarray:
    """Return the class that a run's model gives to every image of a published split, -1 for one that cannot be read.

    Args:
        run: the run or checkpoint.
        dataset: a dataset with the same classes.
        split: a published split, as it is, without corrections.
        progress: called with the share done, 0 to 1, and a sentence.

    Raises:
        InputError: unknown dataset or split, other classes than the model's, or no usable model.
    """
    _check_classes(run, dataset)
    images, labels = load_split(dataset, split, progress)
    config = run.config()
    ready = prepare(images, Preparation(config.input_size, config.channels, config.fit), progress)
    good = np.flatnonzero(ready.is_good) if isinstance(ready, Stored) else np.arange(len(labels))
    predicted = np.full(len(labels), -1)
    predicted[good] = _predict(load_classifier(run).probabilities, Chosen(ready, good), progress).argmax(1)
    return predicted


def run_latency(run: Run) -> float | None:
    """Return the median milliseconds of predicting one image, or None where the run has no model yet."""
    if not run.model_file.exists() and not run.tflite_file.exists():
        return None
    classifier = load_classifier(run)
    size, channels = classifier.config.input_size, classifier.config.channels
    image = np.zeros((1, size, size, channels), np.uint8)
    return measure_latency(lambda: classifier.probabilities(image)).median_ms


def _check_classes(run: Run, dataset: str) -> None:
    expected, got = run.config().classes, find_dataset(dataset).classes
    if tuple(expected) != tuple(got):
        raise InputError(
            f"'{run.name}' knows the classes {_listed(expected)}, but '{dataset}' has {_listed(got)}; "
            "choose a dataset with the model's own classes."
        )


def _listed(classes: tuple[str, ...]) -> str:
    return ", ".join(classes[:3]) + (f" ... ({len(classes)} in all)" if len(classes) > 3 else "")


def _part(run: Run, dataset: str, split: str, progress: Progress | None) -> Ready:
    find(SPLITS, split, "split")
    if split == "test":
        return ready_split(run.config(), dataset, "test", progress)
    return ready_training(run.config(), progress, dataset)[0 if split == "train" else 1]


def _draw(num_images: int, limit: int | None) -> np.ndarray:
    """Return the positions to use; at random, because a published split may be sorted by class."""
    if limit is not None and limit < 1:
        raise InputError(f"Expected a limit of at least 1 image, got {limit}; leave it out to use all.")
    if limit is None or limit >= num_images:
        return np.arange(num_images)
    return np.sort(np.random.default_rng(0).permutation(num_images)[:limit])


def _predict(answer: Answer, images: Prepared, progress: Progress | None) -> np.ndarray:
    batches = []
    for start in range(0, len(images), BATCH_SIZE):
        batch = images[start : start + BATCH_SIZE]
        batches.append(answer(batch))
        if progress:
            done = start + len(batch)
            progress(done / len(images), f"{done:,} of {len(images):,} images")
    return np.concatenate(batches)
