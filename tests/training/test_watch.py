"""Counting while Keras validates, against predictions made afterwards."""

import json

import keras
import numpy as np
import pytest

from vision_app.evaluation.epochs import read_epochs, summarize
from vision_app.evaluation.metrics import confusion_matrix
from vision_app.runs import Run, create_run
from vision_app.training.recipe import make_config
from vision_app.training.watch import Counts, WriteCounts

NUM_CLASSES = 4


def make_model(counts: Counts, one_hot: bool = False) -> keras.Model:
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dropout(0.5), keras.layers.Dense(NUM_CLASSES)])
    kind = keras.losses.CategoricalCrossentropy if one_hot else keras.losses.SparseCategoricalCrossentropy
    model.compile(keras.optimizers.SGD(1.0), kind(from_logits=True), metrics=["accuracy", counts])
    return model


@pytest.mark.parametrize("one_hot", [False, True])
def test_counts_are_those_of_the_validation_images_alone(one_hot: bool) -> None:
    run, counts = create_run(make_config("digits", "lenet5", {})), Counts(NUM_CLASSES)
    model, generator = make_model(counts, one_hot), np.random.default_rng(0)
    images, labels = generator.normal(size=(90, 6)).astype(np.float32), generator.integers(0, NUM_CLASSES, 90)
    targets = np.eye(NUM_CLASSES)[labels] if one_hot else labels
    expected = []

    class Predict(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict) -> None:
            logits = keras.ops.convert_to_numpy(model(images[50:], training=False))
            ranks = (logits > np.take_along_axis(logits, labels[50:, None], 1)).sum(1)
            confusion = confusion_matrix(labels[50:], logits.argmax(1), NUM_CLASSES)
            expected.append(summarize(epoch + 1, confusion, np.bincount(ranks, minlength=NUM_CLASSES)))
            run.append_history(kind="epoch", step=epoch, epoch=epoch + 1)

    model.fit(
        images[:50], targets[:50], batch_size=16, epochs=3, verbose=0, validation_batch_size=15,
        validation_data=(images[50:], targets[50:]), callbacks=[WriteCounts(run, counts), Predict()],
    )  # fmt: skip
    assert len(expected) == 3 and len({result.cells for result in expected}) > 1
    assert read_epochs(run) == expected


def test_nothing_is_counted_while_training() -> None:
    counts = Counts(NUM_CLASSES)
    model = make_model(counts)
    model.fit(np.ones((20, 6)), np.zeros(20), batch_size=10, verbose=0)
    assert not counts.read()[0].any()


def test_among_equal_scores_the_first_class_is_the_likelier() -> None:
    counts = Counts(3)
    counts.is_counting = True
    counts.update_state(np.array([[0], [2]]), np.array([[1.0, 1.0, 1.0], [5.0, 1.0, 1.0]]))
    confusion, ranks = counts.read()
    assert ranks.tolist() == [1, 0, 1]
    assert confusion.tolist() == [[1, 0, 0], [0, 0, 0], [1, 0, 0]]


def test_a_run_says_what_each_epoch_answered(trained_run: Run) -> None:
    results = read_epochs(trained_run)
    epochs = [line for line in trained_run.history() if line["kind"] == "epoch"]
    assert [result.epoch for result in results] == [1, 2]
    for result, line in zip(results, epochs, strict=True):
        assert result.top_k[0] == pytest.approx(line["val_accuracy"], abs=1e-5)
        assert result.confusion().sum() == result.count == sum(result.support)
        assert result.confusion().trace() == round(result.top_k[0] * result.count)
    assert json.loads(trained_run.validation_file.read_text().splitlines()[0])["epoch"] == 1
