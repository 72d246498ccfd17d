"""Takes the pictures of the guide anew: `python docs/make_screenshots.py URL [SCENE...]`, with the app running on real data.

Needs `requirements-dev.txt` and a Chromium. Each PNG has to stay under 300 kB; colours are reduced where it is more.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.browser_setup import FLAGS, find_browser

LIMIT = 300_000
SEVEN = [(0.25, 0.22), (0.5, 0.2), (0.75, 0.2), (0.6, 0.5), (0.48, 0.85)]


def classify(page: Page) -> None:
    """Draw a 7 and ask two networks."""
    page.locator("#classify-models input").click()
    page.get_by_role("option", name="digits", exact=True).click()
    page.keyboard.press("Escape")
    box = page.locator("#pad canvas").bounding_box()
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=12)
    page.mouse.up()
    page.wait_for_function("document.querySelectorAll('#classify-results .vw-result').length === 2")


def train(page: Page) -> None:
    """Train digits and take the picture while it goes on."""
    page.locator("#train-start").click()
    page.wait_for_function(
        "document.querySelector('#train-live')?.innerText.match(/Epoch\\s+(9|1\\d) of/)", timeout=120_000
    )


def browse(page: Page) -> None:
    """Look at the first page of CIFAR-10."""
    page.wait_for_function(
        "document.querySelectorAll('#tab-browse img, [id=tab-browse] img').length > 30", timeout=60_000
    )


def view_map(page: Page) -> None:
    """Choose a point of CIFAR-10's map, by keyboard as nobody knows where one is; it is drawn when the dataset is checked, which takes minutes."""
    canvas = page.locator("#browse-map canvas")
    page.wait_for_timeout(5000)
    if not canvas.is_visible():
        page.locator("#browse-check").click()
    canvas.wait_for(timeout=900_000)
    page.wait_for_timeout(1500)
    box = canvas.bounding_box()
    canvas.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    page.wait_for_selector("#browse-map-card img")
    canvas.hover(position={"x": 4, "y": box["height"] - 4})


def explain(page: Page) -> None:
    """Explain the first picture of the address."""
    page.wait_for_selector("#explain-results img", timeout=120_000)


def compare(page: Page) -> None:
    """Wait for the table and the curves of the chosen models."""
    page.wait_for_selector("#tab-compare table, [id=tab-compare] table", timeout=60_000)


ABOVE = {"map": "#browse-map-head"}  # what stands at the top of a picture that does not begin with the page

SCENES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "classify": ("?tab=classify", classify),
    "train": ("?tab=train", train),
    "browse": ("?tab=browse&dataset=cifar10&split=test", browse),
    "map": ("?tab=browse&dataset=cifar10&split=test", view_map),
    "explain": ("?tab=explain&model=cifar10&dataset=cifar10&image=0", explain),
    "compare": ("?tab=compare&models=cifar10,fashion_mnist", compare),
}


def main(url: str, *scenes: str) -> None:
    """Write docs/<scene>.png for every scene, or for those that are named."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        for name in scenes or SCENES:
            address, act = SCENES[name]
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            page.goto(f"{url}/{address}", wait_until="load")
            page.wait_for_selector("[role=tab]", timeout=60_000)
            page.wait_for_timeout(2500)
            act(page)
            page.evaluate(f"scrollTo(0, 0); document.querySelector('{ABOVE.get(name, 'body')}').scrollIntoView()")
            page.wait_for_timeout(2500)
            target = ROOT / "docs" / f"{name}.png"
            page.screenshot(path=target)
            page.close()
            if target.stat().st_size > LIMIT:
                Image.open(target).convert("RGB").quantize(256).save(target, optimize=True)
            print(target.name, target.stat().st_size)
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
