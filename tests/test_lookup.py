"""Finding a row in a table."""

import pytest

from vision_app.errors import InputError
from vision_app.lookup import find

TABLE = {"mnist": 1, "cifar10": 2}


def test_a_known_name_is_found() -> None:
    assert find(TABLE, "cifar10", "dataset") == 2


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(InputError, match=r"^Unknown dataset 'minst'\. Did you mean 'mnist'\? Known: mnist, cifar10\.$"):
        find(TABLE, "minst", "dataset")


@pytest.mark.parametrize("name", ["zebra", "", "MNIST\n", None])
def test_an_unknown_name_lists_the_known_ones(name: object) -> None:
    with pytest.raises(InputError, match=r"Known: mnist, cifar10\.$"):
        find(TABLE, name, "dataset")


def test_a_long_table_is_not_listed_whole() -> None:
    table = {f"run{number:03}": number for number in range(100)}
    with pytest.raises(InputError, match=r"Known: run000, .*, run014 and 85 more\.$"):
        find(table, "nothing", "model")
