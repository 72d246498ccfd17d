"""A set of one's own, from a zip to its faults to a trained model, all in the page."""

import os
import secrets
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.data.photos import class_folders, write_zip
from tests.ui.browser.steps import choose, open_tab, parameter, wait_for
from vision_app.data.download import data_root

pytestmark = pytest.mark.browser
WEIGHTS = "mobilenet_v2_0.35_224_notop.weights.h5"


def add(page: Page, file: Path, title: str) -> None:
    """Add a dataset by its file."""
    open_tab(page, "browse")
    page.get_by_text("Add a dataset of your own").click()
    page.locator("#browse-add-file input[type=file]").set_input_files(file)
    expect(page.locator("#browse-add-file")).to_contain_text(file.name)
    page.locator("#browse-add-title").get_by_role("textbox").fill(title)
    page.locator("#browse-add-button").click()
    expect(page.locator("#browse-dataset input")).to_have_value(f"{title} (yours)", timeout=60_000)
    expect(page.locator("#browse-gallery img").first).to_be_visible()


def check(page: Page, seconds: float = 240) -> None:
    """Check the dataset that is shown, and wait for what is found."""
    page.locator("#browse-check").click()
    expect(page.locator("#browse-health")).to_contain_text("images checked in", timeout=seconds * 1000)


def train(page: Page, title: str, model: str, epochs: int, seconds: float = 240) -> None:
    """Train a network on an added dataset, and wait for its end."""
    page.get_by_role("tab", name="Train", exact=True).click()
    choose(page, "train-dataset", title)
    choose(page, "train-model", model)
    expect(page.locator("#train-facts")).to_contain_text(model)
    page.locator("#field-epochs input").fill(str(epochs))
    page.locator("#train-start").click()
    live = page.locator("#train-live")
    expect(live).to_contain_text(title)  # and no longer the run before
    expect(live).to_contain_text("Completed", timeout=seconds * 1000)


def divide_and_remove(page: Page, title: str) -> None:
    """Divide the dataset anew, then take it off the list."""
    page.get_by_role("tab", name="Browse", exact=True).click()
    page.get_by_text("Divide or remove this dataset").click()
    for name, share in (("train", "0.5"), ("validation", "0.2"), ("test", "0.3")):
        page.locator(f"#browse-divide-{name} input").fill(share)
    page.locator("#browse-divide-together input").uncheck()
    page.locator("#browse-divide-button").click()
    expect(
        page.get_by_text("undo them all in the Browse tab")
    ).to_be_visible()  # a correction names its image by its place
    page.get_by_test_id("toast-close").first.click()
    page.locator("#browse-undo-all").click()
    expect(page.locator("#browse-patch")).to_contain_text("No corrections")
    page.locator("#browse-divide-button").click()
    expect(page.locator("#browse-divide-status")).to_contain_text("Divided: train 46, validation 18, test 28")
    expect(page.locator("#browse-position")).to_contain_text("92 pictures")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.locator("#browse-remove").click()
    expect(page.locator("#browse-dataset input")).to_have_value(f"{title} (yours)")
    page.once("dialog", lambda dialog: dialog.accept())
    page.locator("#browse-remove").click()
    expect(page.locator("#browse-dataset input")).not_to_have_value(f"{title} (yours)")
    expect(page.get_by_text("Divide or remove this dataset")).to_be_hidden()


def look_at_the_map(page: Page) -> None:
    """Choose a region of the map, one of its pictures, and what is like it; then a point of the map."""
    canvas, position = page.locator("#browse-map canvas"), page.locator("#browse-position")
    canvas.scroll_into_view_if_needed()
    canvas.hover()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)  # the very corner is round
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + box["height"] - 5, steps=6)
    page.mouse.up()
    expect(page.locator("#browse-within")).to_be_visible()
    expect(position).to_contain_text("91 pictures")  # all but the broken one
    wait_for(page, lambda: (parameter(page, "region") or "").startswith("tsne:"), "the region in the address")
    page.reload()
    expect(position).to_contain_text("91 pictures")
    page.locator("#browse-gallery button").first.click()
    likest = page.locator("#browse-neighbours button").first
    label = likest.locator("img").get_attribute("alt").partition(" ")[0]
    likest.click()
    expect(page.locator("#browse-selected").get_by_role("heading")).to_have_text(label)
    page.locator("#browse-everywhere").click()
    expect(position).to_contain_text("92 pictures")
    expect(page.locator("#browse-within")).to_be_hidden()

    page.locator("#browse-map-layout").get_by_text("PCA").click()
    expect(page.locator("#browse-map .vw-map-said")).to_contain_text("two directions")
    page.locator("#browse-map-colour").get_by_text("Finding").click()
    expect(page.locator("#browse-map .vw-legend")).to_contain_text("Exact copies 1")
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2)
    card = page.locator("#browse-map-card img")
    places = ((column / 30, row / 10) for row in (5, 3, 7, 2, 8, 4, 6, 1, 9) for column in range(1, 30))
    while not card.count():  # row by row, until there is a point
        across, down = next(places)
        page.mouse.click(box["x"] + across * box["width"], box["y"] + down * box["height"])
        page.wait_for_timeout(300)
    expect(card).to_be_visible()


def test_from_a_zip_to_its_faults_to_a_trained_model(page: Page, tmp_path: Path) -> None:
    files = class_folders(30, "jpg", before="colours/")
    files["colours/red/broken.jpg"] = b"no picture"
    files["colours/red/copy.jpg"] = files["colours/red/001.jpg"]
    title = f"Colours {secrets.token_hex(3)}"  # another one each time that the test is repeated
    add(page, write_zip(tmp_path / "colours.zip", files), title)
    expect(page.locator("#browse-facts")).to_contain_text("92 images")
    check(page)
    report = page.locator("#browse-health")
    expect(report.locator("li").filter(has_text="Broken files").locator("h4 span")).to_have_text("1")
    expect(report.locator("li").filter(has_text="Exact copies").locator("h4 span")).to_have_text("1")

    broken = report.locator("li").filter(has_text="Broken files")
    broken.get_by_role("button", name="Show").click()
    pictures = page.locator("#browse-gallery button")
    expect(pictures).to_have_count(1)
    pictures.first.click()
    expect(page.locator("#browse-selected")).to_contain_text("broken.jpg")
    page.locator("#browse-exclude").click()
    expect(page.locator("#browse-patch")).to_contain_text("1 corrections: 1 left out")
    expect(page.locator("#browse-selected")).to_contain_text("left out")
    page.locator("#browse-undo").click()
    expect(page.locator("#browse-patch")).to_contain_text("No corrections")
    broken.get_by_role("button", name="Leave all out").click()
    expect(page.locator("#browse-patch")).to_contain_text("1 left out")
    page.reload()
    expect(page.locator("#browse-health")).to_contain_text("images checked in")
    expect(page.locator("#browse-patch")).to_contain_text("1 left out")
    look_at_the_map(page)
    train(page, title, "Simple CNN", 3)
    divide_and_remove(page, title)


@pytest.mark.skipif(
    not (data_root() / "materials").is_dir() or not (data_root() / WEIGHTS).is_file(),
    reason="needs the material photos and MobileNetV2's weights in VISION_APP_DATA",
)
def test_material_photos_with_a_pretrained_network(page: Page, tmp_path: Path) -> None:
    source = Path(os.environ["VISION_APP_DATA"]) / "materials"
    for folder in source.iterdir():
        for file in sorted(folder.glob("*.jpg"))[:32]:  # half of them are enough, and take half the time
            place = tmp_path / "materials" / folder.name / file.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(file)
    archive = Path(shutil.make_archive(str(tmp_path / "materials"), "zip", tmp_path, "materials"))
    title = f"Materials {secrets.token_hex(3)}"
    add(page, archive, title)
    check(page)
    train(page, title, "MobileNetV2", 4)
    page.get_by_role("tab", name="Browse", exact=True).click()
    expect(page.locator("#browse-model input")).not_to_have_value("")
    page.locator("#browse-gallery button").first.click()
    wait_for(page, lambda: "says" in page.locator("#browse-answer").inner_text(), "the new model's answer")
    accuracy = page.evaluate("fetch('api/models').then(r => r.json()).then(m => m.runs[0].test_accuracy)")
    assert accuracy > 0.35  # of 25 photos of five materials; guessing gives 0.2
