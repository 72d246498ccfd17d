"""Stratified splits, against scikit-learn's and against what every split must keep."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedShuffleSplit

from vision_app.data.splits import SplitRule, draw_limited, make_splits, stratified_holdout
from vision_app.errors import InputError

LABELS = np.random.default_rng(0).choice(5, 1000, p=[0.4, 0.3, 0.2, 0.07, 0.03])
NAMES = ("a", "b", "c", "d", "e")


def divided(labels: np.ndarray, fraction: float, seed: int, limit: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Divide a training split as a run does."""
    chosen = draw_limited(labels, limit, seed)
    kept, aside = stratified_holdout(labels[chosen], fraction, seed)
    return chosen[kept], chosen[aside]


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.25, 0.5])
def test_every_class_gives_its_share(fraction: float) -> None:
    kept, aside = stratified_holdout(LABELS, fraction, seed=3)
    reference = StratifiedShuffleSplit(1, test_size=fraction, random_state=0)
    expected_kept, expected_aside = next(reference.split(LABELS, LABELS))
    for ours, theirs in ((kept, expected_kept), (aside, expected_aside)):
        assert np.abs(np.bincount(LABELS[ours]) - np.bincount(LABELS[theirs])).max() <= 1


@pytest.mark.parametrize("limit", [None, 100, 333])
def test_parts_are_disjoint_and_complete(limit: int | None) -> None:
    kept, aside = divided(LABELS, 0.2, 1, limit)
    together = np.concatenate([kept, aside])
    assert len(np.unique(together)) == len(together)
    assert abs(len(together) - (limit or len(LABELS))) <= 5 / 2
    assert (kept == np.sort(kept)).all() and (aside == np.sort(aside)).all()
    if limit is None:
        assert set(together) == set(range(len(LABELS)))


def test_a_limit_keeps_the_proportions() -> None:
    kept, aside = divided(LABELS, 0.2, 1, 200)
    shares = np.bincount(LABELS[np.concatenate([kept, aside])]) / 200
    assert shares == pytest.approx(np.bincount(LABELS) / len(LABELS), abs=1 / 200)
    assert len(aside) == pytest.approx(40, abs=3)


def test_a_limit_above_the_number_of_images_changes_nothing() -> None:
    for plain, limited in zip(divided(LABELS, 0.1, 4), divided(LABELS, 0.1, 4, 10_000), strict=True):
        assert (plain == limited).all()


def test_the_seed_decides() -> None:
    first, again, other = (divided(LABELS, 0.1, seed, 500) for seed in (7, 7, 8))
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert set(first[1]) != set(other[1])


@pytest.mark.parametrize("limit", [None, 20])
@pytest.mark.parametrize("fraction", [0.01, 0.5])
def test_no_class_is_lost_from_training(limit: int | None, fraction: float) -> None:
    labels = np.array([0] * 50 + [1] + [2] * 2 + [3] * 3)
    kept, aside = divided(labels, fraction, 0, limit)
    assert set(labels[kept]) == {0, 1, 2, 3}
    assert 1 not in labels[aside]
    if limit is None:
        assert {0, 2, 3} == set(labels[aside])


def test_nothing_can_be_split_too() -> None:
    kept, aside = stratified_holdout(np.empty(0, np.int64), 0.1, 0)
    assert len(kept) == len(aside) == 0


def test_three_parts_have_their_shares_of_every_class() -> None:
    parts = make_splits(LABELS, NAMES, SplitRule(0.6, 0.1, 0.3, seed=3))
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(LABELS)))
    for name, share in (("train", 0.6), ("validation", 0.1), ("test", 0.3)):
        assert np.abs(np.bincount(LABELS[parts[name]]) - share * np.bincount(LABELS)).max() <= 1.5
        assert (parts[name] == np.sort(parts[name])).all()
    again, other = (make_splits(LABELS, NAMES, SplitRule(0.6, 0.1, 0.3, seed=seed)) for seed in (3, 4))
    assert all((again[name] == parts[name]).all() for name in parts)
    assert set(other["test"]) != set(parts["test"])


def test_a_share_of_nothing_is_left_out() -> None:
    assert make_splits(LABELS, NAMES, SplitRule(0.8, 0.0, 0.2)).keys() == {"train", "test"}


def test_at_most_so_many_of_a_class() -> None:
    parts = make_splits(LABELS, NAMES, SplitRule(largest=40))
    counts = np.bincount(LABELS[np.concatenate(list(parts.values()))])
    assert counts.tolist() == np.minimum(np.bincount(LABELS), 40).tolist()


def test_groups_stay_on_one_side() -> None:
    groups = np.arange(len(LABELS))
    pairs = np.random.default_rng(1).permutation(len(LABELS))[:200].reshape(2, 100)
    groups[pairs[0]] = groups[pairs[1]]  # pairs across classes too
    parts = make_splits(LABELS, NAMES, SplitRule(0.5, 0.25, 0.25), groups)
    sides = [set(groups[positions]) for positions in parts.values()]
    assert not sides[0] & sides[1] and not sides[0] & sides[2] and not sides[1] & sides[2]
    assert sorted(np.concatenate(list(parts.values()))) == list(range(len(LABELS)))


def test_groups_within_classes_keep_the_shares() -> None:
    labels = np.repeat(np.arange(4), 100)
    groups = np.arange(400) // 2  # pairs
    parts = make_splits(labels, NAMES[:4], SplitRule(0.7, 0.15, 0.15), groups)
    assert np.bincount(labels[parts["test"]]).tolist() == [16] * 4  # 15 rounded up to whole pairs


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        (SplitRule(0.7, 0.2, 0.2), r"must sum to 1, got 0.7 \+ 0.2 \+ 0.2 = 1.1"),
        (SplitRule(1.2, -0.4, 0.2), "need a share above 0"),
        (SplitRule(0.0, 0.5, 0.5), "need a share above 0"),
        (SplitRule(float("nan"), 0.5, 0.5), "must sum to 1"),
        (SplitRule(largest=2), "below the fewest"),
        (SplitRule(smallest=50), "at least 50 images to be divided; too few: e "),
    ],
)
def test_impossible_rules_are_refused_with_the_numbers(rule: SplitRule, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        make_splits(LABELS, NAMES, rule)


def test_a_class_that_would_be_missing_is_refused() -> None:
    labels = np.array([0] * 10 + [1] * 4)
    groups = np.array([*range(10), 10, 10, 10, 10])  # all of the second class belong together
    with pytest.raises(InputError, match="No image of b would be in validation"):
        make_splits(labels, ("a", "b"), SplitRule(), groups)
