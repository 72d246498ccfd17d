"""The page: header, tabs in the order of the flow, and the address that remembers which one is open."""

import importlib
import json
from dataclasses import dataclass
from typing import Any

import gradio as gr

from vision_app.ui import header
from vision_app.ui.theme import build_theme, style_sheet

OPENS_ON = "classify"
QUEUE_SIZE = 64
KEPT = (3600, 86400)  # every hour, uploads older than a day are deleted
QUIET = {"show_progress": "hidden", "api_visibility": "private"}
SEEN = {"show_progress": "minimal", "api_visibility": "private"}
# Gradio 6.31 closes its stream of answers when an event ends, and misses the answer to one that begins in that moment,
# until a further event opens the stream again. So there is one every few seconds, and what fills a tab, or looks at a run
# again and again, avoids the queue.
NUDGE_SECONDS = 3
UNQUEUED = {**QUIET, "queue": False}
PREDICT = {"concurrency_id": "predict", "concurrency_limit": 4}  # every event that predicts: never behind anything else


@dataclass(frozen=True)
class TabRow:
    """One tab: its name in the address (`?tab=...`) and of its module under `tabs`, and its title."""

    name: str
    title: str


# The page's order. A new tab is one row here, and a module in `tabs` with `build(page: Page) -> None`.
TABS = (
    TabRow("browse", "Browse"),
    TabRow("train", "Train"),
    TabRow("classify", "Classify"),
    TabRow("explain", "Explain"),
    TabRow("compare", "Compare"),
)


@dataclass(frozen=True)
class Page:
    """What a tab's `build` gets: the whole page, all tabs, and the tab to fill (already open as a context).

    `page.tab.select(fn, ...)` runs whenever the tab is shown, also when the page opens on it: fill lists there, so
    that the page itself comes up at once. A handler with a `request: gr.Request` reads the address through
    `address(request)`; `remember(key)` is JavaScript that writes a value into it.
    """

    demo: gr.Blocks
    tabs: gr.Tabs
    tab: gr.Tab
    name: str


def build_app() -> gr.Blocks:
    """Return the app, ready for `launch(**launch_options())` or `mount_gradio_app(..., **launch_options())`."""
    with gr.Blocks(title="Vision Workbench", analytics_enabled=False, fill_width=True, delete_cache=KEPT) as demo:
        gr.HTML(header.header_html(), elem_id="header")
        with gr.Tabs(selected=OPENS_ON, elem_id="tabs") as tabs:
            for row in TABS:
                _build_tab(demo, tabs, row)
        demo.load(None, None, None, js=_follow_tabs())
        timer = gr.Timer(NUDGE_SECONDS)
        timer.tick(_nudge, trigger_mode="multiple", concurrency_limit=None, **QUIET)
    with demo.route("Guide", "guide"):
        gr.HTML('<a href="./">Back to the workbench</a>')
        gr.Markdown(header.guide_text(), elem_id="guide")
    return demo.queue(max_size=QUEUE_SIZE)


def launch_options() -> dict[str, Any]:
    """Return what Gradio takes at launch and not in Blocks; `launch` and `mount_gradio_app` know all of it."""
    return {
        "theme": build_theme(),
        "css": style_sheet(),
        "footer_links": ["api", "settings"],
        "run_history": False,  # people's pictures are not kept
        "max_file_size": "50mb",
        "show_error": False,
        "ssr_mode": False,
        "pwa": False,
    }


def address(request: gr.Request | None) -> dict[str, str]:
    """Return the address' parameters: {"tab": "train", "run": "..."}."""
    return dict(request.query_params) if request else {}


def remember(key: str) -> str:
    """Return JavaScript for an event's `js=` that writes its first input into the address as `?key=...`."""
    return (
        "(value) => {const url = new URL(location);"
        f" value ? url.searchParams.set('{key}', value) : url.searchParams.delete('{key}');"
        " history.replaceState(history.state, '', url); return [value];}"
    )


def _build_tab(demo: gr.Blocks, tabs: gr.Tabs, row: TabRow) -> None:
    with gr.Tab(row.title, id=row.name, elem_id=f"tab-{row.name}") as tab:
        importlib.import_module(f"vision_app.ui.tabs.{row.name}").build(Page(demo, tabs, tab, row.name))


def _follow_tabs() -> str:
    """Return JavaScript that opens the tab that the address names, and writes the tab a person opens into the address.

    It does both in the browser: an answer of the server can come before the page is ready for it. It listens to clicks
    (Enter on a tab is one) and not to Gradio's select event, which the page also sends by itself.
    """
    names = json.dumps({row.title: row.name for row in TABS})
    return (
        f"() => {{const names = {names}, opens = '{OPENS_ON}';"
        " const current = () => new URL(location).searchParams.get('tab') || opens;"
        " const open = (tries) => {"
        " const buttons = [...document.querySelectorAll('#tabs > .tab-wrapper button[role=tab]')];"
        " const button = buttons.find((one) => names[one.textContent.trim()] === current());"
        " if (button && button.getAttribute('aria-selected') !== 'true') button.click();"
        " if (tries) setTimeout(() => open(tries - 1), 200);};"
        " document.addEventListener('click', (event) => {"
        " const button = event.target.closest('#tabs > .tab-wrapper button');"
        " const name = button && names[button.textContent.trim()]; if (!name || name === current()) return;"
        " const url = new URL(location);"
        " for (const key of [...url.searchParams.keys()]) if (!key.startsWith('__')) url.searchParams.delete(key);"
        " url.searchParams.set('tab', name); history.replaceState(history.state, '', url);});"
        " if (Object.values(names).includes(current())) open(10);}"
    )


def _nudge() -> None:
    """Do nothing: any queued event has the page open its stream of answers again."""
