"""See where a network looked."""

import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.ui.browser.steps import choose, choose_source, open_tab, pixels
from tests.ui.conftest import REPOSITORY

pytestmark = pytest.mark.browser


def test_an_example_is_explained_for_any_class_layer_and_opacity(page: Page) -> None:
    open_tab(page, "explain", model="mnist")
    results = page.locator("#explain-results")
    page.locator("#explain-examples").get_by_role("button", name="digit 7").click()
    overlay = results.get_by_role("img", name="Grad-CAM of digit 7 for class 7", exact=True)
    expect(overlay).to_be_visible()
    expect(results.get_by_role("heading")).to_contain_text("mnist: evidence for the predicted class")
    received = pixels(results.get_by_role("img", name="digit 7 as the network received it"))
    heat = pixels(results.get_by_role("img", name=re.compile("^Heat map alone: Grad-CAM of digit 7 for class 7")))
    assert received.shape[:2] == heat.shape[:2] == pixels(overlay).shape[:2]
    assert len(np.unique(heat.reshape(-1, 3), axis=0)) > 20

    half = overlay.get_attribute("src")
    slider = page.locator("#explain-opacity input[type=range]")
    slider.press("Home")
    expect(overlay).not_to_have_attribute("src", half)
    assert (pixels(overlay) == received).all()  # with no opacity the overlay is the image
    slider.press("End")
    expect(overlay).to_have_attribute("src", re.compile("^data:image/png"))
    expect(page.locator("#explain-opacity input[type=number]")).to_have_value("100")

    choose(page, "explain-class", "2")
    expect(results.get_by_role("img", name=re.compile("^Grad-CAM of digit 7 for class 2"))).to_be_visible()
    expect(results.get_by_role("heading")).to_contain_text("a class that was not predicted")
    choose(page, "explain-class", "Predicted class")
    expect(overlay).to_be_visible()

    own = re.search(r"at layer (\S+)\.", results.inner_text())[1]
    page.locator("#explain-layer input").click()
    layers = page.get_by_role("option").filter(has_not_text="own")
    expect(layers.first).to_be_visible()
    other = next(name for name in layers.all_inner_texts() if name != own)
    page.get_by_role("option", name=other, exact=True).click()
    expect(results).to_contain_text(f"at layer {other}.")
    expect(overlay).to_be_visible()


def test_an_upload_is_explained_and_a_broken_one_leaves_it(page: Page, tmp_path) -> None:
    open_tab(page, "explain", model="mnist")
    choose_source(page, "explain", "Upload")
    file = page.locator("#explain-upload input[type=file]")
    file.set_input_files(REPOSITORY / "examples" / "digit_4.png")
    overlay = page.get_by_role("img", name="Grad-CAM of digit_4.png for class 4", exact=True)
    expect(overlay).to_be_visible()
    (tmp_path / "text.png").write_text("no picture")
    file.set_input_files(tmp_path / "text.png")
    expect(page.get_by_role("alert").filter(has_text="text.png")).to_be_visible()
    expect(overlay).to_be_visible()
