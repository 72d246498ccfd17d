"""Classify pictures from files and from the examples."""

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.ui.browser.steps import ask_model, choose, choose_source, open_tab
from tests.ui.conftest import REPOSITORY
from vision_app.data.datasets import find_dataset, load_split

pytestmark = pytest.mark.browser

EXAMPLES = REPOSITORY / "examples"


def huge_png(side: int = 30_000) -> bytes:
    """Return a correct PNG of side x side black pixels, 110 kB."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(side * (1 + -(-side // 8))), 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def open_upload(page: Page) -> None:
    open_tab(page, "classify")
    choose_source(page, "classify", "Upload")
    expect(page.locator("#classify-results")).to_contain_text("Choose a picture")


def upload(page: Page, file: Path) -> None:
    page.locator("#upload input[type=file]").set_input_files(file)


def answer(page: Page, model: str) -> Locator:
    """What a model says, large."""
    return (
        page.locator("#classify-results article")
        .filter(has=page.get_by_role("heading", name=model, exact=True))
        .locator(".vw-answer p[role=status]")
    )


def test_uploaded_digits_are_recognised(page: Page) -> None:
    open_upload(page)
    ask_model(page, "mnist")
    for digit in (3, 7, 8):
        upload(page, EXAMPLES / f"digit_{digit}.png")
        expect(page.locator("#upload-preview")).to_contain_text(f"digit_{digit}.png")
        expect(answer(page, "mnist")).to_contain_text(f"{digit},")
    expect(page.locator("#upload-preview img")).to_have_attribute("alt", "digit_8.png")


@pytest.mark.parametrize(
    ("dataset", "index"),
    [pytest.param("cifar10", 0, marks=pytest.mark.data("cifar10")), pytest.param("shapes", 0)],
)
def test_an_uploaded_test_image_is_recognised(page: Page, tmp_path: Path, dataset: str, index: int) -> None:
    if not (REPOSITORY / "checkpoints" / dataset / "model.keras").exists():
        pytest.skip(f"no checkpoint for {dataset} yet")
    images, labels = load_split(dataset, "test")
    Image.fromarray(images[index]).save(tmp_path / "test image.png")
    open_upload(page)
    ask_model(page, dataset)
    upload(page, tmp_path / "test image.png")
    expect(answer(page, dataset)).to_contain_text(f"{find_dataset(dataset).classes[labels[index]]},")


def test_files_that_are_no_pictures_get_one_sentence_and_the_answer_stays(page: Page, tmp_path: Path) -> None:
    whole = (EXAMPLES / "digit_3.png").read_bytes()
    files = {
        "text.png": (b"This is text.\n", "save it as JPEG or PNG"),
        "empty.png": (b"", "0 bytes"),
        "cut.png": (whole[: len(whole) // 2], "damaged or cut off"),
        "huge.png": (huge_png(), "megapixels"),
    }
    open_upload(page)
    upload(page, EXAMPLES / "digit_3.png")
    expect(page.locator("#classify-results article")).to_have_count(1)
    before = page.locator("#classify-results article").inner_html()
    for name, (content, reason) in files.items():
        (tmp_path / name).write_bytes(content)
        upload(page, tmp_path / name)
        problem = page.get_by_role("alert").filter(has_text=name)
        expect(problem).to_contain_text(reason)
        sentence = problem.inner_text().removeprefix("!").strip()
        assert sentence.startswith("Expected ") and sentence.endswith(".") and "\n" not in sentence
        assert str(tmp_path) not in sentence and "/" not in sentence
        assert page.locator("#classify-results article").inner_html() == before
        expect(page.locator("#upload-preview")).to_contain_text("digit_3.png")
    upload(page, EXAMPLES / "digit_7.png")
    expect(page.locator("#upload-preview")).to_contain_text("digit_7.png")
    expect(page.get_by_role("alert")).to_have_count(0)


def test_a_click_on_an_example_is_answered(page: Page) -> None:
    open_tab(page, "classify")
    choose_source(page, "classify", "Examples")
    examples = page.locator("#examples")
    examples.get_by_role("button", name="digit 5").click()
    expect(answer(page, "mnist")).to_contain_text("5,")
    expect(examples.get_by_role("button", name="digit 5")).to_have_attribute("aria-pressed", "true")

    choose(page, "example-collection", find_dataset("digits").title)
    expect(examples.get_by_role("button").first).to_have_attribute("title", "0")
    choose(page, "example-class", "4")
    expect(examples.get_by_role("button", name="0", exact=True)).to_have_count(0)
    examples.get_by_role("button", name="4", exact=True).first.click()
    expect(page.locator("#classify-results")).to_contain_text("The dataset says 4.")
    expect(answer(page, "digits")).to_contain_text("4,")
