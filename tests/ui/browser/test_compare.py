"""Put models side by side."""

import csv
import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.ui.browser.steps import choose, open_tab, parameter, wait_for
from tests.ui.stored_runs import copy_run, write_failed_run
from vision_app.runs import Run

pytestmark = pytest.mark.browser

COLUMN = """(field) => {
  const table = document.querySelector("#compare-table table");
  const place = table.querySelector(`th[data-field="${field}"]`).cellIndex;
  return [...table.tBodies[0].rows].map((row) => row.cells[place].innerText.trim());
}"""


@pytest.fixture
def run(trained_run: Run, runs_folder: Path) -> str:
    """A finished run of the server, and beside it one without any result."""
    write_failed_run(runs_folder, "The disk is full. Free some space and start again.")
    return copy_run(trained_run, runs_folder, "finished-lenet5")


def numbers(page: Page, field: str) -> list[float | None]:
    """Return a column's values from top to bottom, "61.7 k" as 61700; None where nothing is known."""
    return [as_number(text) for text in page.evaluate(COLUMN, field)]


def as_number(text: str) -> float | None:
    value, _, unit = text.replace(",", "").partition(" ")
    return float(value) * {"k": 1e3, "M": 1e6}.get(unit, 1) if value[0].isdigit() else None


def test_columns_are_sorted_by_number_in_both_directions(page: Page, run: str) -> None:
    open_tab(page, "compare")
    for name in ("digits", "mnist", run):
        expect(
            page.locator("#compare-table").get_by_role("checkbox", name=f"Choose {name}", exact=True)
        ).to_be_visible()
    for field, title in (("test_accuracy", "Test accuracy"), ("parameters", "Parameters"), ("loss", "Loss")):
        header = page.locator(f"#compare-table th[data-field={field}]")
        directions = set()
        for _ in range(2):
            before = header.get_attribute("aria-sort")
            header.get_by_role("button", name=title).click()
            expect(header).not_to_have_attribute("aria-sort", before)
            directions.add(direction := header.get_attribute("aria-sort"))
            found = numbers(page, field)
            known = [value for value in found if value is not None]
            assert len(known) >= 3 and len(set(known)) >= 3
            assert known == sorted(known, reverse=direction == "descending"), (field, direction)
            assert found[: len(known)] == known  # what is not known stands last in both directions
            assert None in found
        assert directions == {"ascending", "descending"}


def test_chosen_models_stand_side_by_side(page: Page, run: str, runs_folder: Path) -> None:
    open_tab(page, "compare")
    table, details = page.locator("#compare-table"), page.locator("#compare-details")
    for name in (run, "digits"):
        table.get_by_role("checkbox", name=f"Choose {name}", exact=True).check()
    expect(details.locator(".vw-matrix")).to_have_count(2)
    expect(details.locator(".vw-plot-box")).to_have_count(2)
    lines = [f"{name}, {kind}" for name in (run, "digits") for kind in ("training", "validation")]
    expect(details.locator(".vw-legend").first.locator("li")).to_have_text(lines)
    expect(details.locator(".vw-plot-box polyline")).to_have_count(2 * len(lines))

    report = json.loads((runs_folder / run / "report.json").read_text())
    matrix = (
        details.locator(".vw-matrix")
        .first.locator("tbody tr")
        .evaluate_all(
            "rows => rows.map(row => [...row.querySelectorAll('td')].map(cell => Number(cell.innerText.replaceAll(',', ''))))"
        )
    )
    assert matrix == report["confusion"]
    correct = sum(row[i] for i, row in enumerate(matrix))
    assert correct / sum(map(sum, matrix)) == pytest.approx(report["accuracy"], abs=1e-6)
    assert parameter(page, "models") == f"{run},digits"
    choose(page, "compare-dataset", "Digits 8 x 8")
    wait_for(page, lambda: parameter(page, "dataset") == "digits", "the filter in the address")
    page.reload()
    expect(details.locator(".vw-matrix")).to_have_count(2)
    expect(table.get_by_role("checkbox", name=f"Choose {run}", exact=True)).to_be_checked()
    assert set(page.evaluate(COLUMN, "dataset")) == {"Digits 8 x 8"}


def test_the_table_is_downloaded(page: Page, run: str, runs_folder: Path) -> None:
    open_tab(page, "compare", models=f"{run},digits")
    expect(page.locator("#compare-details .vw-matrix")).to_have_count(2)
    rows = {row["name"]: row for row in download(page, 2)}
    assert list(rows) == ["digits", run]  # as they stand in the table, not as they were chosen
    report = json.loads((runs_folder / run / "report.json").read_text())
    assert float(rows[run]["test_accuracy"]) == pytest.approx(report["accuracy"])
    assert rows[run]["split_id"] == rows["digits"]["split_id"] and rows[run]["dataset"] == "digits"

    page.get_by_role("button", name="Clear the choice").click()
    expect(page.locator("#compare-details")).to_contain_text("Choose models in the table")
    page.locator("#compare-table").get_by_role("button", name="Test accuracy").click()
    shown = page.evaluate(COLUMN, "name")
    everything = download(page, len(shown))
    assert [row["name"] for row in everything] == shown  # in the order that the click has given them
    assert all(float(row["test_accuracy"]) <= 1 for row in everything if row["test_accuracy"])


def download(page: Page, count: int) -> list[dict[str, str]]:
    with page.expect_download() as caught:
        page.get_by_role("button", name=f"Download CSV ({count} rows)").click()
    assert caught.value.suggested_filename == "models.csv"
    with open(caught.value.path(), newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))
