"""The map of the dataset that is shown: images that are alike lie together; a region of it fills the gallery."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from vision_app.data.dataset import Dataset
from vision_app.data.datasets import find_dataset, load_split
from vision_app.errors import InputError
from vision_app.health.catalog import CHECKS
from vision_app.health.embedding import LAYOUTS, Embedding, find_layout
from vision_app.health.jobs import read_map, read_report
from vision_app.ui.browse_choice import Place, parse_region
from vision_app.ui.sources import build_switch

NO_POINT = '<p class="vw-note">Click on a point to see its picture.</p>'
COLOURS = {"class": "Class", "finding": "Finding", "split": "Split"}
NOTHING = "Nothing found"
MOST_NAMES = 20  # more would cover the map
STEPS = 65535

_TEMPLATE = """
<div class="vw-map" hidden>
  <div class="vw-map-box"><canvas tabindex="0" role="application" aria-label="Map of the images; images that are alike lie together. Arrow keys go from point to point, Enter shows the picture."></canvas>
    <span class="vw-map-tip" hidden></span></div>
  <p class="vw-map-foot"><span class="vw-map-said vw-note"></span>
    <button type="button" class="vw-map-near" hidden>Enlarge the region</button>
    <button type="button" class="vw-map-whole" hidden>Whole map</button></p>
  <ul class="vw-legend" aria-label="Groups; press one to see it alone"></ul>
</div>
<div class="vw-empty vw-empty-small"><strong>No map yet</strong><span>It appears once the dataset has been checked (Health, below).</span></div>
"""
# A link would lead away: the page has a base address.
_SHOW = """
element.addEventListener("click", (event) => {
  if (event.target.closest("button")) document.getElementById("browse-selected")?.scrollIntoView({ block: "center" });
});
"""


@dataclass(frozen=True)
class MapParts:
    """The widgets of the section."""

    layout: gr.Radio
    colour: gr.Radio
    map: gr.HTML
    card: gr.HTML
    note: gr.HTML

    @property
    def asked(self) -> list[Any]:
        """What the map is drawn by, beside dataset and region."""
        return [self.layout, self.colour]


def build_map() -> MapParts:
    """Lay out the section."""
    with gr.Row(elem_id="browse-map-head", equal_height=True):
        gr.HTML('<h3 class="vw-section">Map</h3>', min_height=20)
        titles = {name: row.title for name, row in LAYOUTS.items()}
        layout = build_switch(titles, "browse-map-layout", "Layout of the map")
        colour = build_switch(COLOURS, "browse-map-colour", "What colours mean")
    with gr.Row(equal_height=False):
        with gr.Column(scale=9, min_width=300):
            shown = gr.HTML(
                value={},
                html_template=_TEMPLATE,
                js_on_load=Path(__file__).with_name("browse_map.js").read_text(encoding="utf-8"),
                apply_default_css=False,
                elem_id="browse-map",
                min_height=90,
            )
            note = gr.HTML(elem_id="browse-map-note")
        with gr.Column(scale=2, min_width=200):
            card = gr.HTML(elem_id="browse-map-card", apply_default_css=False, min_height=40, js_on_load=_SHOW)
    return MapParts(layout, colour, shown, card, note)


def map_value(name: str, layout: str, colour: str, region: str) -> dict[str, Any]:
    """Return what the browser draws the map from; empty when the dataset has not been checked.

    Args:
        name: of a dataset.
        layout: a row of LAYOUTS.
        colour: a key of COLOURS.
        region: the chosen rectangle, as `parse_region` knows it.

    Raises:
        InputError: the map needs a package that is not installed, or the dataset has to be checked again to get it.
    """
    embedding = read_map(name)
    if embedding is None:
        return {}
    if layout not in embedding.maps:
        raise InputError(f"There is no map by {find_layout(layout).title} yet; check the dataset again.")
    row = LAYOUTS[layout]
    names, groups = group(find_dataset(name), embedding, colour)
    sizes = np.bincount(groups, minlength=len(names))
    points = embedding.maps[layout]
    by = f"the features of {embedding.described_by}" if embedding.described_by else "edges and colours"
    chosen = parse_region(region)
    return {
        "dataset": name,
        "count": len(points),
        "layout": layout,
        "places": _text(np.rint(points * STEPS), "<u2"),
        "groups": _text(groups, "<u2"),
        "names": names,
        "sizes": sizes.tolist(),
        "marks": _marks(points, groups, sizes) if colour == "class" else [],
        "rest": NOTHING if colour == "finding" else None,
        "region": list(chosen[1]) if chosen and chosen[0] == layout else None,
        "said": f"{row.description} By {by}. Click on a point, or drag over a region to see its pictures.",
    }


def group(dataset: Dataset, embedding: Embedding, colour: str) -> tuple[list[str], np.ndarray]:
    """Return names of groups, and the group of each image of an embedding, int (n,).

    Args:
        dataset: whose images these are.
        colour: "class", "split", or "finding": the first check of the table that found something about an image.
    """
    if colour == "split":
        return [split.capitalize() for split in embedding.splits], embedding.parts.astype(int)
    if colour == "class":
        groups = np.empty(len(embedding.parts), int)
        for part, split in enumerate(embedding.splits):
            here = embedding.parts == part
            groups[here] = load_split(dataset.name, split)[1][embedding.indices[here]]
        return list(dataset.classes), groups
    report = read_report(dataset.name)
    found = [finding for finding in report.findings if finding.items] if report else []
    groups = np.full(len(embedding.parts), len(found))
    for number in reversed(range(len(found))):
        positions = (embedding.positions.get((item.split, item.index)) for item in found[number].items)
        groups[[position for position in positions if position is not None]] = number
    return [*(CHECKS[finding.kind].title for finding in found), NOTHING], groups


def picked(name: str, event: gr.EventData) -> Place:
    """Return the image whose point was clicked on.

    Raises:
        InputError: the map is not the one that is shown, or there is no such point.
    """
    data = event._data or {}
    embedding, index = read_map(name), data.get("index")
    if (
        embedding is None
        or data.get("dataset") != name
        or not isinstance(index, int)
        or not 0 <= index < len(embedding.places)
    ):
        raise InputError("Expected a point of the map that is shown; reload the page.")
    return Place(*embedding.places[index])


def region_of(name: str, event: gr.EventData) -> str:
    """Return the rectangle that was drawn on a dataset's map, as text for the address and `parse_region`.

    Raises:
        InputError: what came from the browser is no rectangle.
    """
    data = event._data or {}
    corners = data.get("region")
    if data.get("dataset") != name:
        raise InputError("Expected a region of the map that is shown; reload the page.")
    if not isinstance(corners, list) or len(corners) != 4 or not all(isinstance(one, int | float) for one in corners):
        raise InputError(f"Expected the four sides of a rectangle on the map, got {str(corners)[:60]}.")
    text = f"{data.get('layout')}:" + ",".join(f"{corner:.4f}" for corner in corners)
    parse_region(text)
    return text


def _marks(points: np.ndarray, groups: np.ndarray, sizes: np.ndarray) -> list[list[int]]:
    """Return for each group the image in its middle, where its name is written: pairs of group and image."""
    if len(sizes) > MOST_NAMES:
        return []
    marks = []
    for number in np.flatnonzero(sizes):
        members = np.flatnonzero(groups == number)
        middle = np.median(points[members], axis=0)
        marks.append([int(number), int(members[((points[members] - middle) ** 2).sum(1).argmin()])])
    return marks


def _text(values: np.ndarray, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values.astype(kind))).decode()
