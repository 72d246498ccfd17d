"""What a search tries."""

import math

import numpy as np
import pytest

from vision_app.errors import InputError
from vision_app.training.choices import MAX_RUNS, combine, is_drawn, read_choices


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.01, 0.1,1e-3", [0.01, 0.1, 0.001]),
        ("adam,sgd", ["adam", "sgd"]),
        ("1,1, 1", [1]),
        ("1,1.0,true", [1, 1.0, True]),
        ("none | flip,zoom | rotation=10", [None, "flip,zoom", "rotation=10"]),
    ],
)
def test_values_are_listed(text: str, values: list) -> None:
    found = read_choices("field", text)
    assert found == values and [type(value) for value in found] == [type(value) for value in values]
    assert not is_drawn(text)


@pytest.mark.parametrize("text", ["", " ", "0.1,", ",", "a||b"])
def test_nothing_to_try_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"Expected values to try for Learning rate \(learning_rate\)"):
        read_choices("learning_rate", text)


@pytest.mark.parametrize(
    "text",
    [
        "loguniform(0, 1)",
        "loguniform(-1, 1)",
        "uniform(2, 1)",
        "uniform(1, 1)",
        "uniform(a, 2)",
        "uniform(0, 1e999)",
        "integers(1, 1e30)",
    ],
)
def test_impossible_ends_are_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"Expected two rising numbers"):
        read_choices("l2", text)
    with pytest.raises(InputError, match=r"Unknown distribution 'normal'"):
        read_choices("l2", "normal(0, 1)")


def test_every_combination_is_there_once_with_its_fields_in_order() -> None:
    found = combine({"seed": [1, 2, 3], "batch_size": [8, 16]}, None, 0)
    assert sorted(tuple(each.items()) for each in found) == [
        (("seed", seed), ("batch_size", size)) for seed in (1, 2, 3) for size in (8, 16)
    ]


def test_so_many_are_drawn_without_doing_one_twice_and_the_seed_decides() -> None:
    choices = {"seed": list(range(10)), "batch_size": [8, 16]}
    first, again, other = (combine(choices, 8, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert len({tuple(each.items()) for each in first}) == 8
    assert len(combine({"seed": [1, 2]}, 8, 0)) == 2  # there are no more


def test_drawn_numbers_are_spread_as_they_are_said_to_be() -> None:
    choices = {
        "learning_rate": read_choices("learning_rate", "loguniform(1e-4, 1)"),
        "dropout": read_choices("dropout", "uniform(0.2, 0.6)"),
        "batch_size": read_choices("batch_size", "integers(8, 10)"),
    }
    assert is_drawn("loguniform(1e-4, 1)")
    drawn = [each for seed in range(20) for each in combine(choices, 50, seed)]
    rates = np.log10([each["learning_rate"] for each in drawn])
    counts = np.histogram(rates, bins=[-4, -3, -2, -1, 0])[0]
    assert counts.sum() == 1000 and counts.min() > 200
    dropouts = [each["dropout"] for each in drawn]
    assert 0.2 <= min(dropouts) < 0.22 and 0.58 < max(dropouts) <= 0.6
    assert {each["batch_size"] for each in drawn} == {8, 9, 10}
    assert all(type(each["batch_size"]) is int and type(each["dropout"]) is float for each in drawn)
    assert all(math.isclose(rate, float(f"{rate:.3g}")) for rate in (each["learning_rate"] for each in drawn))


def test_too_many_runs_are_refused_and_so_is_a_draw_without_a_number() -> None:
    with pytest.raises(InputError, match=f"These are 51 combinations, more than {MAX_RUNS}"):
        combine({"seed": list(range(51))}, None, 0)
    for number in (0, -1, MAX_RUNS + 1):
        with pytest.raises(InputError, match=f"Expected 1 to {MAX_RUNS} runs to pick, got {number}"):
            combine({"seed": [1, 2]}, number, 0)
    with pytest.raises(InputError, match=r"L2 \(l2\) is to be picked at random; say how many"):
        combine({"l2": read_choices("l2", "uniform(0, 1)")}, None, 0)


@pytest.mark.parametrize("seed", [-1, 2**31, "abc"])
def test_impossible_seeds_are_refused(seed: object) -> None:
    with pytest.raises(InputError, match="Expected a seed from 0 to 2,147,483,647, got"):
        combine({"batch_size": [16, 32]}, 2, seed)
