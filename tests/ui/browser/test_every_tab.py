"""What holds on every tab: narrow windows, the dark, the keyboard, the address."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.ui.browser.steps import FILLED, expect_tab, open_tab

pytestmark = pytest.mark.browser

WITHOUT_WORDS = """() => [...document.images]
    .filter((image) => image.checkVisibility({ visibilityProperty: true }) && !image.alt.trim())
    .map((image) => image.outerHTML.slice(0, 200))"""
NAMELESS = """() => [...document.querySelectorAll("button")]
    .filter((b) => b.checkVisibility({ visibilityProperty: true }))
    .filter((b) => !(b.innerText.trim() || b.ariaLabel || b.title || b.getAttribute("aria-labelledby")))
    .map((b) => b.outerHTML.slice(0, 200))"""
TOO_WIDE = """() => [...document.querySelectorAll("body *")]
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
    .slice(0, 5).map((element) => element.outerHTML.slice(0, 160))"""
BACKGROUND = """() => getComputedStyle(document.querySelector("gradio-app")).backgroundColor.match(/[\\d.]+/g).slice(0, 3).map(Number)"""


@pytest.mark.parametrize("tab", FILLED)
def test_narrow_light_and_dark(page: Page, tab: str) -> None:
    page.set_viewport_size({"width": 400, "height": 800})
    for theme in ("light", "dark"):
        open_tab_narrow(page, tab, theme)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 400, f"{theme}: {width} px wide: {page.evaluate(TOO_WIDE)}"
        assert page.evaluate(WITHOUT_WORDS) == []
        assert page.evaluate(NAMELESS) == []
        expect(page.locator("h1")).to_have_count(1)
        brightness = page.evaluate(BACKGROUND)
        assert (max(brightness) < 80) == (theme == "dark"), brightness


def open_tab_narrow(page: Page, tab: str, theme: str) -> None:
    """As open_tab; in a narrow window Gradio may hide the tab's own button behind a menu."""
    page.goto(f"/?tab={tab}&__theme={theme}")
    expect(page.locator(FILLED[tab]).first).to_be_visible()


def test_the_tab_key_reaches_the_tabs_and_the_pad(page: Page) -> None:
    open_tab(page, "classify")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate("() => document.activeElement.getAttribute('aria-label') || document.activeElement.innerText")
        )
        if "Drawing pad" in reached[-1]:
            break
    assert "Drawing pad" in reached[-1], reached
    assert {"Browse", "Train", "Classify", "Explain", "Compare"} <= {name.strip() for name in reached}
    page.get_by_role("tab", name="Train", exact=True).focus()
    page.keyboard.press("Enter")
    expect_tab(page, "train")


def test_the_address_opens_a_tab_and_follows_it(page: Page) -> None:
    open_tab(page, "train")
    page.get_by_role("tab", name="Compare", exact=True).click()
    expect_tab(page, "compare")
    expect(page).to_have_url(re.compile("tab=compare"))
    page.reload()
    expect_tab(page, "compare")


def test_the_guide_is_a_page_of_the_app(page: Page) -> None:
    page.goto("/")
    page.locator("#header").get_by_role("link", name="Guide").click()
    expect(page.locator("#guide h1").first).to_be_visible()
    page.get_by_role("link", name="Back to the workbench").click()
    expect_tab(page, "classify")
