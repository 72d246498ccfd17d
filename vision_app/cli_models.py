"""The command about networks: which there are, and the page of one."""

import os
import textwrap
from typing import Annotated, Any

import typer

from vision_app import readable
from vision_app.console import Answer, AsJson, document, say
from vision_app.models.catalog import MODELS, find_model

WIDTH = 100


def models(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="Tell about this network, with all its layers.")] = "",
    as_json: AsJson = False,
) -> Answer:
    """List the networks that can be trained, or tell about one of them."""
    if name:
        return _page(name, as_json)
    fields = {
        "name": "name",
        "title": "title",
        "parameters": "parameters",
        "input_size": "default_size",
        "channels": "channels",
    }
    rows = [{key: getattr(row, field) for key, field in fields.items()} for row in MODELS.values()]
    if as_json:
        return document(rows)
    header = ["Name", "Title", "Parameters", "Input size", "Channels"]
    cells = [
        [row["name"], row["title"], readable.count(row["parameters"]), row["input_size"], row["channels"]]
        for row in rows
    ]
    return Answer(readable.table(header, cells))


def _page(name: str, as_json: bool) -> Answer:
    """Tell about one network: its page, then its layers."""
    from vision_app.models.pages import PAGES
    from vision_app.models.summary import layers_of

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow talks at length about a GPU that is not there
    info, page = find_model(name), PAGES[name]
    say(f"Building {info.title}")
    layers = layers_of(name)
    told: dict[str, Any] = {
        "name": name,
        "title": info.title,
        "idea": page.idea,
        "formula": page.formula,
        "meaning": page.meaning,
        "use": page.use,
        "paper": info.paper,
        "link": page.link,
        "parameters": info.parameters,
    }
    rows = [
        {"name": layer.name, "kind": layer.kind, "shape": list(layer.shape), "parameters": layer.parameters}
        for layer in layers
    ]
    if as_json:
        return document({**told, "layers": rows})
    size = f"{info.default_size} x {info.default_size} x {info.channels}"
    paragraphs = [
        info.title,
        page.idea,
        page.formula,
        page.meaning,
        f"In practice: {page.use}",
        f"{info.paper}\n{page.link}",
    ]
    cells = [[row["name"], row["kind"], " x ".join(map(str, row["shape"])), f"{row['parameters']:,}"] for row in rows]
    table = readable.table(["Layer", "What", "Output", "Parameters"], cells)
    total = f"{info.parameters:,} parameters for pictures of {size} and 10 classes"
    return Answer("\n\n".join([*map(_wrapped, paragraphs), table, total]))


def _wrapped(paragraph: str) -> str:
    return "\n".join(textwrap.fill(line, WIDTH, break_long_words=False) for line in paragraph.splitlines())
