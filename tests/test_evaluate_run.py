"""Testing a run on real images, with a classifier whose answers are known."""

from pathlib import Path

import numpy as np
import pytest

from vision_app.config import RunConfig
from vision_app.data.datasets import load_split
from vision_app.data.splits import stratified_holdout
from vision_app.errors import InputError
from vision_app.evaluate_run import evaluate_run, run_latency
from vision_app.runs import Run, Status

DIGITS = tuple("0123456789")


class Oracle:
    """Knows every digit by heart, and takes a 3 for an 8."""

    def __init__(self, config: RunConfig) -> None:
        self.config, self.classes, self.seen = config, config.classes, 0
        self.labels = {}
        for split in ("train", "test"):
            images, labels = load_split("digits", split)
            self.labels |= {image.tobytes(): label for image, label in zip(images, labels, strict=True)}

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        self.seen += len(images)
        labels = np.array([self.labels.get(image.tobytes(), 0) for image in images])
        return np.eye(10, dtype=np.float32)[np.where(labels == 3, 8, labels)]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A finished run on digits whose model is an oracle."""
    config = RunConfig(
        dataset="digits", model="simple_cnn", input_size=8, channels=1, classes=DIGITS, seed=5, validation_fraction=0.2
    )
    path = tmp_path / "oracle"
    path.mkdir()
    (path / "config.json").write_text(config.to_json())
    (path / "status.json").write_text(Status(state="completed", created=1, seconds=7, parameters=123).model_dump_json())
    (path / "model.keras").write_bytes(b"weights")
    oracle = Oracle(config)
    monkeypatch.setattr("vision_app.evaluate_run.load_classifier", lambda run, progress=None: oracle)
    return Run(path)


def test_the_report_counts_what_the_model_answers(run: Run) -> None:
    shares = []
    report = evaluate_run(run, progress=lambda share, sentence: shares.append(share))
    labels = load_split("digits", "test")[1]
    assert report.count == len(labels) == 359
    assert report.accuracy == pytest.approx((labels != 3).mean())
    assert report.confusion[3][8] == (labels == 3).sum() == report.per_class[3].support
    assert (report.model, report.dataset, report.split) == ("oracle", "digits", "test")
    assert (report.parameters, report.file_bytes, report.training_seconds) == (123, 7, 7)
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_validation_and_train_are_the_runs_own(run: Run) -> None:
    labels = load_split("digits", "train")[1]
    kept, aside = stratified_holdout(labels, 0.2, 5)
    train, validation = evaluate_run(run, split="train"), evaluate_run(run, split="validation")
    assert (train.count, validation.count) == (len(kept), len(aside))
    assert [entry.support for entry in validation.per_class] == np.bincount(labels[aside]).tolist()
    assert len({train.split_id, validation.split_id, evaluate_run(run).split_id}) == 3


def test_a_limit_draws_the_same_images_each_time(run: Run) -> None:
    first, second = evaluate_run(run, limit=50), evaluate_run(run, limit=50)
    assert first == second and first.count == 50
    assert len([entry for entry in first.per_class if entry.support]) == 10
    assert first.split_id != evaluate_run(run).split_id
    assert evaluate_run(run, limit=10_000).split_id == evaluate_run(run).split_id


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dataset": "shapes"}, "'oracle' knows the classes 0, 1, 2 .*10 in all.*'shapes' has .*choose a dataset"),
        ({"dataset": "digit"}, "Unknown dataset 'digit'.*Did you mean 'digits'"),
        ({"split": "tset"}, "Unknown split 'tset'.*Did you mean 'test'"),
        ({"limit": 0}, "limit of at least 1 image, got 0"),
    ],
)
def test_what_cannot_be_tested_is_refused(run: Run, options: dict, message: str) -> None:
    with pytest.raises(InputError, match=message):
        evaluate_run(run, **options)


def test_latency_is_measured_where_there_is_a_model(run: Run) -> None:
    assert 0 < run_latency(run) < 100
    run.model_file.unlink()
    assert run_latency(run) is None


@pytest.mark.parametrize(("augmentation", "views"), [({}, 3), ({"flip": 0.5}, 6), ({"alternating_flip": 1}, 6)])
def test_averaging_stands_beside_the_plain_figures(run: Run, augmentation: dict[str, float], views: int) -> None:
    config = run.config().updated(augmentation=augmentation)
    (run.path / "config.json").write_text(config.to_json())
    plain, both = evaluate_run(run, limit=40), evaluate_run(run, limit=40, averaging=True)
    assert plain.averaged is None and both.model_copy(update={"averaged": None}) == plain
    assert both.averaged is not None and both.averaged.views == views
    # The oracle takes what it does not know for a 0: the image itself has half the weight or a quarter, the copies the rest.
    assert both.averaged.accuracy < plain.accuracy
