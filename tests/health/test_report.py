"""The whole report on sets with planted faults, from files and from arrays, and as the command line gives it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.data.photos import class_folders, encoded, picture, write_folder
from vision_app.cli import app
from vision_app.data import own
from vision_app.data.datasets import load_split
from vision_app.errors import InputError
from vision_app.health.catalog import CHECKS
from vision_app.health.findings import HealthReport
from vision_app.health.report import check_health, find_describer, find_model_of

SLOW = ("label_error", "near_duplicate", "exact_duplicate", "conflicting_duplicate", "outlier")


@pytest.fixture
def planted(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set with ten broken files and one of each of the other faults that a look at single pictures can find."""
    monkeypatch.setattr(own, "_OPENED", {})
    files = class_folders(40, "jpg")
    names = sorted(files)
    whole = files[names[0]]
    for number, name in enumerate(names[:100:10]):
        files[name] = [b"", whole[: len(whole) // 2], b"text", b"<svg/>", whole[:20]][number % 5]
    files["red/constant.png"] = encoded(Image.new("RGB", (24, 20), (90, 20, 20)))
    files["red/grey.png"] = encoded(picture("red", 77).convert("L"))
    files["red/dark.png"] = encoded(
        Image.fromarray(np.random.default_rng(0).integers(0, 9, (20, 24, 3)).astype(np.uint8))
    )
    files["red/tiny.png"] = encoded(picture("red", 78, (4, 4)))
    files["red/long.png"] = encoded(picture("red", 79, (200, 10)))
    files["red/really.jpg"] = encoded(picture("red", 80))
    files["red/cmyk.jpg"] = encoded(picture("red", 81).convert("CMYK"), "JPEG")
    return write_folder(tmp_path / "set", files)


def names_of(report: HealthReport, kind: str) -> set[str]:
    return {item.file for item in report.find(kind).items}


def test_planted_faults_are_found_and_nothing_else(planted: Path) -> None:
    report, _ = check_health(str(planted), skip=SLOW)
    broken = {f"{colour}/{number:03}.jpg" for colour, number in
              (("blue", 0), ("blue", 10), ("blue", 20), ("blue", 30), ("green", 0), ("green", 10), ("green", 20),
               ("green", 30), ("red", 0), ("red", 10))}  # fmt: skip
    assert names_of(report, "broken") == broken and report.find("broken").count == 10
    assert all(item.detail.startswith("Expected") for item in report.find("broken").items)
    assert names_of(report, "constant") == {"red/constant.png"}
    assert names_of(report, "grey") == {"red/grey.png", "red/dark.png"}
    assert "red/dark.png" in names_of(report, "brightness")
    assert names_of(report, "size") == {"red/tiny.png"}
    odd = {item.file: item.detail for item in report.find("odd_file").items}
    assert odd == {
        "red/long.png": "200 × 10 pixels",
        "red/really.jpg": "PNG with the extension .jpg",
        "red/cmyk.jpg": "CMYK, the colours of print",
    }
    assert report.find("class_missing").count == report.find("imbalance").count == 0
    assert report.skipped == SLOW


def test_places_are_those_of_the_published_splits(planted: Path) -> None:
    report, _ = check_health(str(planted), skip=SLOW)
    for item in (*report.find("broken").items, *report.find("odd_file").items):
        assert load_split(str(planted), item.split)[0].names[item.index] == item.file


def test_rare_and_missing_classes(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "_OPENED", {})
    files = class_folders(20, before="train/") | class_folders(3, before="test/")
    rare = {name: content for name, content in files.items() if "train/red" not in name or name[-7:-4] < "006"}
    without = {name: content for name, content in rare.items() if "test/blue" not in name}
    report, _ = check_health(str(write_folder(tmp_path / "set", without)), skip=SLOW)
    assert (report.find("class_missing").count, report.find("class_missing").detail) == (1, "blue in test")
    assert report.find("imbalance").detail == "red 6; blue has 20"


def test_copies_and_wrong_labels_are_found(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "_OPENED", {})
    files = class_folders(40, before="train/") | {
        f"test/{colour}/{number}.png": encoded(picture(colour, 900 + number))
        for colour in ("red", "green", "blue")
        for number in range(8)
    }
    files["test/red/copy.png"] = files["train/red/005.png"]
    files["test/blue/wrong.png"] = encoded(picture("green", 990))
    files["train/blue/wrong.png"] = encoded(picture("red", 991))
    report, _ = check_health(str(write_folder(tmp_path / "set", files)))
    exact = report.find("exact_duplicate").items
    assert [(item.file, item.partner.split) for item in exact] == [("test/red/copy.png", "train")]
    suspects = {item.file: item.suggested_label for item in report.find("label_error").items}
    assert suspects["test/blue/wrong.png"] == "green" and suspects["train/blue/wrong.png"] == "red"
    assert {report.find(kind).kind for kind in CHECKS} == set(CHECKS)


def test_a_set_of_arrays() -> None:
    report, _ = check_health("digits", skip=SLOW)
    assert report.counts == {"train": 1438, "test": 359}
    assert report.find("broken").count == report.find("odd_file").count == report.find("grey").count == 0


def test_nothing_but_broken_files(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "_OPENED", {})
    files = dict.fromkeys(class_folders(5), b"broken")
    report, _ = check_health(str(write_folder(tmp_path / "set", files)))
    assert [finding.kind for finding in report.findings] == ["broken"] and report.findings[0].count == 15


def test_the_command_prints_the_documents_keys(planted: Path) -> None:
    skips = [argument for kind in SLOW for argument in ("--skip", kind)]
    result = CliRunner().invoke(app, ["health", str(planted), *skips, "--json"])
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert {"dataset", "seconds", "findings"} <= document.keys()
    item = next(finding for finding in document["findings"] if finding["kind"] == "broken")["items"][0]
    assert {"split", "index", "file", "score", "suggested_label", "partner"} <= item.keys()
    assert "Broken files" in CliRunner().invoke(app, ["health", str(planted), *skips]).stdout
    refused = CliRunner().invoke(app, ["health", str(planted), "--skip", "dust"])
    assert refused.exit_code == 2 and "Unknown kind of finding 'dust'" in refused.stderr


def test_whose_answers_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vision_app.data.datasets import find_dataset

    digits, shapes = find_dataset("digits"), find_dataset("shapes")
    assert find_model_of(digits, None).name == "digits"
    assert find_describer(digits, find_model_of(digits, None)).name == "digits"
    assert find_describer(shapes, None).name == "cifar10"
    with pytest.raises(InputError, match="knows other classes than Shapes"):
        find_model_of(shapes, "digits")


def test_every_check_explains_itself() -> None:
    for kind, check in CHECKS.items():
        assert check.kind == kind and check.title and check.why.endswith(".") and check.advice.endswith(".")
        assert check.fix in ("", "exclude", "relabel")
