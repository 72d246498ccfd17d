from xml.etree import ElementTree

from vision_app.figures.bars import class_accuracy, class_histogram, probability_bars

HOSTILE = '<img src=x onerror="alert(1)">'


def rows(text: str) -> list[tuple[str, str, str]]:
    """Return name, value and width of each bar."""
    found = []
    for item in ElementTree.fromstring(f"<div>{text}</div>").iter("li"):
        name, track, value = item
        found.append((name.text, value.text, track[0].get("style").removeprefix("width:")))
    return found


def test_all_classes_in_label_order() -> None:
    shown = rows(probability_bars({"cat": 0.25, "dog": 0.75}))
    assert shown == [("cat", "25.0 %", "25.00%"), ("dog", "75.0 %", "75.00%")]


def test_the_top_class_is_marked() -> None:
    items = ElementTree.fromstring(probability_bars({"cat": 0.25, "dog": 0.75})).findall("li")
    assert [item.get("class") for item in items] == [None, "vw-top"]


def test_of_many_classes_the_likeliest_are_shown_with_a_note() -> None:
    text = probability_bars({f"c{i}": i / 4950 for i in range(100)})
    assert [name for name, _, _ in rows(text)] == [f"c{i}" for i in range(99, 79, -1)]
    assert "The 20 likeliest of 100 classes." in text


def test_thirty_classes_are_all_shown() -> None:
    text = probability_bars({f"c{i}": 1 / 30 for i in range(30)})
    assert len(rows(text)) == 30
    assert "likeliest" not in text


def test_names_are_shown_as_text() -> None:
    assert rows(probability_bars({HOSTILE: 1.0}))[0][0] == HOSTILE
    assert rows(class_histogram({HOSTILE: 3}, title=HOSTILE))[0][0] == HOSTILE


def test_histogram_is_relative_to_the_largest_class() -> None:
    text = class_histogram({"a": 5000, "b": 1250, "empty": 0})
    assert rows(text) == [("a", "5,000", "100.00%"), ("b", "1,250", "25.00%"), ("empty", "0", "0.00%")]


def test_histogram_of_nothing() -> None:
    assert rows(class_histogram({})) == []


def test_accuracy_by_class_names_the_weakest() -> None:
    text = class_accuracy({"a": 1.0, HOSTILE: 0.5, "c": 0.75})
    assert rows(text) == [("a", "100.0 %", "100.00%"), (HOSTILE, "50.0 %", "50.00%"), ("c", "75.0 %", "75.00%")]
    assert "onerror=&quot;alert(1)&quot;&gt; is the weakest, 50.0\N{NO-BREAK SPACE}%" in text
    assert "a and 1 more are the weakest, 25.0" in class_accuracy({"a": 0.25, "b": 0.5, "c": 0.25})
    assert "all are alike" in class_accuracy({"a": 1.0, "b": 1.0})
    assert rows(class_accuracy({})) == []


def test_of_many_classes_the_weakest_are_shown_first() -> None:
    text = class_accuracy({f"c{i}": i / 100 for i in range(100)})
    assert [name for name, _, _ in rows(text)] == [f"c{i}" for i in range(20)]
    assert "The 20 weakest of 100 classes." in text
