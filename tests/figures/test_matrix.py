from xml.etree import ElementTree

from vision_app.figures.matrix import confusion_matrix, confusions, most_confused

HOSTILE = '<img src=x onerror="alert(1)">'


def cells(text: str) -> list[list[tuple[str, str]]]:
    """Return class and text of each cell."""
    body = ElementTree.fromstring(text).find(".//tbody")
    return [[(cell.get("class"), cell.text or "") for cell in row.findall("td")] for row in body]


def test_numbers_and_shades_are_those_of_the_row() -> None:
    assert cells(confusion_matrix([[90, 10], [0, 5]], ["cat", "dog"])) == [
        [("h9 vw-diagonal", "90"), ("h1", "10")],
        [("h0", ""), ("h10 vw-diagonal", "5")],
    ]


def test_a_rare_confusion_is_still_shaded() -> None:
    assert cells(confusion_matrix([[99_999, 1], [0, 1]], ["a", "b"]))[0][1] == ("h1", "1")


def test_an_empty_class_has_an_empty_row() -> None:
    assert cells(confusion_matrix([[0, 0], [0, 3]], ["a", "b"]))[0] == [("h0 vw-diagonal", ""), ("h0", "")]


def test_title_states_the_worst_confusion() -> None:
    assert most_confused([[90, 10], [96, 904]], ["cat", "dog"]) == "Most often confused: dog taken for cat, 96 of 1,000"
    assert most_confused([[3, 0], [0, 3]], ["a", "b"]) == "No class was taken for another"
    assert most_confused([], []) == "No class was taken for another"


def test_names_are_shown_as_text() -> None:
    root = ElementTree.fromstring(confusion_matrix([[1, 2], [0, 1]], [HOSTILE, "b"]))
    assert root.find(".//tbody/tr/th").text == HOSTILE
    assert HOSTILE in root.find("figcaption").text


def test_of_many_classes_the_pairs_confused_most_often_are_listed() -> None:
    classes, confusion = [f"c{i}" for i in range(40)], [[0] * 40 for _ in range(40)]
    for i in range(39):
        confusion[i][i], confusion[i][i + 1] = 50, i + 1
    confusion[39][0], classes[38] = 90, HOSTILE
    items = ElementTree.fromstring(confusions(confusion, classes, [120] * 40)).findall(".//li")
    told = [" ".join(part.text for part in item) for item in items]
    assert told[:2] == ["c39 taken for c0: 90 of 120", f"{HOSTILE} taken for c39: 39 of 120"] and len(told) == 15
    few = [row[:3] for row in confusion[:3]]
    assert confusions(few, classes[:3], [51, 52, 50]) == confusion_matrix(few, classes[:3])
    empty = ElementTree.fromstring(confusions([[0] * 40] * 40, classes, [0] * 40))
    assert empty.find("figcaption").text == "No class was taken for another" and not empty.findall(".//li")
