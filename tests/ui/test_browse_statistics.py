from pathlib import Path

import numpy as np
import pytest

from vision_app.data.datasets import load_split
from vision_app.ui import browse_statistics as statistics


def test_counts_add_up() -> None:
    labels = load_split("digits", "train")[1]
    counts = statistics.count_classes(labels, tuple("0123456789"))
    assert counts == {str(digit): list(labels).count(digit) for digit in range(10)}


def test_a_class_without_images_counts_zero() -> None:
    assert statistics.count_classes(np.array([0, 0, 2]), ("a", "b", "c")) == {"a": 2, "b": 0, "c": 1}


@pytest.mark.parametrize(
    ("counts", "split", "title"),
    [
        ({"a": 1000, "b": 1000}, "test", "Test: every class has 1,000 images"),
        ({"a": 5, "b": 7000}, "train", "Training: from 5 images (a) to 7,000 (b) a class"),
    ],
)
def test_the_title_states_the_finding(counts: dict[str, int], split: str, title: str) -> None:
    assert statistics.histogram_title(counts, split) == title


def test_splits_of_a_default_run() -> None:
    table = statistics.split_table("digits")
    for cell in ("<td>1,295</td>", "<td>143</td>", "<td>359</td>", "72.1 %", "8.0 %", "20.0 %", "seed 0"):
        assert cell in table


def test_channel_statistics_by_hand() -> None:
    images = np.zeros((2, 1, 2, 3), np.uint8)
    images[0, ..., 0] = 255  # red: two of four pixels are 1
    images[..., 2] = 51  # blue: all are 0.2
    means, deviations, count = statistics.channel_statistics(images)
    assert count == 2
    assert np.allclose(means, [0.5, 0, 0.2]) and np.allclose(deviations, [0.5, 0, 0])


def test_channel_statistics_from_a_sample() -> None:
    images = np.random.default_rng(0).integers(0, 256, (5000, 4, 4, 1)).astype(np.uint8)
    means, deviations, count = statistics.channel_statistics(images)
    assert count == statistics.SAMPLE
    assert means[0] == pytest.approx(images.mean() / 255, abs=0.005)
    assert deviations[0] == pytest.approx(images.std() / 255, abs=0.005)


def test_sizes_by_hand() -> None:
    table = statistics.size_table(np.array([[100, 200], [50, 50], [400, 1200]]))
    for row in (
        "<th>Width</th><td>50</td><td>200</td><td>1,200</td>",
        "<th>Height</th><td>50</td><td>100</td><td>400</td>",
        "<th>Width : height</th><td>1.00</td><td>2.00</td><td>3.00</td>",
    ):
        assert row in table
    assert statistics.size_table(np.array([[28, 28]] * 3)) == statistics.size_table(np.zeros((0, 2), int)) == ""


def test_mean_image_of_each_class() -> None:
    images = np.array([10, 20, 99], np.uint8).reshape(3, 1, 1, 1)
    means = statistics.mean_images(images, np.array([0, 0, 2]), 3)
    assert {label: int(image.item()) for label, image in means.items()} == {0: 15, 2: 99}


def test_everything_together() -> None:
    shown = statistics.statistics_html("digits", "test")
    assert shown.count("<img") == 10 and "Mean test image of class 7" in shown
    assert "359 of 359 test images" in shown


def test_nothing_for_a_missing_dataset(data_folder: Path) -> None:
    assert statistics.statistics_html("cifar10", "test") == ""
