"""Predictions: right, the same in any batch and from any thread, and without TensorFlow."""

import json
import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from tests.fakes import make_run, random_pictures
from vision_app import predict
from vision_app.data.datasets import load_split
from vision_app.data.preprocess import preprocess
from vision_app.data.uploads import normalize_upload
from vision_app.errors import InputError
from vision_app.evaluate_run import evaluate_run
from vision_app.predict import Classifier, load_classifier
from vision_app.processes import created
from vision_app.runs import Run

ROOT = Path(__file__).parents[1]
LATER = 2 * 10**18  # nanoseconds since 1970: after any file of today
IMAGES = random_pictures((60, 32, 32, 1))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """LeNet-5 with random weights. For reading only."""
    return make_run(tmp_path_factory.mktemp("runs") / "random-lenet")


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Run:
    """The same to spoil."""
    return Run(shutil.copytree(run.path, tmp_path / "copy"))


def keras_answers(run: Run, images: np.ndarray) -> np.ndarray:
    import keras

    return keras.saving.load_model(run.model_file, compile=False).predict(images.astype(np.float32), verbose=0)


def test_answers_are_those_of_the_saved_network(run: Run) -> None:
    answers = load_classifier(run).probabilities(IMAGES)
    assert answers.dtype == np.float32 and answers.shape == (60, 10)
    assert np.ptp(answers, axis=0).max() > 0.02
    assert np.abs(answers - keras_answers(run, IMAGES)).max() < 1e-5


@pytest.mark.parametrize("size", [1, 7, 50, 51, 60])
def test_the_batch_does_not_matter(run: Run, size: int) -> None:
    classifier = load_classifier(run)
    alone = np.concatenate([classifier.probabilities(image[None]) for image in IMAGES[:size]])
    together = classifier.probabilities(IMAGES[:size])
    assert np.abs(alone - together).max() < 1e-6
    assert classifier.probabilities(IMAGES[:0]).shape == (0, 10)


def test_threads_do_not_disturb_each_other(run: Run) -> None:
    classifier = load_classifier(run)
    expected = classifier.probabilities(IMAGES)
    parts = [slice(start, start + 1 + start % 7) for start in range(0, 50, 2)] * 8
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda part: classifier.probabilities(IMAGES[part]), parts))
    for part, answer in zip(parts, answers, strict=True):
        assert np.abs(answer - expected[part]).max() < 1e-6


def test_a_prediction_names_the_likeliest_class(run: Run) -> None:
    classifier = load_classifier(run)
    scores = classifier.probabilities(IMAGES[:1])[0]
    prediction = classifier.predict_received(IMAGES[0])
    assert prediction.label == str(int(scores.argmax()))
    assert list(prediction.scores) == list("0123456789")
    assert list(prediction.scores.values()) == pytest.approx(scores.tolist())
    assert json.loads(prediction.model_dump_json())["label"] == prediction.label


def test_pictures_from_outside_are_made_like_the_datasets_own(run: Run) -> None:
    classifier = load_classifier(run)
    paper = np.full((120, 90, 3), 240, np.uint8)
    paper[20:100, 40:52] = 30
    received = classifier.receive(paper)
    assert received.shape == (32, 32, 1) and received.dtype == np.uint8
    style = classifier.config.upload_style
    assert np.array_equal(received, preprocess(normalize_upload(paper, style)[None], 32, 1)[0])
    assert classifier.predict(paper) == classifier.predict_received(received)


@pytest.mark.parametrize("shape", [(32, 32, 1), (2, 32, 32, 3), (2, 28, 28, 1), (2, 32, 32)])
def test_other_shapes_are_refused(run: Run, shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"random-lenet expects images of shape \(n, 32, 32, 1\), got"):
        load_classifier(run).probabilities(np.zeros(shape, np.uint8))


def test_predicting_a_dataset_is_evaluating_it(trained_run: Run) -> None:
    images, labels = load_split("digits", "test")
    classifier = load_classifier(trained_run)
    config = classifier.config
    ready = preprocess(images, config.input_size, config.channels, config.fit)
    answers = np.array([int(classifier.predict_received(image).label) for image in ready])
    matrix = np.zeros((10, 10), int)
    np.add.at(matrix, (labels, answers), 1)
    report = evaluate_run(trained_run)
    assert np.array_equal(report.confusion, matrix)
    assert report.accuracy == pytest.approx((answers == labels).mean()) == trained_run.report()["accuracy"]
    assert report.accuracy > 0.3
    chosen = classifier.probabilities(ready)[np.arange(len(labels)), labels]
    assert report.loss == pytest.approx(-np.log(chosen).mean(), rel=1e-4)
    assert trained_run.report()["loss"] == pytest.approx(report.loss, rel=1e-4)


def test_a_model_is_loaded_once(copy: Run) -> None:
    first = load_classifier(copy)
    assert load_classifier(Run(copy.path)) is first
    copy.tflite_file.write_bytes(copy.tflite_file.read_bytes())
    assert load_classifier(copy) is not first


def test_a_missing_tflite_file_is_made_once(copy: Run) -> None:
    expected = load_classifier(copy).probabilities(IMAGES)
    copy.tflite_file.unlink()
    calls = []
    classifier = load_classifier(copy, lambda share, text: calls.append((share, text)))
    assert len(calls) == 1 and "copy" in calls[0][1] and 0 <= calls[0][0] < 1
    assert np.abs(classifier.probabilities(IMAGES) - expected).max() < 1e-6
    load_classifier(copy, lambda share, text: calls.append((share, text)))
    assert len(calls) == 1


def test_a_better_epoch_of_an_unfinished_run_is_served(
    copy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_classifier(copy)
    better = make_run(tmp_path / "better", seed=5)
    shutil.copyfile(better.model_file, copy.model_file)
    os.utime(copy.model_file, ns=(copy.tflite_file.stat().st_mtime_ns + 1,) * 2)

    def convert(command: list[str], **options: object) -> SimpleNamespace:
        assert command[-1] == str(copy.model_file)
        return SimpleNamespace(returncode=0, stdout=better.tflite_file.read_bytes())

    monkeypatch.setattr("vision_app.predict.subprocess.run", convert)
    answers = load_classifier(copy).probabilities(IMAGES)
    assert np.abs(answers - keras_answers(better, IMAGES)).max() < 1e-5


def test_a_model_that_is_replaced_while_it_is_converted_is_served_and_the_better_one_next(
    copy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worse, better = copy.tflite_file.read_bytes(), make_run(tmp_path / "better", seed=5)
    copy.tflite_file.unlink()
    copy.report_file.unlink(missing_ok=True)
    copy.update_status(state="running", pid=os.getpid(), pid_started=created(psutil.Process()))
    contents = [worse, better.tflite_file.read_bytes()]

    def convert(command: list[str], **options: object) -> SimpleNamespace:
        if len(contents) == 2:  # the worker finds a better epoch just now
            shutil.copyfile(better.model_file, copy.model_file)
            os.utime(copy.model_file, ns=(LATER, LATER))
        return SimpleNamespace(returncode=0, stdout=contents.pop(0))

    monkeypatch.setattr("vision_app.predict.subprocess.run", convert)
    expected = keras_answers(copy, IMAGES)
    assert np.abs(load_classifier(copy).probabilities(IMAGES) - expected).max() < 1e-5
    answers = load_classifier(copy).probabilities(IMAGES)
    assert contents == [] and np.abs(answers - keras_answers(better, IMAGES)).max() < 1e-5
    assert copy.tflite_file.stat().st_mtime_ns == LATER


def test_of_a_run_that_ends_meanwhile_the_last_model_is_served(
    copy: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier, last = copy.tflite_file.read_bytes(), make_run(tmp_path / "better", seed=5)
    contents = [earlier, last.tflite_file.read_bytes()]
    copy.tflite_file.unlink()
    copy.report_file.unlink(missing_ok=True)

    def convert(command: list[str], **options: object) -> SimpleNamespace:
        if len(contents) == 2:  # a worker that cannot convert ends just now
            shutil.copyfile(last.model_file, copy.model_file)
            os.utime(copy.model_file, ns=(LATER, LATER))
            copy.report_file.write_text("{}")
        return SimpleNamespace(returncode=0, stdout=contents.pop(0))

    monkeypatch.setattr("vision_app.predict.subprocess.run", convert)
    answers = load_classifier(copy).probabilities(IMAGES)
    assert contents == [] and np.abs(answers - keras_answers(last, IMAGES)).max() < 1e-5


def test_what_the_worker_makes_last_is_not_replaced_by_an_earlier_epoch(
    copy: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = copy.tflite_file.read_bytes()
    copy.tflite_file.unlink()

    def convert(command: list[str], **options: object) -> SimpleNamespace:
        os.utime(copy.model_file, ns=(LATER, LATER))
        copy.tflite_file.write_bytes(content)
        os.utime(copy.tflite_file, ns=(LATER, LATER))
        return SimpleNamespace(returncode=0, stdout=b"of an earlier epoch")

    monkeypatch.setattr("vision_app.predict.subprocess.run", convert)
    load_classifier(copy)
    assert copy.tflite_file.read_bytes() == content


def test_an_answer_that_is_no_number_is_told(copy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = load_classifier(copy)
    monkeypatch.setattr(classifier, "_invoke", lambda images: np.full((len(images), 10), np.nan, np.float32))
    with pytest.raises(InputError, match="copy answered with values that are not numbers"):
        classifier.predict_received(IMAGES[0])


def test_many_who_ask_at_once_start_one_conversion(copy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    content, started = copy.tflite_file.read_bytes(), []
    copy.tflite_file.unlink()

    def convert(command: list[str], **options: object) -> SimpleNamespace:
        started.append(command)
        time.sleep(0.2)
        return SimpleNamespace(returncode=0, stdout=content)

    monkeypatch.setattr("vision_app.predict.subprocess.run", convert)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: load_classifier(copy), range(8)))
    assert len(started) == 1


def test_while_a_better_epoch_is_made_ready_the_one_before_answers(copy: Run) -> None:
    os.utime(copy.model_file, ns=(copy.tflite_file.stat().st_mtime_ns + 10,) * 2)
    with predict._CONVERTING:
        assert load_classifier(copy).probabilities(IMAGES[:1]).shape == (1, 10)


def test_who_waits_too_long_is_told(copy: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    copy.tflite_file.unlink()
    monkeypatch.setattr(predict, "WAIT_SECONDS", 0.05)
    with predict._CONVERTING, pytest.raises(InputError, match="still being made ready"):
        load_classifier(copy)


@pytest.mark.parametrize("changes", [{"classes": ["a", "b"]}, {"input_size": None}])
def test_a_config_that_does_not_fit_the_model_is_told(copy: Run, changes: dict) -> None:
    config = json.loads((copy.path / "config.json").read_text())
    (copy.path / "config.json").write_text(json.dumps(config | changes))
    with pytest.raises(InputError, match="does not fit its config"):
        load_classifier(copy)


def test_a_finished_run_is_served_as_it_is(copy: Run) -> None:
    (copy.path / "report.json").write_text("{}")
    os.utime(copy.tflite_file, ns=(1, 1))
    load_classifier(copy, lambda share, text: pytest.fail("made again"))
    copy.model_file.unlink()
    assert load_classifier(copy).probabilities(IMAGES[:1]).shape == (1, 10)


def test_a_run_without_a_model_is_told(copy: Run) -> None:
    copy.tflite_file.unlink()
    copy.model_file.write_bytes(b"rubbish")
    with pytest.raises(InputError, match=r"copy/model.keras is damaged"):
        load_classifier(copy)
    assert not copy.tflite_file.exists()
    copy.model_file.unlink()
    with pytest.raises(InputError, match="copy has no model yet: wait for its first epoch"):
        load_classifier(copy)


def test_a_file_of_another_network_is_told(copy: Run) -> None:
    config = copy.config()
    (copy.path / "config.json").write_text(config.updated(channels=3).to_json())
    with pytest.raises(InputError, match=r"The model.tflite of copy does not fit its config"):
        Classifier(copy)


def python(code: str, *arguments: object) -> subprocess.CompletedProcess:
    """Run code in a process of its own, which may crash."""
    words = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, cwd=ROOT)


DAMAGED = """
import random, sys
from pathlib import Path
from vision_app.errors import InputError
from vision_app.predict import load_classifier
from vision_app.runs import Run
run = Run(Path(sys.argv[1]))
good = run.tflite_file.read_bytes()
random.seed(0)
cases = [b"", b"not a model", bytes(len(good)), good[:1000], good[: len(good) // 2], good[:-4]]
for start in (0, 100, 1000, len(good) - 6000):
    cases.append(good[:start] + random.randbytes(3000) + good[start + 3000 :])
for case in cases:
    run.tflite_file.unlink()
    run.tflite_file.write_bytes(case)
    try:
        load_classifier(run)
    except InputError as error:
        print(error)
"""


def test_damaged_files_are_told_and_do_not_crash(copy: Run) -> None:
    result = python(DAMAGED, copy.path)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == ["copy/model.tflite is damaged; delete it and it is made again."] * 10


LIGHT = """
import sys
import time
from pathlib import Path
import numpy as np
from vision_app.predict import load_classifier
from vision_app.runs import Run
prediction = load_classifier(Run(Path(sys.argv[1]))).predict_received(np.zeros((32, 32, 1), np.uint8))
print(prediction.label, sorted({"tensorflow", "keras", "sklearn", "matplotlib", "gradio"} & set(sys.modules)))
"""


def test_a_prediction_imports_no_framework(run: Run) -> None:
    result = python(LIGHT, run.path)
    assert result.returncode == 0, result.stderr
    expected = load_classifier(run).predict_received(np.zeros((32, 32, 1), np.uint8)).label
    assert result.stdout.split() == [expected, "[]"]
