"""What the Compare tab knows about models, without a browser."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.ui.compared_runs import isolate, make
from vision_app.errors import InputError
from vision_app.ui import compare_view as view
from vision_app.ui.compare_details import details_html, scatter_html
from vision_app.ui.compare_latency import measure
from vision_app.ui.compare_table import table_value

EVIL = "<img src=x onerror=alert(1)>"
HOSTILE = [EVIL, "=1+1", "a,b", "$\\x_{$", "line\nbreak", "'\"&amp;", "@cmd", "-2+3", "| pipe |", "..."]


@pytest.fixture(autouse=True)
def _only_these_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate(tmp_path, monkeypatch)


def test_a_damaged_run_is_named_and_left_out() -> None:
    make("whole")
    (make("torn").path / "config.json").write_text("{")
    listing = view.list_all()
    assert listing.names == ["whole"]
    assert "damaged: torn" in view.note_html(listing)


def test_filters_narrow_and_keep_ranks() -> None:
    make("one", 3)
    make("two", 0)
    make("other", 0, split="third", dataset="shapes")
    rows = view.list_all().comparison.rows
    assert view.dataset_choices(rows) == [("All datasets", "all"), ("Digits 8 x 8", "digits"), ("Shapes", "shapes")]
    assert view.split_choices(rows, "shapes") == [("All test splits", "all"), ("test, 20 images", "third")]
    assert [(row.name, row.rank) for row in view.narrow(rows, "digits")] == [("two", 1), ("one", 2)]
    assert [row.name for row in view.narrow(rows, split="third")] == ["other"]


def test_only_splits_that_look_alike_show_their_hash() -> None:
    for name, split, dataset in (("a", "195a126f38", "digits"), ("b", "2cb070ef11", "digits"), ("c", "77", "shapes")):
        make(name, split=split, dataset=dataset)
    shown = [text for text, _ in view.split_choices(view.list_all().comparison.rows)]
    assert shown[1:] == [
        "Digits 8 x 8: test, 20 images, 195a126f",
        "Digits 8 x 8: test, 20 images, 2cb070ef",
        "Shapes: test, 20 images",
    ]


def test_a_filter_that_is_not_offered_filters_nothing() -> None:
    choices = [("All", view.ALL), ("Digits", "digits")]
    assert [view.kept(value, choices) for value in ("digits", "Digits", "gone")] == ["digits", view.ALL, view.ALL]


def test_the_address_names_the_choice() -> None:
    names = ["a,b", "c d", "e"]
    assert view.chosen_in({"models": "a%2Cb,e,unknown,e"}, names) == ["a,b", "e"]
    assert view.chosen_in({}, names) == []
    many = [f"m{i}" for i in range(9)]
    assert view.chosen_in({"models": ",".join(many)}, many) == many[: view.MAX_CHOSEN]


@pytest.mark.parametrize("names", [None, "abc", [1], {"a": 1}, ["unknown"], ["../digits"], ["x"] * 7])
def test_a_choice_from_the_browser_is_checked(names: object) -> None:
    make("digits")
    with pytest.raises(InputError, match=r"Expected|Unknown model"):
        view.check_chosen(names)


def test_a_path_is_no_name(tmp_path: Path) -> None:
    run = make("inside")
    with pytest.raises(InputError, match="Unknown model"):
        view.find_runs([str(run.path)])


def test_what_is_drawn_is_the_choice_or_else_what_is_shown() -> None:
    for name, wrong in (("one", 3), ("two", 0), ("three", 6)):
        make(name, wrong)
    listing = view.list_all()
    assert [row.name for row in view.selection(listing, ["three", "two"]).rows] == ["three", "two"]
    assert len(view.selection(listing, []).rows) == 3
    assert view.selection(listing, [], dataset="shapes").rows == ()


def test_downloads_keep_the_order_of_the_page() -> None:
    for name, wrong in (("one", 3), ("two", 0), ("three", 6)):
        make(name, wrong)
    text = view.in_order(view.list_all(), ["three", "one", "gone", "two"]).to_csv()
    rows = [(row["name"], row["rank"]) for row in csv.DictReader(io.StringIO(text))]
    assert rows == [("three", "3"), ("one", "2"), ("two", "1")]
    with pytest.raises(InputError, match="list of model names"):
        view.in_order(view.list_all(), {"names": 1})


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_only_text(name: str) -> None:
    runs = [make(name, 2, classes=(name, "b", "c", "d")), make("calm", 1, classes=(name, "b", "c", "d"))]
    for run in runs:
        measure(run)
    listing = view.list_all()
    assert view.chosen_in({"models": "a%2Cb" if name == "a,b" else name}, listing.names) == [name]
    shown = details_html(runs) + scatter_html(listing.comparison.rows) + view.note_html(listing)
    assert "<img" not in shown and "onerror=alert(1)>" not in shown
    rows = list(csv.reader(io.StringIO(view.in_order(listing, [name]).to_csv())))
    assert len(rows) == 2 and rows[1][0].lstrip("'") == name.lstrip("'")
    assert rows[1][0][0] not in "=+-@"
    markdown = view.in_order(listing, [name]).to_markdown()
    assert len(markdown.splitlines()) == 3 and "<img" not in markdown
    json.loads(json.dumps(table_value(listing, listing.comparison.rows, [], {})))
