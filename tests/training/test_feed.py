"""What Keras is handed: every image once, in the order of the run, and no batch made twice."""

from typing import Any

import keras
import numpy as np
import pytest

from vision_app.data.pipeline import TrainingBatches
from vision_app.data.ready import ready_training
from vision_app.training import feed
from vision_app.training.feed import EVALUATION_BATCH, evaluation_batch, to_answer, to_learn_from
from vision_app.training.recipe import make_config


@pytest.fixture(scope="module")
def batches() -> TrainingBatches:
    images = np.arange(70 * 4, dtype=np.uint8).reshape(70, 2, 2, 1)
    return TrainingBatches(images, np.arange(70) % 3, 32, 5, None)


def read(fed: Any) -> list[tuple[np.ndarray, ...]]:
    return [tuple(np.asarray(values) for values in batch) for batch in fed]


@pytest.mark.parametrize("steps", [None, 5])
def test_batches_come_in_the_order_of_the_epoch(batches: TrainingBatches, steps: int | None) -> None:
    for epoch in (0, 1):
        batches.start_epoch(epoch)
        fed = to_learn_from(batches, steps)
        assert len(fed) == (steps or 2)
        for number, (images, labels) in enumerate(read(fed)):
            expected = batches.batch(number % 2)
            assert np.array_equal(images, expected[0]) and np.array_equal(labels, expected[1])
            assert (images.dtype, labels.dtype) == (np.uint8, np.int32)


def test_what_is_tested_comes_as_it_stands() -> None:
    _, validation = ready_training(make_config("shapes", "lenet5", {"validation_fraction": 0.1}))
    assert len(validation) == 800 > EVALUATION_BATCH  # so the last batch is a smaller one
    plain, mixed = read(to_answer(validation)), read(to_answer(validation, 8))
    assert np.array_equal(np.concatenate([images for images, _ in plain]), validation.images[:])
    assert np.array_equal(np.concatenate([labels for _, labels in plain]), validation.labels)
    assert np.array_equal(np.concatenate([labels for _, labels in mixed]), np.eye(8)[validation.labels])


@pytest.mark.parametrize(
    ("side", "count"), [(8, 500), (32, 500), (63, 500), (64, 488), (224, 39), (384, 13), (2000, 1)]
)
def test_large_pictures_are_answered_in_smaller_batches(side: int, count: int) -> None:
    assert evaluation_batch(side) == count


def test_no_batch_is_made_twice_and_nobody_tunes(batches: TrainingBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    original = batches.batch
    monkeypatch.setattr(batches, "batch", lambda index: made.append(index) or original(index))
    fed = to_learn_from(batches)
    assert fed.options().autotune.enabled is False
    model = keras.Sequential([keras.layers.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(fed, epochs=4, shuffle=False, verbose=0)
    assert made == [0, *[0, 1] * 4]  # the first one more, to see what it looks like


def test_other_backends_read_the_batches_themselves(batches: TrainingBatches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed.keras.backend, "backend", lambda: "jax")
    fed = to_learn_from(batches)
    assert isinstance(fed, keras.utils.PyDataset) and len(fed) == 2
    assert np.array_equal(fed[1][0], batches.batch(1)[0])
