"""The bundled digits, against scikit-learn's own arrays."""

import numpy as np
from sklearn.datasets import load_digits

from vision_app.data.sources import digits


def test_together_the_splits_are_the_bundle() -> None:
    parts = [digits.load("train"), digits.load("test")]
    images = np.concatenate([part[0] for part in parts])
    labels = np.concatenate([part[1] for part in parts])
    bundle = load_digits()
    expected = {
        (tuple(np.round(row * 255 / 16).astype(int)), target)
        for row, target in zip(bundle.data, bundle.target, strict=True)
    }
    found = {(tuple(row.ravel().tolist()), label) for row, label in zip(images, labels, strict=True)}
    assert found == expected
    assert images.min() == 0 and images.max() == 255 and images.dtype == np.uint8


def test_the_test_split_is_a_fifth_of_every_class() -> None:
    train, test = (np.bincount(digits.load(split)[1]) for split in ("train", "test"))
    assert np.abs(test - (train + test) / 5).max() <= 0.5
    assert np.array_equal(digits.load("test")[0], digits.load("test")[0])
