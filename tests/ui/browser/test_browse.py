"""Look through datasets."""

import math

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.browser.steps import choose, open_tab, parameter, pixels, wait_for
from vision_app.data.datasets import find_dataset, load_split
from vision_app.ui.browse_view import PER_PAGE

pytestmark = pytest.mark.browser


def test_digits_page_by_page(page: Page) -> None:
    num_images = find_dataset("digits").num_test
    num_pages = math.ceil(num_images / PER_PAGE)
    open_tab(page, "browse", dataset="digits")
    pictures, position = page.locator("#browse-gallery button img"), page.locator("#browse-position")
    expect(pictures).to_have_count(PER_PAGE)
    expect(position).to_contain_text(f"Page 1 of {num_pages}")
    expect(page.get_by_role("button", name="‹ Previous")).to_be_disabled()
    first = pictures.first.get_attribute("src")
    page.get_by_role("button", name="Next ›").click()
    expect(position).to_contain_text(f"Page 2 of {num_pages}")
    expect(pictures.first).not_to_have_attribute("src", first)
    page.get_by_role("button", name="Last »").click()
    expect(position).to_contain_text(f"Page {num_pages} of {num_pages}")
    expect(pictures).to_have_count(num_images - PER_PAGE * (num_pages - 1))
    expect(page.get_by_role("button", name="Next ›")).to_be_disabled()
    page.get_by_role("button", name="« First").click()
    expect(pictures.first).to_have_attribute("src", first)


@pytest.mark.parametrize(("dataset", "class_name"), [("digits", "3"), ("shapes", "star")])
def test_one_class_and_one_picture(page: Page, dataset: str, class_name: str) -> None:
    row = find_dataset(dataset)
    images, labels = load_split(dataset, "test")
    members = [i for i, label in enumerate(labels) if row.classes[label] == class_name]
    open_tab(page, "browse")
    choose(page, "browse-dataset", row.title)
    expect(page.locator("#browse-facts")).to_contain_text(row.description)
    choose(page, "browse-class", class_name)
    expect(page.locator("#browse-position")).to_contain_text(f"{len(members):,} pictures")
    titles = page.locator("#browse-gallery button").evaluate_all("buttons => buttons.map(b => b.title)")
    assert set(titles) == {class_name}

    page.locator("#browse-gallery button").nth(2).click()
    selected = page.locator("#browse-selected")
    expect(selected.get_by_role("heading")).to_have_text(class_name)
    large = selected.get_by_role(
        "img", name=f"No. {members[2]} of the test split of {row.title}, counted from 0: {class_name}"
    )
    expect(large).to_be_visible()
    assert (pixels(large) == images[members[2]]).all()
    wait_for(page, lambda: parameter(page, "image") == f"test-{members[2]}", "the picture in the address")
    page.reload()
    expect(large).to_be_visible()
    expect(page.locator("#browse-position")).to_contain_text(f"{len(members):,} pictures")


def test_a_picture_far_down_is_enlarged_in_view(page: Page) -> None:
    open_tab(page, "browse", dataset="digits", image="99999")  # there is none: left out of what is shown
    expect(page.locator("#browse-selected")).to_contain_text("Click on a picture")
    page.locator("#browse-gallery button").nth(PER_PAGE - 1).click()
    large = page.locator("#browse-selected img")
    expect(large).to_be_visible()
    wait_for(page, lambda: is_whole(page, large), "the enlarged picture to be whole on the screen")
    assert page.evaluate("scrollY") > 100


def is_whole(page: Page, picture: Locator) -> bool:
    box = picture.bounding_box()
    return box["y"] >= 0 and box["y"] + box["height"] <= page.viewport_size["height"]
