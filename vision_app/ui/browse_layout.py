"""The widgets of the Browse tab, and how its address follows what is shown."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from vision_app.data.datasets import DATASETS
from vision_app.ui import browse_view as view
from vision_app.ui.browse_add import AddParts, build_adding
from vision_app.ui.browse_choice import EVERYTHING, RIGHT, WRONG
from vision_app.ui.browse_divide import DivideParts, build_dividing
from vision_app.ui.browse_health import FixParts, HealthParts, build_fixes, build_health
from vision_app.ui.browse_map import MapParts, build_map
from vision_app.ui.health_view import finding_choices
from vision_app.ui.pictures import ALL_CLASSES
from vision_app.ui.thumbs import build_thumbs

FIRST = next(iter(DATASETS))

# Writes what is shown into the address; number and chosen picture are read off the page itself. `page` is Gradio's own key.
REMEMBER = """(dataset, split, className, finding, search, verdict, model, region) => {
  setTimeout(() => {
    const url = new URL(location), set = (key, value) => value ? url.searchParams.set(key, value) : url.searchParams.delete(key);
    if (url.searchParams.get("tab") !== "browse") return;  // another tab was opened meanwhile
    const read = (selector, key) => document.querySelector(selector)?.dataset[key];
    set("dataset", dataset);
    set("split", split);
    set("class", className === "All classes" ? "" : className);
    set("finding", finding);
    set("search", search);
    set("verdict", verdict);
    set("model", verdict ? model : "");
    set("region", region);
    const page = read("#browse-position [data-page]", "page");
    set("sheet", page === "1" ? "" : page);
    set("image", read("#browse-selected [data-image]", "image"));
    history.replaceState(history.state, "", url);
  }, 200);  // by then the page shows them
}"""


@dataclass(frozen=True)
class BrowseParts:
    """The tab's widgets, and the page and the picture that it shows."""

    dataset: gr.Dropdown
    split: gr.Radio
    class_name: gr.Dropdown
    finding: gr.Dropdown
    search: gr.Textbox
    facts: gr.HTML
    fetch: gr.Row
    start: gr.Button
    stop: gr.Button
    status: gr.HTML
    moves: list[gr.Button]
    position: gr.HTML
    thumbs: gr.HTML
    model: gr.Dropdown
    verdict: gr.Radio
    enlarged: gr.HTML
    answer: gr.HTML
    neighbours: gr.HTML
    fixes: FixParts
    region: gr.Textbox
    within: gr.Row
    everywhere: gr.Button
    map: MapParts
    health: HealthParts
    statistics: gr.HTML
    adding: AddParts
    dividing: DivideParts
    shown: gr.State
    selected: gr.State

    @property
    def asked(self) -> list[Any]:
        """What the pictures are chosen by."""
        return [
            self.dataset,
            self.split,
            self.class_name,
            self.finding,
            self.search,
            self.verdict,
            self.model,
            self.region,
        ]

    @property
    def filters(self) -> list[Any]:
        """What begins anew with another dataset."""
        return [self.split, self.class_name, self.finding, self.search, *self.limits]

    @property
    def limits(self) -> list[Any]:
        """The region of the map that the pictures are limited to, and the row that says so."""
        return [self.region, self.within]

    @property
    def about(self) -> list[Any]:
        """What says which dataset this is, and lets it be downloaded or divided."""
        return [self.facts, self.fetch, self.start, self.dividing.fold]

    @property
    def answering(self) -> list[Any]:
        """Whose answers are shown, and which pictures by them."""
        return [self.model, self.verdict]

    @property
    def gallery(self) -> list[Any]:
        """What changes with the page of pictures."""
        return [*self.moves, self.shown, self.thumbs, self.position, *self.picture]

    @property
    def picture(self) -> list[Any]:
        """What changes with the chosen picture."""
        return [self.selected, self.enlarged, self.answer, self.neighbours, *self.fixes.all]


def build_parts() -> BrowseParts:
    """Lay out the tab, from top to bottom."""
    parts = _filters()
    parts["facts"] = gr.HTML(view.facts_html(FIRST), elem_id="browse-facts", min_height=70)
    parts |= _fetch()
    parts |= {"adding": build_adding(), "dividing": build_dividing()}
    with gr.Row(equal_height=False):
        with gr.Column(scale=7, min_width=300):
            parts |= _limits()
            parts |= _pager()
            parts["thumbs"] = build_thumbs(elem_id="browse-gallery", min_height=480)
        with gr.Column(scale=4, min_width=300, elem_classes="vw-beside"):
            parts |= _picture()
    parts |= {"map": build_map(), "health": build_health()}
    parts["statistics"] = gr.HTML(elem_id="browse-statistics", min_height=200)
    return BrowseParts(**parts, shown=gr.State(None), selected=gr.State(None))


def _filters() -> dict[str, Any]:
    """Build dataset, split, class, finding and search."""
    with gr.Row(equal_height=True):
        dataset = gr.Dropdown(
            view.dataset_choices(), value=FIRST, label="Dataset", scale=4, min_width=240, elem_id="browse-dataset"
        )
        split = gr.Radio(
            view.split_choices(FIRST), value="test", label="Split", scale=3, min_width=300, elem_id="browse-split"
        )
    with gr.Row(equal_height=True):
        classes = gr.Dropdown(
            [ALL_CLASSES], value=ALL_CLASSES, label="Class", scale=2, min_width=160, elem_id="browse-class"
        )
        finding = gr.Dropdown(
            finding_choices(None), value="", label="Showing", scale=3, min_width=200, elem_id="browse-finding"
        )
        search = gr.Textbox(
            "", label="File name contains", scale=2, min_width=160, max_lines=1, elem_id="browse-search", visible=False
        )
    return {"dataset": dataset, "split": split, "class_name": classes, "finding": finding, "search": search}


def _fetch() -> dict[str, Any]:
    """Build the row of a missing dataset, with its buttons and where the download stands."""
    with gr.Row(visible=False, elem_id="browse-fetch") as row:
        start = gr.Button("Download", variant="primary", scale=0, min_width=180)
        stop = gr.Button("Stop", scale=0, min_width=100, visible=False)
        status = gr.HTML(elem_id="browse-status")
    return {"fetch": row, "start": start, "stop": stop, "status": status}


def _limits() -> dict[str, Any]:
    """Build the region of the map that is chosen, and the row that says so and lets it go."""
    with gr.Row(visible=False, elem_id="browse-within") as row:
        gr.HTML('<p class="vw-note" role="status">Only the pictures within the region of the map.</p>', min_height=20)
        everywhere = gr.Button("Show all", size="md", scale=0, min_width=110, elem_id="browse-everywhere")
    return {"region": gr.Textbox(visible="hidden"), "within": row, "everywhere": everywhere}


def _pager() -> dict[str, Any]:
    """Build the buttons, in the order of `browse_view.STEPS`, and where the page is told."""
    with gr.Row(elem_classes="vw-pager"):
        look = {"size": "md", "scale": 0, "interactive": False}
        first = gr.Button("« First", min_width=76, **look)
        previous = gr.Button("‹ Previous", min_width=98, **look)
        position = gr.HTML(elem_id="browse-position", min_height=40)
        following = gr.Button("Next ›", min_width=84, **look)
        last = gr.Button("Last »", min_width=76, **look)
    return {"moves": [first, previous, following, last], "position": position}


def _picture() -> dict[str, Any]:
    """Build the choice of a model, the enlarged picture, what corrects it, what the model says, and what is like it."""
    return {
        "model": gr.Dropdown([], label="Probabilities by", info="A model of this dataset.", elem_id="browse-model"),
        "verdict": gr.Radio(
            [("All", EVERYTHING), ("Right", RIGHT), ("Wrong", WRONG)],
            value=EVERYTHING,
            label="Only pictures that it gets",
            elem_id="browse-verdict",
            visible=False,
        ),
        "enlarged": gr.HTML(view.NO_SELECTION, elem_id="browse-selected", min_height=238),
        "fixes": build_fixes(),
        "answer": gr.HTML(elem_id="browse-answer"),
        "neighbours": build_thumbs(elem_id="browse-neighbours", min_height=20),
    }
