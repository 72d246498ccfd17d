"""Numbers as people read them."""

import pytest

from vision_app import readable


@pytest.mark.parametrize(
    ("function", "value", "expected"),
    [
        (readable.percent, 0.9953, "99.53 %"),
        (readable.percent, 1.0, "100.00 %"),
        (readable.number, 0.01234567, "0.01235"),
        (readable.number, 4.1e12, "4.1e12"),
        (readable.number, 0.00001, "1e-5"),
        (readable.count, 0, "0"),
        (readable.count, 999, "999"),
        (readable.count, 999_960, "1.0 M"),
        (readable.count, 1_234_567, "1.2 M"),
        (readable.count, 3_100_000_000_000, "3100.0 G"),
        (readable.file_size, 61_706, "61.7 kB"),
        (readable.milliseconds, 0.0234, "0.0234 ms"),
        (readable.milliseconds, 12.345, "12.3 ms"),
        (readable.milliseconds, 1234.5, "1234 ms"),
        (readable.duration, 9.54, "9.5 s"),
        (readable.duration, 59.96, "1 min 00 s"),
        (readable.duration, 7384, "2 h 03 min"),
        (readable.guessed_duration, 0.4, "about 5 s"),
        (readable.guessed_duration, 43.2, "about 45 s"),
        (readable.guessed_duration, 58, "about 1 min"),
        (readable.guessed_duration, 72.3, "about 1 min 10 s"),
        (readable.guessed_duration, 119, "about 2 min"),
        (readable.guessed_duration, 672, "about 11 min"),
        (readable.guessed_duration, 3599, "about 1 h 00 min"),
        (readable.guessed_duration, 7384, "about 2 h 00 min"),
    ],
)
def test_numbers(function, value: float, expected: str) -> None:
    assert function(value) == expected
    assert function(None) == "-"


def test_table_is_aligned_and_one_line_a_row() -> None:
    text = readable.table(["Name", "Size"], [["a\nb", "1.0 M"], ["long name", "12"]])
    assert text.splitlines() == [
        "Name        Size",
        "---------  -----",
        "a b        1.0 M",
        "long name     12",
    ]


def test_empty_table_is_its_header() -> None:
    assert readable.table(["Name", "Size"], []).splitlines() == ["Name  Size", "----  ----"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (59.9, "just now"),
        (60, "1 minute"),
        (3599, "59 minutes"),
        (7384, "2 hours"),
        (172_800, "2 days"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, text: str) -> None:
    assert readable.age(seconds) == text
