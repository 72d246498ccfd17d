"""A real Chromium that looks at the real app; what a person would have noticed in its console fails the test."""

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browser_setup import FLAGS, find_browser

PATIENCE = 90_000  # milliseconds: machines can be slow
# Gradio's own words when a page is left while it still listens.
HARMLESS = ("Method not implemented.", "AbortError", "Connection errored out")
NO_BROWSER = "No Chromium for the browser tests: run python tests/browser_setup.py, or set CHROMIUM to its path."

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="package")  # not session: Playwright's event loop would stay on for the tests that follow
def browser() -> Iterator[Browser]:
    """The browser; without one the tests are skipped, or fail under CI, which prepares one."""
    path = find_browser()
    if path is None:
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(NO_BROWSER)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, server: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """An empty page of a fresh profile, on a window of 1400 x 900; further pages: `page.context.new_page()`."""
    context = browser.new_context(viewport={"width": 1400, "height": 900}, base_url=server)
    context.set_default_timeout(PATIENCE)
    troubles = _listen(context)
    yield context.new_page()
    if troubles or _has_failed(request.node):
        _save_pictures(context, tmp_path)
    context.close()
    assert not troubles, "\n".join(troubles)


def _listen(context: BrowserContext) -> list[str]:
    """Return a list that fills with errors of the pages and with requests that leave this machine."""
    troubles: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(words in message.text for words in HARMLESS):
            troubles.append(f"console: {message.text} ({message.location.get('url')})")

    def see(request: Request) -> None:
        if urlparse(request.url).hostname not in (None, "127.0.0.1"):
            troubles.append(f"request to another machine: {request.url}")

    context.on("console", hear)
    context.on("weberror", lambda error: troubles.append(f"page error: {error.error}"))
    context.on("request", see)
    return troubles


def _save_pictures(context: BrowserContext, folder: Path) -> None:
    for number, page in enumerate(context.pages):
        file = folder / f"page{number}.png"
        page.screenshot(path=file, full_page=True)
        print(f"The page as it was: {file} ({page.url})")


def _has_failed(item: pytest.Item) -> bool:
    return bool(item.stash.get(FAILED, False))


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Note for the fixtures whether the test itself has failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give a browser test a second chance: Gradio 6.31 now and then loses an answer (see `NUDGE_SECONDS` in layout.py)."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2))
