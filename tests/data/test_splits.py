"""Stratified splits, against scikit-learn's and against what every split must keep."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedShuffleSplit

from vision_app.data.splits import stratified_holdout, train_validation_split

LABELS = np.random.default_rng(0).choice(5, 1000, p=[0.4, 0.3, 0.2, 0.07, 0.03])


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.25, 0.5])
def test_every_class_gives_its_share(fraction: float) -> None:
    kept, aside = stratified_holdout(LABELS, fraction, seed=3)
    reference = StratifiedShuffleSplit(1, test_size=fraction, random_state=0)
    expected_kept, expected_aside = next(reference.split(LABELS, LABELS))
    for ours, theirs in ((kept, expected_kept), (aside, expected_aside)):
        assert np.abs(np.bincount(LABELS[ours]) - np.bincount(LABELS[theirs])).max() <= 1


@pytest.mark.parametrize("limit", [None, 100, 333])
def test_parts_are_disjoint_and_complete(limit: int | None) -> None:
    kept, aside = train_validation_split(LABELS, 0.2, 1, limit)
    together = np.concatenate([kept, aside])
    assert len(np.unique(together)) == len(together)
    assert abs(len(together) - (limit or len(LABELS))) <= 5 / 2
    assert (kept == np.sort(kept)).all() and (aside == np.sort(aside)).all()
    if limit is None:
        assert set(together) == set(range(len(LABELS)))


def test_a_limit_keeps_the_proportions() -> None:
    kept, aside = train_validation_split(LABELS, 0.2, 1, 200)
    shares = np.bincount(LABELS[np.concatenate([kept, aside])]) / 200
    assert shares == pytest.approx(np.bincount(LABELS) / len(LABELS), abs=1 / 200)
    assert len(aside) == pytest.approx(40, abs=3)


def test_a_limit_above_the_number_of_images_changes_nothing() -> None:
    for plain, limited in zip(
        train_validation_split(LABELS, 0.1, 4), train_validation_split(LABELS, 0.1, 4, 10_000), strict=True
    ):
        assert (plain == limited).all()


def test_the_seed_decides() -> None:
    first, again, other = (train_validation_split(LABELS, 0.1, seed, 500) for seed in (7, 7, 8))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert set(first[1]) != set(other[1])


@pytest.mark.parametrize("limit", [None, 20])
@pytest.mark.parametrize("fraction", [0.01, 0.5])
def test_no_class_is_lost_from_training(limit: int | None, fraction: float) -> None:
    labels = np.array([0] * 50 + [1] + [2] * 2 + [3] * 3)
    kept, aside = train_validation_split(labels, fraction, 0, limit)
    assert set(labels[kept]) == {0, 1, 2, 3}
    assert 1 not in labels[aside]
    if limit is None:
        assert {0, 2, 3} == set(labels[aside])


def test_nothing_can_be_split_too() -> None:
    kept, aside = stratified_holdout(np.empty(0, np.int64), 0.1, 0)
    assert len(kept) == len(aside) == 0
