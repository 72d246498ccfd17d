"""The Explain tab: see which parts of a picture spoke for a class."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from vision_app.data.datasets import list_datasets
from vision_app.data.fetching import is_available
from vision_app.errors import InputError
from vision_app.ui import classify_view, pictures
from vision_app.ui import explain_view as view
from vision_app.ui.browse_view import show_below
from vision_app.ui.explain_view import Chosen, Explained
from vision_app.ui.layout import QUIET, UNQUEUED, Page, address
from vision_app.ui.messages import alert, say_errors
from vision_app.ui.pad import build_pad, decode_pad
from vision_app.ui.pictures import Source
from vision_app.ui.sources import build_switch, show_panel
from vision_app.ui.thumbs import build_thumbs, clicked, shrink, thumbs_html

KINDS = {"examples": "Examples", "upload": "Upload", "draw": "Draw"}
CANNOT = "Cannot explain this picture"
EXPLAIN = {"concurrency_id": "explain", "concurrency_limit": 4}
OPACITY = 50
DRAWING = Source("the drawing")

# Writes the model and the explained test image into the address.
_REMEMBER = """(model) => {
  setTimeout(() => {
    const url = new URL(location), set = (key, value) => value ? url.searchParams.set(key, value) : url.searchParams.delete(key);
    if (url.searchParams.get("tab") !== "explain") return;  // another tab was opened meanwhile
    set("model", model);
    const place = document.querySelector("#explain-results [data-image]")?.dataset;
    set("dataset", place?.dataset);
    set("image", place?.image);
    history.replaceState(history.state, "", url);
  }, 200);  // by then the page shows the new explanation
}"""


def build(page: Page) -> None:
    """Fill the tab."""
    chosen, shown, drawn = gr.State(Chosen()), gr.State([]), gr.State(None)
    with gr.Row(equal_height=False):
        with gr.Column(scale=5, min_width=300):
            kind = build_switch(KINDS, "explain-source")
            with gr.Column() as examples_panel:
                collection, class_filter, thumbs, more, sheet = _examples()
            with gr.Column(visible=False) as upload_panel:
                file = gr.File(label="Any picture", height=190, elem_id="explain-upload")
                preview = gr.HTML(elem_id="explain-preview")
            with gr.Column(visible=False) as draw_panel:
                pad = build_pad("explain-pad")
        with gr.Column(scale=7, min_width=300):
            model, class_name, layer, method = _choices()
            status = gr.HTML(elem_id="explain-status")
            results = gr.HTML(view.empty_html(model.value), elem_id="explain-results", min_height=430)
            opacity = gr.Slider(0, 100, OPACITY, step=5, label="Opacity of the heat map, %", elem_id="explain-opacity")
    show_panel(kind, dict(zip(KINDS, (examples_panel, upload_panel, draw_panel), strict=True)))

    asked = [chosen, pad, model, class_name, layer, method, opacity]
    answer = {"trigger_mode": "always_last", **QUIET, **EXPLAIN}  # what was asked for last is what is shown
    explained = [status, results, drawn]
    again = {"fn": _explain, "inputs": asked, "outputs": explained, **answer}
    layers = {"fn": _list_layers, "inputs": model, "outputs": layer, **QUIET, **EXPLAIN}
    kept = {"fn": None, "inputs": model, "outputs": None, "js": _REMEMBER, "api_visibility": "private"}
    suited = [model, class_name, layer]

    pad.change(_explain_drawing, asked, explained, **answer)
    file.upload(_upload, [file, chosen], [file, preview, chosen, status], **QUIET).success(**again)
    # One event each: a second one would send the old class before the page has the new model's classes.
    picked = thumbs.click(_pick, [shown, *asked], [chosen, *suited, *explained], **answer)
    picked.success(None, None, None, js=show_below("explain-results"), api_visibility="private")
    switched = model.input(_change_model, asked, [class_name, layer, *explained], **answer)
    for done in (picked, switched):
        done.then(**kept)
        done.then(**layers)
    for control in (class_name, layer, method):
        control.input(**again)
    opacity.change(_draw, [drawn, opacity], results, trigger_mode="always_last", **QUIET)
    kind.change(_open_source, [kind, *asked], [chosen, *explained], **answer)
    listed = [collection, class_filter, sheet]
    opened = page.tab.select(
        _open, [shown, chosen, model, *listed], [collection, thumbs, shown, chosen, *suited], **UNQUEUED
    )
    opened = opened.success(**again)
    opened.then(**kept)
    opened.then(**layers)
    _wire_examples(listed, more, [thumbs, shown])
    _build_endpoint()


def _examples() -> tuple[gr.Dropdown, gr.Dropdown, gr.HTML, gr.Button, gr.State]:
    """Build the pictures to click on, and what says which."""
    with gr.Row():
        collection = gr.Dropdown([], label="Test images of", min_width=190, elem_id="explain-collection")
        class_filter = gr.Dropdown(
            [pictures.ALL_CLASSES],
            value=pictures.ALL_CLASSES,
            label="Showing",
            min_width=150,
            elem_id="explain-filter",
        )
    thumbs = build_thumbs(elem_id="explain-examples")
    return collection, class_filter, thumbs, gr.Button("Show others", size="md", elem_id="explain-more"), gr.State(0)


def _choices() -> tuple[gr.Dropdown, gr.Dropdown, gr.Dropdown, gr.Dropdown]:
    """Build the choices of model, class, layer and method."""
    names, methods = classify_view.model_names(), view.method_choices()
    wide, narrow = {"scale": 3, "min_width": 240}, {"scale": 2, "min_width": 150}
    with gr.Row():
        model = gr.Dropdown(names, value=next(iter(names), None), label="Model", elem_id="explain-model", **wide)
        class_name = gr.Dropdown(
            [view.PREDICTED], value=view.PREDICTED, label="Class", elem_id="explain-class", **narrow
        )
    with gr.Row():
        layer = gr.Dropdown([("The model's own", "")], value="", label="Layer", elem_id="explain-layer", **wide)
        method = gr.Dropdown(methods, value=methods[0][1], label="Method", elem_id="explain-method", **narrow)
    return model, class_name, layer, method


def _wire_examples(listed: list[Any], more: gr.Button, filled: list[Any]) -> None:
    """List the pictures anew when the collection, the class or the sheet changes."""
    collection, class_filter, sheet = listed
    listing = {
        "fn": _list,
        "inputs": listed,
        "outputs": filled,
        "show_progress": "minimal",
        "api_visibility": "private",
    }
    collection.input(_classes_of, collection, [class_filter, sheet], **QUIET).then(**listing)
    class_filter.input(lambda: 0, None, sheet, **QUIET).then(**listing)
    more.click(lambda number: number + 1, sheet, sheet, **QUIET).then(**listing)


def _build_endpoint() -> None:
    """Add the public endpoint; its components only carry its values."""
    file = gr.File(label="An image file", visible=False)
    model = gr.Textbox(label="Name of a checkpoint or run", visible=False)
    class_name = gr.Textbox("", label="The class to explain; empty: the predicted one", visible=False)
    layer = gr.Textbox("", label="The layer to read; empty: the model's own", visible=False)
    picture = gr.Image(label="The heat map over the image that the network received", format="png", visible=False)
    said, button = gr.JSON(label="What it says", visible=False), gr.Button(visible=False)
    button.click(
        explain,
        [file, model, class_name, layer],
        [picture, said],
        api_name="explain",
        show_progress="hidden",
        **EXPLAIN,
    )


@say_errors(CANNOT)
def explain(
    picture: str | None, model: str, class_name: str = "", layer: str = ""
) -> tuple[np.ndarray, dict[str, Any]]:
    """Show which parts of a picture spoke for a class.

    Args:
        picture: an image file of any common format.
        model: the name of a checkpoint or run.
        class_name: the class to explain; empty: the predicted one.
        layer: the layer of the network to read; empty: the model's own.

    Returns:
        The heat map over the image that the network received, as a picture file, and {"model", "class", "probability",
        "predicted", "scores", "layer", "method", "empty", "description"}.
    """
    if not picture:
        raise InputError("Expected a picture file, got none; send one.")
    return view.explain_file(picture, model, class_name, layer)


@say_errors(CANNOT)
def _explain(
    chosen: Chosen, drawing: str | None, model: str | None, class_name: str, layer: str, method: str, opacity: float
) -> Iterator[tuple[Any, Any, Any]]:
    """Explain the picture of the open source; the first time it says what takes so long."""
    try:
        source = DRAWING if chosen.kind == "draw" else chosen.sources.get(chosen.kind)
        pixels = decode_pad(drawing) if source is DRAWING else source and pictures.read_source(source)
        if pixels is None or not model:
            yield "", view.empty_html(model), None
            return
        if not view.is_ready():
            yield "", view.waiting_html(), gr.skip()
        explained = view.explain_picture(pixels, source, model, class_name, layer, method)
        yield "", view.explained_html(explained, opacity / 100), explained
    except InputError as error:  # what is shown would pass for the answer
        yield alert(str(error)), view.empty_html(model), None


def _explain_drawing(chosen: Chosen, *asked: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Explain the drawing while it grows; the pad also speaks when a page loads, and then nothing is asked."""
    if chosen.kind == "draw":
        yield from _explain(chosen, *asked)
    else:
        yield gr.skip(), gr.skip(), gr.skip()


@say_errors(CANNOT)
def _draw(drawn: Explained | None, opacity: float) -> Any:
    """Draw the same explanation with another opacity."""
    return gr.skip() if drawn is None else view.explained_html(drawn, opacity / 100)


@say_errors(CANNOT)
def _change_model(
    chosen: Chosen, drawing: str | None, model: str | None, class_name: str, _layer: str, *asked: Any
) -> Iterator[tuple[Any, ...]]:
    """Explain the same picture by another model, which may know other classes and has other layers."""
    class_name = _known_class(model, class_name)
    for step in _explain(chosen, drawing, model, class_name, "", *asked):
        yield *_about_model(model, class_name), *step


def _known_class(model: str | None, class_name: str) -> str:
    """Return the class if the model knows it, else the predicted one."""
    return class_name if class_name in view.class_choices(model) else view.PREDICTED


def _about_model(model: str | None, class_name: str) -> tuple[gr.Dropdown, gr.Dropdown]:
    """Offer the model's classes; its layers are listed once the network is loaded, so as not to wait for it."""
    classes = gr.Dropdown(choices=view.class_choices(model), value=_known_class(model, class_name))
    return classes, gr.Dropdown(choices=view.layer_choices(model), value="")


@say_errors("Cannot list the layers")
def _list_layers(model: str | None) -> gr.Dropdown:
    """Offer all layers that can be explained."""
    return gr.Dropdown(choices=view.layer_choices(model, listed=True))


@say_errors(CANNOT)
def _upload(path: str | None, chosen: Chosen) -> tuple[Any, ...]:
    """Take an uploaded file; one that cannot be read leaves everything as it was."""
    source = Source(Path(path).name, path=path)
    try:
        picture = pictures.read_source(source)
    except InputError as error:
        return None, gr.skip(), gr.skip(), alert(f"{source.name}: {error}")
    preview = classify_view.preview_html(picture, source.name, shrink(picture, 360))
    return None, preview, chosen.with_source("upload", source), ""


@say_errors(CANNOT)
def _pick(
    shown: list[Source],
    chosen: Chosen,
    drawing: str | None,
    model: str | None,
    class_name: str,
    layer: str,
    method: str,
    opacity: float,
    event: gr.EventData,
) -> Iterator[tuple[Any, ...]]:
    """Explain an example that was clicked on, by a model made for it."""
    source = shown[clicked(event, len(shown))]
    chosen, suited = chosen.with_source("examples", source), _suited_model(source, model)
    about: tuple[Any, Any] = (gr.skip(), gr.skip())
    if suited != model:
        class_name, layer, about = view.PREDICTED, "", _about_model(suited, "")
    for step in _explain(chosen, drawing, suited, class_name, layer, method, opacity):
        yield chosen, suited, *about, *step


def _suited_model(source: Source, model: str | None) -> str | None:
    suited = classify_view.models_for(source, [model] if model else [], classify_view.model_names())
    return next(iter(suited), None)


def _open_source(kind: str, chosen: Chosen, *asked: Any) -> Iterator[tuple[Any, ...]]:
    """Note which source is open and explain its picture."""
    chosen = Chosen(kind, chosen.sources)
    for step in _explain(chosen, *asked):
        yield chosen, *step


@say_errors("Cannot show these pictures")
def _open(
    shown: list[Source],
    chosen: Chosen,
    model: str | None,
    collection: str | None,
    class_filter: str,
    sheet: int,
    request: gr.Request,
) -> tuple[Any, ...]:
    """Begin when the tab is shown: start what the first explanation needs, list pictures, follow the address once."""
    view.warm_up()
    names = classify_view.model_names()
    if shown:
        value = model if model in names else next(iter(names), None)
        about = (gr.skip(), gr.skip()) if value == model else _about_model(value, "")
        return gr.skip(), gr.skip(), gr.skip(), gr.skip(), gr.Dropdown(choices=names, value=value), *about
    wanted = address(request)
    model = next((name for name in (wanted.get("model"), wanted.get("run"), model, *names) if name in names), None)
    source = _wanted_source(wanted)
    if source:
        chosen, model = chosen.with_source("examples", source), _suited_model(source, model)
    choices = pictures.collections()
    collection = source.dataset if source else collection or choices[0][1]
    thumbs = _list(collection, class_filter, sheet)
    model_list = gr.Dropdown(choices=names, value=model)
    return gr.Dropdown(choices=choices, value=collection), *thumbs, chosen, model_list, *_about_model(model, "")


def _wanted_source(wanted: dict[str, str]) -> Source | None:
    """Return the test image that the address names, if there is one."""
    known = {row.name: row for row in list_datasets()}
    row, index = known.get(wanted.get("dataset", "")), wanted.get("image", "")
    if row is None or not is_available(row) or not index.isdecimal() or not int(index) < row.num_test:
        return None
    return Source(index, dataset=row.name, index=int(index))


@say_errors("Cannot show these pictures")
def _classes_of(collection: str) -> tuple[gr.Dropdown, int]:
    """Offer the classes of the collection, from its first page."""
    return gr.Dropdown(choices=pictures.class_names(collection), value=pictures.ALL_CLASSES), 0


@say_errors("Cannot show these pictures")
def _list(collection: str, class_filter: str, sheet: int) -> tuple[str, list[Source]]:
    """Show one page of a collection."""
    sources = pictures.page_of(collection, class_filter, sheet)
    return thumbs_html(
        [pictures.read_source(source) for source in sources], [source.name for source in sources]
    ), sources
