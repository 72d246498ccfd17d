"""Classify what is drawn on the pad."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.ui.browser.steps import SEVEN, ask_model, draw, open_tab, pixels, settled

pytestmark = pytest.mark.browser


def results(page: Page) -> Locator:
    return page.locator("#classify-results")


def said(page: Page) -> Locator:
    """The models' answers, large."""
    return results(page).locator("article p[role=status]")


def test_a_seven_drawn_with_the_mouse_is_a_seven(page: Page) -> None:
    open_tab(page, "classify")
    expect(results(page)).to_contain_text("Draw a digit")
    draw(page, "pad", SEVEN)
    expect(said(page)).to_contain_text("7,")
    expect(results(page).locator("article h3")).to_have_text("mnist")
    received = results(page).get_by_role("img", name="The image that mnist received: 28 by 28 pixels, grey")
    expect(received).to_be_visible()
    ink = pixels(received)[..., 0]
    assert ink.shape == (28, 28)
    assert ink[0, 0] == 0 and ink.max() > 200  # MNIST's own look: white on black, whatever the paper was
    inked = ink > 40
    assert max(inked.any(axis=0).sum(), inked.any(axis=1).sum()) in (19, 20, 21)  # scaled into 20 x 20

    ask_model(page, "digits")
    expect(results(page).locator("article h3")).to_have_text(["mnist", "digits"])
    expect(said(page)).to_have_count(2)

    page.locator("#pad").get_by_role("button", name="Clear").click()
    expect(results(page)).to_contain_text("Draw a digit")
    expect(results(page).locator("article")).to_have_count(0)
    expect(page.locator("#pad").get_by_role("button", name="Undo")).to_be_disabled()


def test_undo_takes_the_last_stroke_back(page: Page) -> None:
    open_tab(page, "classify")
    draw(page, "pad", ((140, 50), (140, 230)))
    expect(said(page)).to_contain_text("1,")
    received = results(page).locator("figure img")
    one = settled(page, received)
    draw(page, "pad", ((60, 140), (220, 140)))
    expect(received).not_to_have_attribute("src", one)
    page.locator("#pad").get_by_role("button", name="Undo").click()
    expect(received).to_have_attribute("src", one)
    page.keyboard.press("Control+z")  # the pad is not focused: nothing happens
    page.locator("#pad canvas").press("Control+z")
    expect(results(page)).to_contain_text("Draw a digit")


def test_the_keyboard_alone_draws(page: Page) -> None:
    open_tab(page, "classify")
    page.locator("#pad canvas").focus()
    for key in ("ArrowUp",) * 12 + ("Space",) + ("ArrowDown",) * 24 + ("Space",):
        page.keyboard.press(key)
    expect(page.locator("#pad output")).to_have_text("Pen up")
    expect(said(page)).to_contain_text("1,")
    page.keyboard.press("Delete")
    expect(results(page)).to_contain_text("Draw a digit")


def test_a_drawing_survives_a_reload(page: Page) -> None:
    open_tab(page, "classify")
    draw(page, "pad", SEVEN)
    expect(said(page)).to_contain_text("7,")
    page.reload()
    expect(said(page)).to_contain_text("7,")
