"""The Classify tab: draw, upload, photograph or pick a picture, and see what one or several models say."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from vision_app.errors import InputError
from vision_app.ui import classify_view as view
from vision_app.ui import pictures
from vision_app.ui.browse_view import show_below
from vision_app.ui.layout import PREDICT, QUIET, UNQUEUED, Page, address, remember
from vision_app.ui.messages import alert, say_errors
from vision_app.ui.pad import build_pad, decode_pad
from vision_app.ui.pictures import Source
from vision_app.ui.sources import build_switch, show_panel
from vision_app.ui.thumbs import build_thumbs, clicked, shrink, thumbs_html

KINDS = {"draw": "Draw", "upload": "Upload", "webcam": "Webcam", "examples": "Examples"}
CANNOT = "Cannot classify this picture"


def build(page: Page) -> None:
    """Fill the tab."""
    chosen, shown, is_open = gr.State({}), gr.State([]), gr.State(False)
    names = view.model_names()
    automatic = gr.State(view.default_models("draw", names))
    with gr.Row(equal_height=False, elem_id="classify-row"):
        with gr.Column(scale=5, min_width=300):
            kind = build_switch(KINDS, "classify-source")
            with gr.Column() as draw_panel:
                pad = build_pad()
            with gr.Column(visible=False) as upload_panel:
                file = gr.File(label="Any picture", height=190, elem_id="upload")
                preview = gr.HTML(elem_id="upload-preview")
            with gr.Column(visible=False) as webcam_panel:
                photo = _webcam()
            with gr.Column(visible=False) as examples_panel:
                collection, class_name = _example_controls()
                thumbs = build_thumbs(elem_id="examples")
                more, page_number = gr.Button("Show others", size="md", elem_id="example-more"), gr.State(0)
            problem = gr.HTML(elem_id="classify-problem")
            models = gr.Dropdown(
                choices=names,
                value=view.default_models("draw", names),
                multiselect=True,
                max_choices=view.MAX_MODELS,
                label="Models",
                info="One, or several side by side.",
                elem_id="classify-models",
            )
        with gr.Column(scale=7, min_width=300):
            results = gr.HTML(view.empty_html("draw", names), elem_id="classify-results", min_height=430)

    answer = [results, problem]
    pad.change(_draw, [pad, models], answer, **QUIET, **PREDICT)
    file.upload(_upload, [file, models, chosen], [file, preview, chosen, *answer], **QUIET, **PREDICT)
    photo.input(_photograph, [photo, models, chosen], [chosen, *answer], **QUIET, **PREDICT)
    picked = thumbs.click(
        _pick, [shown, models, automatic, chosen], [models, automatic, chosen, *answer], **QUIET, **PREDICT
    )
    picked.success(None, None, None, js=show_below("classify-results"), api_visibility="private")
    again = {"inputs": [kind, pad, chosen, models], "outputs": answer}
    models.input(_again, **again, **QUIET, **PREDICT)
    models.input(None, models, None, js=remember("model"), api_visibility="private")
    show_panel(kind, dict(zip(KINDS, (draw_panel, upload_panel, webcam_panel, examples_panel), strict=True)))
    kind.change(
        _open_source,
        [kind, pad, chosen, models, automatic],
        [models, automatic, *answer],
        trigger_mode="always_last",
        **QUIET,
        **PREDICT,
    )
    listed = [collection, class_name, page_number]
    listing = {"outputs": [thumbs, shown], "api_visibility": "private", "show_progress": "minimal"}
    kind.change(_first_list, [kind, shown, *listed], [collection, thumbs, shown], **QUIET)
    collection.input(_classes_of, collection, [class_name, page_number], **QUIET).then(_list, listed, **listing)
    class_name.input(lambda: 0, None, page_number, **QUIET).then(_list, listed, **listing)
    more.click(lambda number: number + 1, page_number, page_number, **QUIET).then(_list, listed, **listing)
    page.tab.select(_refresh, [kind, models, automatic, is_open], [models, automatic, is_open], **UNQUEUED)
    _build_endpoint()


def _webcam() -> gr.Image:
    """Return the camera: the picture's file as it was taken, and not mirrored, as digits must stay readable."""
    return gr.Image(
        sources=["webcam"],
        type="filepath",
        image_mode=None,
        format="png",
        label="Webcam",
        height=320,
        webcam_options=gr.WebcamOptions(mirror=False),
        elem_id="webcam",
    )


def _example_controls() -> tuple[gr.Dropdown, gr.Dropdown]:
    with gr.Row():
        collection = gr.Dropdown(choices=[], label="Pictures", min_width=190, elem_id="example-collection")
        class_name = gr.Dropdown(
            choices=[pictures.ALL_CLASSES],
            value=pictures.ALL_CLASSES,
            label="Class",
            min_width=150,
            elem_id="example-class",
        )
    return collection, class_name


def _build_endpoint() -> None:
    """Add the public endpoint; its components only carry its values."""
    file = gr.File(label="An image file", visible=False)
    answers, button = gr.JSON(label="One answer a model", visible=False), gr.Button(visible=False)
    models = gr.Dropdown(
        choices=[], multiselect=True, allow_custom_value=True, label="Names of checkpoints or runs", visible=False
    )
    button.click(classify, [file, models], answers, api_name="classify", show_progress="hidden", **PREDICT)


@say_errors(CANNOT)
def classify(picture: str | None, models: list[str] | str | None = None) -> list[dict[str, Any]]:
    """Say what a picture shows.

    Args:
        picture: an image file of any common format.
        models: names of checkpoints or runs; none: the one that the page begins with for uploads.

    Returns:
        One item a model: {"model": name, "label": class, "scores": {class: probability}}, or with "error" if only this
        model cannot answer.
    """
    names = [models] if isinstance(models, str) else models or view.default_models("upload", view.model_names())
    if not picture:
        raise InputError("Expected a picture file, got none; send one.")
    return view.classify_file(picture, names)


@say_errors(CANNOT)
def _draw(value: str | None, models: list[str]) -> tuple[Any, str]:
    """Answer to the drawing."""
    return _answered(lambda: _drawing_html(value, models))


@say_errors(CANNOT)
def _upload(path: str | None, models: list[str], chosen: dict[str, Source]) -> tuple[Any, ...]:
    """Answer to an uploaded file; one that cannot be read leaves everything as it was."""
    source = Source(Path(path).name, path=path)
    try:
        picture = pictures.read_source(source)
        preview = view.preview_html(picture, source.name, shrink(picture, 360))
    except InputError as error:
        return None, gr.skip(), gr.skip(), gr.skip(), alert(str(error))
    return None, preview, {**chosen, "upload": source}, *_answered(lambda: _source_html(source, models))


@say_errors(CANNOT)
def _photograph(path: str | None, models: list[str], chosen: dict[str, Source]) -> tuple[Any, ...]:
    """Answer to a photo from the camera."""
    if path is None:
        kept = {kind: source for kind, source in chosen.items() if kind != "webcam"}
        return kept, view.empty_html("webcam", view.model_names()), ""
    source = Source("photo", path=path)
    return {**chosen, "webcam": source}, *_answered(lambda: _source_html(source, models))


@say_errors(CANNOT)
def _pick(
    shown: list[Source], models: list[str], automatic: list[str], chosen: dict[str, Source], event: gr.EventData
) -> tuple[Any, ...]:
    """Answer to an example that was clicked on, by a model made for it."""
    try:
        source = shown[clicked(event, len(shown))]
        suited = view.models_for(source, models, view.model_names())
    except InputError as error:
        return *[gr.skip()] * 4, alert(str(error))
    automatic = automatic if suited == models else suited
    return suited, automatic, {**chosen, "examples": source}, *_answered(lambda: _source_html(source, suited))


@say_errors(CANNOT)
def _again(kind: str, drawing: str | None, chosen: dict[str, Source], models: list[str]) -> tuple[Any, str]:
    """Answer once more to the picture of the open source, after the models or the source have changed."""
    if kind == "draw":
        return _draw(drawing, models)
    if kind not in chosen:
        return view.empty_html(kind, view.model_names()), ""
    return _answered(lambda: _source_html(chosen[kind], models))


@say_errors(CANNOT)
def _open_source(
    kind: str, drawing: str | None, chosen: dict[str, Source], models: list[str], automatic: list[str]
) -> tuple[Any, ...]:
    """Begin with the models that suit a source when it is opened, and answer to its picture if it has one."""
    suited = view.switch_models(kind, models, automatic, view.model_names())
    return suited, automatic if suited == models else suited, *_again(kind, drawing, chosen, suited)


def _refresh(
    kind: str, models: list[str], automatic: list[str], is_open: bool, request: gr.Request
) -> tuple[Any, Any, bool]:
    """List the models there are now; the first time, those of `?model=` in the address are chosen."""
    names, wanted = view.model_names(), address(request)
    asked = [] if is_open else [name for name in wanted.get("model", wanted.get("run", "")).split(",") if name in names]
    value = asked or view.switch_models(kind, models, [], names)
    if value == models:  # left out, as a person may have chosen others meanwhile
        return gr.Dropdown(choices=names, multiselect=True), gr.skip(), True
    return gr.Dropdown(choices=names, value=value, multiselect=True), automatic if asked else value, True


@say_errors("Cannot show these pictures")
def _first_list(kind: str, shown: list[Source], collection: str | None, class_name: str, page: int) -> tuple[Any, ...]:
    """Fill the examples when they are first opened."""
    if shown or kind != "examples":
        return gr.skip(), gr.skip(), gr.skip()
    choices = pictures.collections()
    collection = collection or choices[0][1]
    return gr.Dropdown(choices=choices, value=collection), *_list(collection, class_name, page)


@say_errors("Cannot show these pictures")
def _classes_of(collection: str) -> tuple[gr.Dropdown, int]:
    """Offer the classes of the collection, from its first page."""
    return gr.Dropdown(choices=pictures.class_names(collection), value=pictures.ALL_CLASSES), 0


@say_errors("Cannot show these pictures")
def _list(collection: str, class_name: str, page: int) -> tuple[str, list[Source]]:
    """Show one page of a collection."""
    sources = pictures.page_of(collection, class_name, page)
    images = [pictures.read_source(source) for source in sources]
    return thumbs_html(images, [source.name for source in sources]), sources


def _drawing_html(value: str | None, models: Sequence[str]) -> str:
    picture = decode_pad(value)
    if picture is None:
        return view.empty_html("draw", view.model_names())
    return view.answers_html(view.classify(picture, models))


def _source_html(source: Source, models: Sequence[str]) -> str:
    answers = view.classify(pictures.read_source(source), models, source.dataset)
    return view.answers_html(answers, truth=source.name if source.dataset else None)


def _answered(make: Callable[[], str]) -> tuple[Any, str]:
    """Return the results and an empty problem, or the results as they were and the problem in words."""
    try:
        return make(), ""
    except InputError as error:
        return gr.skip(), alert(str(error))
