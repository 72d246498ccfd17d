"""What the page says about a dataset's health, and which corrections its buttons make."""

from pathlib import Path

from vision_app.data.datasets import find_dataset
from vision_app.data.patch import write_patch
from vision_app.edits import Edit
from vision_app.health.findings import Finding, HealthReport, Item, Place
from vision_app.ui import health_view as view

HOSTILE = '<img src=x onerror="alert(1)">'


def copy(split: str, index: int, other: str, other_index: int) -> Item:
    return Item(split=split, index=index, score=0.9, partner=Place(split=other, index=other_index))


def report(*findings: Finding) -> HealthReport:
    return HealthReport(dataset="digits", seconds=12.3, counts={"train": 1438, "test": 359}, findings=findings)


def test_findings_come_with_reasons_and_buttons() -> None:
    found = Finding(kind="broken", count=2, items=(Item(split="train", index=1), Item(split="test", index=2)))
    missing = Finding(kind="class_missing", count=1, detail=f"{HOSTILE} in test")
    text = view.report_html(report(found, missing, Finding(kind="blur", count=0)))
    assert text.count("<li>") == 2 and "Broken files<span>2</span>" in text
    assert text.count('data-kind="broken"') == 2 and 'data-kind="class_missing"' not in text
    assert HOSTILE not in text and "&lt;img" in text
    assert "Nothing of these: blurred pictures." in text
    assert "1,797 images checked in" in text
    assert "press Check" in view.report_html(None)


def test_only_findings_with_pictures_can_be_shown() -> None:
    found = Finding(kind="broken", count=2, items=(Item(split="train", index=1),))
    choices = view.finding_choices(report(found, Finding(kind="imbalance", count=3)))
    assert choices == [("All pictures", ""), ("Broken files (2)", "broken")]
    assert view.finding_choices(None) == [("All pictures", "")]


def test_of_a_pair_across_splits_the_one_in_training_is_left_out() -> None:
    items = (copy("test", 5, "train", 9), copy("train", 3, "train", 4))
    finding = Finding(kind="near_duplicate", count=2, items=items)
    edits = view.suggested_edits(finding, items, ())
    assert [(edit.action, edit.split, edit.index) for edit in edits] == [
        ("exclude", "train", 9),
        ("exclude", "train", 3),
    ]


def test_of_several_copies_of_one_image_one_stays() -> None:
    items = (copy("train", 1, "train", 2), copy("train", 2, "train", 1), copy("train", 3, "train", 2))
    edits = view.suggested_edits(Finding(kind="exact_duplicate", count=3, items=items), items, ())
    assert sorted(edit.index for edit in edits) == [1, 3]
    again = view.suggested_edits(Finding(kind="exact_duplicate", count=3, items=items), items, tuple(edits))
    assert again == edits


def test_suggested_labels_are_accepted() -> None:
    items = (Item(split="train", index=4, suggested_label="7"), Item(split="train", index=5))
    kept = (Edit(action="exclude", split="test", index=1),)
    edits = view.suggested_edits(Finding(kind="label_error", count=2, items=items), items, kept)
    assert edits == [*kept, Edit(action="relabel", split="train", index=4, label="7", why="label_error")]


def test_corrections_are_counted_and_told(data_folder: Path) -> None:
    digits = find_dataset("digits")
    assert "No corrections" in view.patch_html(digits)
    edits = (
        Edit(action="exclude", split="train", index=1, why="broken"),
        Edit(action="relabel", split="train", index=1, label="3"),
        Edit(action="move", split="test", index=2, to="train"),
    )
    write_patch(digits, edits)
    assert "3 corrections:</strong> 1 left out, 1 relabelled, 1 moved to another split" in view.patch_html(digits)
    history = view.history_html(edits, "train", 1, "<8>")
    assert "Published as &lt;8&gt;;" in history and "left out (broken files); relabelled as 3." in history
    assert view.history_html(edits, "train", 2, "8") == ""
    (data_folder / "patches" / "digits.patch.json").write_text("{")
    assert 'role="alert"' in view.patch_html(digits)
