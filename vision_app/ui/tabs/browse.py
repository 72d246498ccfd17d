"""The Browse tab: look through a dataset, page by page, and see what it is like on the whole."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from vision_app.data.datasets import DATASETS, find_dataset, is_available
from vision_app.errors import InputError
from vision_app.ui import browse_view as view
from vision_app.ui.browse_layout import REMEMBER, BrowseParts, build_parts
from vision_app.ui.browse_statistics import statistics_html
from vision_app.ui.browse_view import GalleryPage
from vision_app.ui.downloads import end_html, progress_html, stop_download, watch
from vision_app.ui.layout import OPENING, PREDICT, QUIET, Page, address
from vision_app.ui.messages import alert, say_errors
from vision_app.ui.pictures import ALL_CLASSES, class_names
from vision_app.ui.thumbs import clicked

DOWNLOAD = {"concurrency_id": "download", "concurrency_limit": 8}
SEEN = {"show_progress": "minimal", "api_visibility": "private"}
CANNOT = "Cannot show these pictures"


def build(page: Page) -> None:
    """Fill the tab."""
    parts = build_parts()
    remembered = {"fn": None, "inputs": parts.asked, "outputs": None, "js": REMEMBER, "api_visibility": "private"}
    about = {"fn": _statistics, "inputs": [parts.dataset, parts.split], "outputs": parts.statistics, **SEEN}
    asking = {"fn": _answer, "inputs": [parts.shown, parts.selected, parts.model], "outputs": parts.answer}
    asking |= SEEN | PREDICT
    _wire_opening(page, parts, remembered, about, asking)
    _wire_filters(parts, remembered, about)
    _wire_pictures(parts, remembered, asking)
    _wire_download(parts, about)


def _wire_opening(
    page: Page, parts: BrowseParts, remembered: dict[str, Any], about: dict[str, Any], asking: dict[str, Any]
) -> None:
    filled = [*parts.asked, *parts.about, parts.model, *parts.gallery]
    opened = page.tab.select(_open, [parts.shown, *parts.asked, parts.model], filled, **OPENING)
    opened.then(**remembered)
    opened.then(**about)
    opened.then(**asking)


def _wire_filters(parts: BrowseParts, remembered: dict[str, Any], about: dict[str, Any]) -> None:
    anew = [parts.class_name, *parts.about, parts.status, parts.model, *parts.gallery]
    changed = parts.dataset.input(_change_dataset, [parts.dataset, parts.split], anew, **QUIET)
    changed.then(**remembered)
    changed.then(**about)
    for part in (parts.split, parts.class_name):
        part.input(_first_page, parts.asked, parts.gallery, **QUIET).then(**remembered)
    parts.split.input(**about)


def _wire_pictures(parts: BrowseParts, remembered: dict[str, Any], asking: dict[str, Any]) -> None:
    for button, step in zip(parts.moves, view.STEPS, strict=True):
        moved = button.click(_mover(step), [parts.shown, *parts.asked], parts.gallery, **QUIET)
        moved.then(**remembered)
    clicked_on = parts.thumbs.click(_select, parts.shown, [parts.selected, parts.enlarged, parts.answer], **QUIET)
    clicked_on.then(**remembered)
    clicked_on.success(None, None, None, js=view.show_beside("browse-selected"), api_visibility="private")
    clicked_on.then(**asking)
    parts.model.input(**asking)


def _wire_download(parts: BrowseParts, about: dict[str, Any]) -> None:
    fetching = parts.start.click(_download, parts.dataset, [parts.start, parts.stop, parts.status], **QUIET, **DOWNLOAD)
    # How the download ended stays to be read, so the status is not among what begins anew.
    anew = [parts.class_name, *parts.about, gr.State(), parts.model, *parts.gallery]
    fetched = fetching.then(_change_dataset, [parts.dataset, parts.split], anew, **QUIET)
    fetched.then(lambda: gr.Dropdown(choices=view.dataset_choices()), None, parts.dataset, **QUIET)
    fetched.then(**about)
    parts.stop.click(stop_download, parts.dataset, None, **QUIET)


@say_errors(CANNOT)
def _open(
    shown: GalleryPage | None, name: str, split: str, class_name: str, model: str | None, request: gr.Request
) -> tuple[Any, ...]:
    """Fill the tab when it is first shown, as the address says; later only list anew what may have changed."""
    choices = gr.Dropdown(choices=view.dataset_choices())
    if shown is not None:
        return choices, *[gr.skip()] * 5, _model_dropdown(name, model), *[gr.skip()] * (len(view.STEPS) + 6)
    wanted = address(request)
    name = wanted["dataset"] if wanted.get("dataset") in DATASETS else name
    split = wanted["split"] if wanted.get("split") in dict(view.SPLITS).values() else split
    class_name = wanted["class"] if wanted.get("class") in find_dataset(name).classes else ALL_CLASSES
    page = view.find_page(name, split, class_name, _number(wanted.get("sheet"), 1))
    index = _number(wanted.get("image"), None)
    if index is not None and not (is_available(find_dataset(name)) and view.has_image(name, split, index)):
        index = None
    return (
        gr.Dropdown(choices=view.dataset_choices(), value=name),
        split,
        gr.Dropdown(choices=class_names(name), value=class_name),
        *_facts(name),
        _model_dropdown(name, None),
        *_gallery(page, index),
    )


@say_errors(CANNOT)
def _change_dataset(name: str, split: str) -> tuple[Any, ...]:
    """Show another dataset from its first page, with nothing selected."""
    classes = gr.Dropdown(choices=class_names(name), value=ALL_CLASSES)
    page = view.find_page(name, split, ALL_CLASSES, 1)
    return classes, *_facts(name), "", _model_dropdown(name, None), *_gallery(page)


@say_errors(CANNOT)
def _first_page(name: str, split: str, class_name: str) -> tuple[Any, ...]:
    """Show the first page after a filter has changed."""
    return _gallery(view.find_page(name, split, class_name, 1))


def _mover(step: int) -> Any:
    """Return the handler of a page button."""

    @say_errors(CANNOT)
    def move(shown: GalleryPage | None, name: str, split: str, class_name: str) -> tuple[Any, ...]:
        number = (shown.number if shown else 1) + step
        return _gallery(view.find_page(name, split, class_name, number))

    return move


@say_errors(CANNOT)
def _select(shown: GalleryPage, event: gr.EventData) -> tuple[int, str, str]:
    """Enlarge the picture that was clicked on; what a model says follows."""
    index = shown.indices[clicked(event, len(shown.indices))]
    return index, view.selected_html(shown.dataset, shown.split, index), ""


@say_errors("Cannot classify this picture")
def _answer(shown: GalleryPage | None, index: int | None, model: str | None) -> str:
    """Say what the model says to the selected picture."""
    if shown is None:
        return ""
    try:
        return view.answer_html(shown.dataset, shown.split, index, model)
    except InputError as error:
        return alert(str(error))


@say_errors("Cannot describe this dataset")
def _statistics(name: str, split: str) -> str:
    """Describe the dataset; the first time its whole split is read."""
    return statistics_html(name, split)


@say_errors("Cannot download")
def _download(name: str) -> Iterator[tuple[Any, Any, str]]:
    """Fetch the dataset, with its progress."""
    for download in watch(find_dataset(name)):
        yield gr.Button(interactive=False), gr.Button(visible=True), progress_html(download)
    yield gr.Button(interactive=True), gr.Button(visible=False), end_html(download)


def _facts(name: str) -> tuple[str, Any, Any]:
    """Return the facts, and the download's row and button, which only a missing dataset has."""
    missing = not is_available(find_dataset(name))
    return view.facts_html(name), gr.Row(visible=missing), gr.Button(f"Download {view.megabytes(find_dataset(name))}")


def _gallery(page: GalleryPage, index: int | None = None) -> tuple[Any, ...]:
    """Return a page of pictures; the page buttons that lead nowhere are off."""
    enlarged = view.selected_html(page.dataset, page.split, index) if page.indices else ""
    before, after = page.number > 1, page.number < page.num_pages
    moves = (gr.Button(interactive=possible) for possible in (before, before, after, after))
    return *moves, page, view.gallery_html(page, index), view.position_html(page), index, enlarged, ""


def _model_dropdown(name: str, chosen: str | None) -> gr.Dropdown:
    """List the dataset's models; a choice that still fits stays."""
    models = view.model_choices(name) if is_available(find_dataset(name)) else []
    value = chosen if chosen in models else next(iter(models), None)
    return gr.Dropdown(choices=models, value=value, visible=bool(models))


def _number(text: str | None, default: int | None) -> int | None:
    """Return a number from the address, or the default for anything else."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else default
