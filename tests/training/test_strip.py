"""Looking at the strip never changes or costs a run."""

import logging

import keras
import numpy as np
import pytest

from vision_app.data.ready import Ready
from vision_app.explain.strip import list_epochs, read_glimpse, read_strip
from vision_app.runs import Run, create_run
from vision_app.training import strip
from vision_app.training.networks import make_models
from vision_app.training.recipe import make_config
from vision_app.training.strip import WriteStrip

CONFIG = make_config("digits", "simple_cnn", {"dropout": 0.5, "seed": 4}).updated(
    classes=("a", "b", "c"), input_size=12, channels=1
)


def some_part() -> Ready:
    images = np.random.default_rng(0).integers(0, 256, (30, 12, 12, 1)).astype(np.uint8)
    return Ready(images, np.arange(30) % 3, images)


def fit(part: Ready, *callbacks: keras.callbacks.Callback) -> keras.Model:
    keras.utils.set_random_seed(4)
    model, _ = make_models(CONFIG, part.images)
    model.fit(part.images[:], part.labels, batch_size=10, epochs=2, shuffle=False, verbose=0, callbacks=[*callbacks])
    return model


def test_the_weights_are_those_without_it_and_the_maps_those_of_each_epoch() -> None:
    run, part = create_run(CONFIG), some_part()
    seen, plain = fit(part, WriteStrip(run, CONFIG, part)), fit(part)
    for one, other in zip(seen.variables, plain.variables, strict=True):  # the random state of dropout is among them
        assert np.array_equal(keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other))
    shown = read_strip(run)
    assert np.bincount(shown.labels).tolist() == [4, 4, 4] and shown.images.shape == (12, 12, 12, 1)
    assert list_epochs(run) == [0, 1, 2]
    glimpses = [read_glimpse(run, epoch) for epoch in range(3)]
    last = keras.ops.softmax(keras.ops.convert_to_numpy(seen([shown.images.astype(np.float32)], training=False)))
    assert np.allclose(glimpses[2].probabilities, last, atol=2e-3)
    assert not np.allclose(glimpses[0].probabilities, glimpses[2].probabilities, atol=2e-3)


def test_what_goes_wrong_is_said_once_and_the_run_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    run, part = create_run(CONFIG), some_part()

    def fail(*_: object) -> None:
        raise MemoryError

    with monkeypatch.context() as broken, caplog.at_level(logging.ERROR):
        broken.setattr(strip, "look", fail)
        fit(part, WriteStrip(run, CONFIG, part))
    assert list_epochs(run) == [] and caplog.text.count("are left out from epoch 0 on") == 1


def test_a_resumed_run_keeps_what_was_seen_before() -> None:
    run, part = create_run(CONFIG), some_part()
    model = fit(part, WriteStrip(run, CONFIG, part))
    before = read_glimpse(run, 0).probabilities
    again = WriteStrip(run, CONFIG, part)
    again.set_model(model)
    again.on_train_begin()
    again.on_epoch_end(2)
    assert list_epochs(run) == [0, 1, 2, 3] and np.array_equal(read_glimpse(run, 0).probabilities, before)


def test_a_whole_run_has_a_strip(trained_run: Run) -> None:
    assert list_epochs(trained_run) == [0, 1, 2]
    assert read_strip(trained_run).images.shape == (12, 32, 32, 1)
    assert any(read_glimpse(trained_run, epoch).maps.any() for epoch in range(3))
