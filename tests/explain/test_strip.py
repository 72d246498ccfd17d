"""The strip's files, and which images are in it."""

import numpy as np
import pytest

from tests.explain.small_runs import one_layer
from vision_app.explain import strip
from vision_app.explain.gradients import make_differentiator
from vision_app.explain.strip import (
    Glimpse,
    Strip,
    choose_images,
    list_epochs,
    look,
    read_glimpse,
    read_strip,
    write_glimpse,
    write_strip,
)
from vision_app.runs import Run, create_run
from vision_app.training.recipe import make_config

PASS_ON = np.array([1.0, -1.0]).reshape(1, 1, 1, 2)  # one filter passes the image on, the other its negative


@pytest.fixture
def run() -> Run:
    return create_run(make_config("digits", "lenet5", {}))


def some_glimpse(epoch: int) -> Glimpse:
    return Glimpse(epoch, np.full((2, 3), 1 / 3, np.float16), np.full((2, 4, 4), epoch % 256, np.uint8))


@pytest.mark.parametrize(
    ("num_classes", "each", "counts"),
    [(10, 9, {1: 8, 2: 2}), (3, 9, {4: 3}), (40, 2, {1: 12}), (4, 1, {1: 4})],
)
def test_images_are_spread_over_the_classes(num_classes: int, each: int, counts: dict[int, int]) -> None:
    labels = np.random.default_rng(1).permutation(np.repeat(np.arange(num_classes), each))
    chosen = choose_images(labels, 7)
    assert len(set(chosen)) == len(chosen) == sum(times * classes for times, classes in counts.items())
    assert (np.diff(labels[chosen]) >= 0).all()
    found = np.unique(np.unique(labels[chosen], return_counts=True)[1], return_counts=True)
    assert dict(zip(*(part.tolist() for part in found), strict=True)) == counts
    assert np.array_equal(chosen, choose_images(labels, 7))
    assert each == 1 or not np.array_equal(chosen, choose_images(labels, 8))


def test_maps_and_probabilities_by_hand() -> None:
    # The logit of class 0 is 2 x mean(image): the map is the image itself. Nothing speaks for class 1.
    model = one_layer(PASS_ON, 0, np.array([[2.0, -3.0], [5.0, 1.0]]) / 100, 6)
    images = np.random.default_rng(0).integers(0, 256, (3, 6, 6, 1)).astype(np.uint8)
    seen = look(make_differentiator(model, "conv2"), images, np.array([0, 1, 0]), 5)
    for index in (0, 2):
        assert np.abs(seen.maps[index] - 255.0 * images[index, ..., 0] / images[index].max()).max() <= 0.51
    assert not seen.maps[1].any() and seen.epoch == 5
    difference = 0.05 * images.mean((1, 2, 3))
    assert seen.probabilities[:, 0] == pytest.approx(1 / (1 + np.exp(-difference)), abs=2e-3)
    assert seen.probabilities.sum(1) == pytest.approx(1, abs=2e-3)


def test_weights_that_change_are_seen() -> None:
    model = one_layer(PASS_ON, 0, np.array([[2.0, -3.0], [5.0, 1.0]]), 6)
    differentiate, images = make_differentiator(model, "conv2"), np.full((1, 6, 6, 1), 9, np.uint8)
    assert look(differentiate, images, np.array([0]), 1).maps.any()
    model.get_layer("logits").set_weights([-np.array([[2.0, -3.0], [5.0, 1.0]], np.float32)])
    assert not look(differentiate, images, np.array([0]), 2).maps.any()


def test_what_is_written_is_read_back_and_large_pictures_are_reduced(run: Run) -> None:
    assert list_epochs(run) == []
    images = np.random.default_rng(0).integers(0, 256, (2, 192, 192, 3)).astype(np.uint8)
    write_strip(run, Strip(images, np.array([4, 6])))
    write_glimpse(run, some_glimpse(3))
    found = read_strip(run)
    exact = images.reshape(2, 64, 3, 64, 3, 3).mean((2, 4))
    assert found.labels.tolist() == [4, 6] and np.abs(found.images - exact).max() <= 0.51
    assert list_epochs(run) == [3]
    assert np.array_equal(read_glimpse(run, 3).maps, some_glimpse(3).maps)
    assert np.array_equal(read_glimpse(run, 3).probabilities, some_glimpse(3).probabilities)


def test_a_long_run_keeps_about_fifty_epochs_evenly_spread(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strip, "write_atomic", lambda file, content: file.write_bytes(content))
    write_strip(run, Strip(np.zeros((2, 4, 4, 1), np.uint8), np.array([0, 1])))
    for epoch in range(201):
        write_glimpse(run, some_glimpse(epoch))
        kept = list_epochs(run)
        assert len(kept) <= strip.MAX_EPOCHS + 2 and kept[0] == 0 and kept[-1] == epoch
        if epoch == 50:
            assert kept == list(range(51))
        if epoch == 101:
            assert kept == [*range(0, 101, 4), 101]
    assert kept == list(range(0, 201, 4))
