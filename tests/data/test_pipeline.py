"""Batches: which images, in which order, with which changes."""

import numpy as np
import pytest

from vision_app.data.augment import Augmenter
from vision_app.data.pipeline import TrainingBatches

COUNT = 100
LABELS = (np.arange(COUNT) * 7) % 10


def make_batches(batch_size: int = 7, seed: int = 0, augmenter: Augmenter | None = None) -> TrainingBatches:
    """Return batches of images whose first pixel says which image it is."""
    images = np.random.default_rng(1).integers(0, 256, (COUNT, 6, 6, 1), np.uint8)
    images[:, 0, 0, 0] = np.arange(COUNT)
    return TrainingBatches(images, LABELS, batch_size, seed, augmenter)


def order_of(batches: TrainingBatches, epoch: int) -> list[int]:
    batches.start_epoch(epoch)
    return [int(image[0, 0, 0]) for index in range(len(batches)) for image in batches.batch(index)[0]]


@pytest.mark.parametrize(("batch_size", "num_batches"), [(10, 10), (7, 14), (100, 1), (1000, 1)])
def test_every_image_at_most_once_an_epoch(batch_size: int, num_batches: int) -> None:
    batches = make_batches(batch_size)
    order = order_of(batches, 0)
    assert len(batches) == num_batches
    assert len(order) == len(set(order)) == num_batches * min(batch_size, COUNT)


def test_what_one_epoch_drops_another_uses() -> None:
    batches = make_batches(60)
    assert len(order_of(batches, 0)) == 60
    assert {image for epoch in range(12) for image in order_of(batches, epoch)} == set(range(COUNT))


def test_labels_follow_their_images() -> None:
    images, labels = make_batches().batch(3)
    assert labels.tolist() == LABELS[images[:, 0, 0, 0]].tolist()
    assert images.dtype == np.uint8 and labels.dtype == np.int32


def test_order_depends_on_seed_and_epoch_alone() -> None:
    first = order_of(make_batches(), 0)
    assert first != list(range(len(first)))
    assert first == order_of(make_batches(), 0)
    assert first != order_of(make_batches(), 1) and first != order_of(make_batches(seed=1), 0)
    resumed, continued = make_batches(), make_batches()
    for epoch in range(3):
        order_of(continued, epoch)
    assert order_of(resumed, 3) == order_of(continued, 3)


def test_changes_do_not_depend_on_the_batches_fetched_before() -> None:
    augmenter = Augmenter({"translation": 0.3, "noise": 0.1})
    batches, others = make_batches(augmenter=augmenter), make_batches(augmenter=augmenter)
    straight = [batches.batch(index)[0] for index in range(len(batches))]
    backwards = [others.batch(index)[0] for index in reversed(range(len(others)))][::-1]
    assert np.array_equal(straight, backwards)
    plain = make_batches().batch(0)[0]
    others.start_epoch(1)
    assert not np.array_equal(straight[0], plain) and not np.array_equal(others.batch(0)[0], straight[0])


def test_the_augmenter_is_applied_to_copies() -> None:
    batches = make_batches(augmenter=Augmenter({"flip": 1.0}))
    before = batches.images.copy()
    assert np.array_equal(batches.batch(2)[0], make_batches().batch(2)[0][:, :, ::-1])
    assert np.array_equal(batches.images, before)


def test_an_alternating_flip_mirrors_each_image_in_every_other_epoch() -> None:
    plain, turning = make_batches(10), make_batches(10, augmenter=Augmenter({"alternating_flip": 1}))
    mirrored = np.zeros((4, COUNT), bool)
    for epoch in range(4):
        plain.start_epoch(epoch)
        turning.start_epoch(epoch)
        for index in range(len(plain)):
            originals, images = plain.batch(index)[0], turning.batch(index)[0]
            for original, image in zip(originals, images, strict=True):
                is_mirrored = np.array_equal(image, original[:, ::-1])
                assert is_mirrored or np.array_equal(image, original)
                mirrored[epoch, original[0, 0, 0]] = is_mirrored
    assert np.array_equal(mirrored[0], ~mirrored[1]) and np.array_equal(mirrored[:2], mirrored[2:])
    assert 0.3 < mirrored[0].mean() < 0.7
