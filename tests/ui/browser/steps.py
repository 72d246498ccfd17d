"""What a person does on the page, one function each."""

import base64
import io
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, urlencode, urlparse

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page, expect

# What tells that a tab has been filled by the server.
FILLED = {
    "browse": "#browse-gallery img",
    "train": "#train-live .vw-live, #train-live .vw-live-empty",
    "classify": "#pad canvas",
    "explain": "#explain-examples img",
    "compare": "#compare-table tbody tr",
}
SEVEN = ((70, 70), (205, 70), (120, 230))


def open_tab(page: Page, tab: str, **address: str) -> None:
    """Open the app on a tab by its address and wait until the tab is filled."""
    page.goto("/?" + urlencode({"tab": tab, **address}))
    expect_tab(page, tab)


def expect_tab(page: Page, tab: str) -> None:
    """Wait until a tab is the open one, and filled."""
    expect(page.get_by_role("tab", name=tab.title(), exact=True)).to_have_attribute("aria-selected", "true")
    expect(page.locator(FILLED[tab]).first).to_be_visible()


def choose(page: Page, dropdown: str, option: str) -> None:
    """Choose an option of the dropdown with this id; what stands in brackets after its name may be left out."""
    page.locator(f"#{dropdown} input").click()
    page.get_by_role("option", name=re.compile(rf"^(✓\s*)?{re.escape(option)}( \(.*\))?$")).click()
    page.locator(f"#{dropdown} input").blur()  # an open list of a multiple choice covers what is above it


def choose_source(page: Page, tab: str, title: str) -> None:
    """Open one of the places that a picture of this tab can come from."""
    page.locator(f"#{tab}-source").get_by_text(title, exact=True).click()
    expect(page.locator(f"#{tab}-source").get_by_role("radio", name=title)).to_be_checked()


def ask_model(page: Page, name: str) -> None:
    """Have a model among those that classify; choosing one that is there already would remove it."""
    if not page.locator("#classify-models").get_by_text(name, exact=True).count():
        choose(page, "classify-models", name)


def draw(page: Page, pad: str, *strokes: Iterable[tuple[int, int]]) -> None:
    """Draw with the mouse on the pad with this id; points are in units of its 280 x 280 pixels."""
    canvas = page.locator(f"#{pad} canvas")
    expect(page.locator("h1")).to_be_visible()  # the header comes late and moves what is below
    canvas.hover()  # waits until it stands still
    box = canvas.bounding_box()
    for stroke in strokes:
        (start, *rest) = [(box["x"] + x * box["width"] / 280, box["y"] + y * box["height"] / 280) for x, y in stroke]
        page.mouse.move(*start)
        page.mouse.down()
        for point in rest:
            page.mouse.move(*point, steps=8)
        page.mouse.up()


def parameter(page: Page, name: str) -> str | None:
    """Return a value of the page's address."""
    return parse_qs(urlparse(page.url).query).get(name, [None])[0]


def wait_for(page: Page, look: Callable[[], Any], words: str, seconds: float = 90) -> Any:
    """Look again and again until what is seen counts as true, and return it."""
    for _ in range(int(seconds * 5)):
        if seen := look():
            return seen
        page.wait_for_timeout(200)
    raise AssertionError(f"Waited {seconds:g} s in vain for {words}.")


def settled(page: Page, picture: Locator) -> str:
    """Return the address of an <img> once it stands still: answers follow the pen while it draws."""
    seen: list[str | None] = []

    def still() -> str | None:
        seen.append(picture.get_attribute("src"))
        return seen[-1] if len(seen) > 6 and len(set(seen[-6:])) == 1 else None

    return wait_for(page, still, "a picture that stands still")


def pixels(picture: Locator) -> np.ndarray:
    """Return an <img> of the page as uint8 RGB (height, width, 3)."""
    source = picture.get_attribute("src")
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).convert("RGB"))
