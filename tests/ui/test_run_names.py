import pytest

from vision_app.config import RunConfig
from vision_app.runs import create_run
from vision_app.ui.run_names import dataset_title, model_title, short_names


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("20261120-121442-digits-simple_cnn-be8b", "simple_cnn on digits, 12:14:42"),
        ("20261120-000005-my-own-set-lenet5-0000", "lenet5 on my-own-set, 00:00:05"),
        ("digits", "digits"),
        ("20261120-121442-digits", "20261120-121442-digits"),
        ("", ""),
        ("<b>", "<b>"),
    ],
)
def test_run_ids_lose_date_and_hash(name: str, short: str) -> None:
    assert short_names([name]) == {name: short}


def test_the_ids_of_new_runs_are_understood() -> None:
    run = create_run(RunConfig(dataset="digits", model="lenet5"))
    assert short_names([run.name])[run.name].startswith("lenet5 on digits, ")


def test_names_that_would_look_alike_stay_whole() -> None:
    days = ["20261120-121442-digits-lenet5-be8b", "20261121-121442-digits-lenet5-be8b"]
    assert short_names([*days, "mnist"]) == {**dict(zip(days, days, strict=True)), "mnist": "mnist"}


def test_where_the_dataset_is_known_and_the_space_small() -> None:
    name = "20261120-121442-digits-simple_cnn-be8b"
    assert short_names([name], with_dataset=False) == {name: "simple_cnn, 12:14:42"}
    assert short_names(["abcdefghij", "abc"], limit=5) == {"abcdefghij": "ab…ij", "abc": "abc"}


def test_titles() -> None:
    assert (dataset_title("cifar10"), model_title("fast_cnn")) == ("CIFAR-10", "Fast CNN")
    assert (dataset_title("/home/me/flowers"), dataset_title("gone"), model_title("gone")) == (
        "flowers",
        "gone",
        "gone",
    )
