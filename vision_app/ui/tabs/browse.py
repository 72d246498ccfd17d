"""The Browse tab: look through a dataset, page by page, and see what it is like on the whole."""

from collections.abc import Iterator
from typing import Any

import gradio as gr

from vision_app.data.datasets import DATASETS, find_dataset, is_available
from vision_app.errors import InputError
from vision_app.ui import browse_view as view
from vision_app.ui.browse_statistics import statistics_html
from vision_app.ui.browse_view import GalleryPage
from vision_app.ui.downloads import end_html, progress_html, stop_download, watch
from vision_app.ui.layout import OPENING, PREDICT, QUIET, Page, address
from vision_app.ui.messages import alert, say_errors
from vision_app.ui.pictures import ALL_CLASSES, class_names
from vision_app.ui.thumbs import build_thumbs, clicked

DOWNLOAD = {"concurrency_id": "download", "concurrency_limit": 8}
CANNOT = "Cannot show these pictures"
FIRST = next(iter(DATASETS))

# Writes what is shown into the address; number and chosen picture are read off the page itself. `page` is Gradio's own key.
_REMEMBER = """(dataset, split, className) => {
  const url = new URL(location), set = (key, value) => value ? url.searchParams.set(key, value) : url.searchParams.delete(key);
  if (url.searchParams.get("tab") !== "browse") return;
  const read = (selector, key) => document.querySelector(selector)?.dataset[key];
  set("dataset", dataset);
  set("split", split);
  set("class", className === "All classes" ? "" : className);
  setTimeout(() => {
    const page = read("#browse-position [data-page]", "page");
    set("sheet", page === "1" ? "" : page);
    set("image", read("#browse-selected [data-image]", "image"));
    history.replaceState(history.state, "", url);
  }, 200);  // by then the page shows them
}"""


def build(page: Page) -> None:
    """Fill the tab."""
    shown, selected = gr.State(None), gr.State(None)
    with gr.Row(equal_height=True):
        dataset = gr.Dropdown(
            view.dataset_choices(), value=FIRST, label="Dataset", scale=4, min_width=240, elem_id="browse-dataset"
        )
        split = gr.Radio(list(view.SPLITS), value="test", label="Split", scale=2, min_width=240, elem_id="browse-split")
        class_name = gr.Dropdown(
            [ALL_CLASSES], value=ALL_CLASSES, label="Class", scale=3, min_width=160, elem_id="browse-class"
        )
    facts = gr.HTML(view.facts_html(FIRST), elem_id="browse-facts", min_height=70)
    with gr.Row(visible=False, elem_id="browse-fetch") as fetch:
        start = gr.Button("Download", variant="primary", scale=0, min_width=180)
        stop = gr.Button("Stop", scale=0, min_width=100, visible=False)
        status = gr.HTML(elem_id="browse-status")
    with gr.Row(equal_height=False):
        with gr.Column(scale=7, min_width=300):
            moves, position = _pager()
            thumbs = build_thumbs(elem_id="browse-gallery", min_height=480)
        with gr.Column(scale=4, min_width=300):
            model = gr.Dropdown([], label="Probabilities by", info="A model of this dataset.", elem_id="browse-model")
            enlarged = gr.HTML(view.NO_SELECTION, elem_id="browse-selected", min_height=224)
            answer = gr.HTML(elem_id="browse-answer", min_height=200)
    statistics = gr.HTML(elem_id="browse-statistics", min_height=200)

    asked = [dataset, split, class_name]
    gallery = [shown, thumbs, position, selected, enlarged, answer]
    asking = {
        "inputs": [shown, selected, model],
        "outputs": answer,
        "show_progress": "minimal",
        "api_visibility": "private",
        **PREDICT,
    }
    remembered = {"fn": None, "inputs": asked, "outputs": None, "js": _REMEMBER, "api_visibility": "private"}
    about = {"inputs": [dataset, split], "outputs": statistics, "show_progress": "minimal", "api_visibility": "private"}

    opened = page.tab.select(
        _open,
        [shown, *asked, model],
        [dataset, split, class_name, facts, fetch, start, model, *gallery],
        **OPENING,
    )
    opened.then(**remembered)
    opened.then(_statistics, **about)
    opened.then(_answer, **asking)
    changed = dataset.input(
        _change_dataset, [dataset, split], [class_name, facts, fetch, start, status, model, *gallery], **QUIET
    )
    changed.then(**remembered)
    changed.then(_statistics, **about)
    for filtered in (
        split.input(_first_page, asked, gallery, **QUIET),
        class_name.input(_first_page, asked, gallery, **QUIET),
    ):
        filtered.then(**remembered)
    split.input(_statistics, **about)
    for button, step in moves:
        button.click(_mover(step), [shown, *asked], gallery, **QUIET).then(**remembered)
    clicked_on = thumbs.click(_select, shown, [selected, enlarged, answer], **QUIET)
    clicked_on.then(**remembered)
    clicked_on.success(None, None, None, js=view.show_below("browse-selected"), api_visibility="private")
    clicked_on.then(_answer, **asking)
    model.input(_answer, **asking)

    fetching = start.click(_download, dataset, [start, stop, status], **QUIET, **DOWNLOAD)
    fetched = fetching.then(
        _change_dataset, [dataset, split], [class_name, facts, fetch, start, gr.State(), model, *gallery], **QUIET
    )
    fetched.then(lambda: gr.Dropdown(choices=view.dataset_choices()), None, dataset, **QUIET)
    fetched.then(_statistics, **about)
    stop.click(stop_download, dataset, None, **QUIET)


def _pager() -> tuple[list[tuple[gr.Button, int | None]], gr.HTML]:
    """Return the buttons, each with its step (None: to the other end), and where the page is told."""
    with gr.Row(elem_classes="vw-pager"):
        first = gr.Button("« First", size="md", scale=0, min_width=76)
        previous = gr.Button("‹ Previous", size="md", scale=0, min_width=98)
        position = gr.HTML(elem_id="browse-position", min_height=40)
        following = gr.Button("Next ›", size="md", scale=0, min_width=84)
        last = gr.Button("Last »", size="md", scale=0, min_width=76)
    return [(first, -(10**9)), (previous, -1), (following, 1), (last, 10**9)], position


@say_errors(CANNOT)
def _open(
    shown: GalleryPage | None, name: str, split: str, class_name: str, model: str | None, request: gr.Request
) -> tuple[Any, ...]:
    """Fill the tab when it is first shown, as the address says; later only list anew what may have changed."""
    choices = gr.Dropdown(choices=view.dataset_choices())
    if shown is not None:
        return choices, *[gr.skip()] * 5, _model_dropdown(name, model), *[gr.skip()] * 6
    wanted = address(request)
    name = wanted["dataset"] if wanted.get("dataset") in DATASETS else name
    split = wanted["split"] if wanted.get("split") in dict(view.SPLITS).values() else split
    class_name = wanted["class"] if wanted.get("class") in find_dataset(name).classes else ALL_CLASSES
    page = view.find_page(name, split, class_name, _number(wanted.get("sheet"), 1))
    index = _number(wanted.get("image"), None) if is_available(find_dataset(name)) else None
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
    enlarged = view.selected_html(page.dataset, page.split, index) if page.indices else ""
    return page, view.gallery_html(page, index), view.position_html(page), index, enlarged, ""


def _model_dropdown(name: str, chosen: str | None) -> gr.Dropdown:
    """List the dataset's models; a choice that still fits stays."""
    models = view.model_choices(name) if is_available(find_dataset(name)) else []
    value = chosen if chosen in models else next(iter(models), None)
    return gr.Dropdown(choices=models, value=value, visible=bool(models))


def _number(text: str | None, default: int | None) -> int | None:
    """Return a number from the address, or the default for anything else."""
    return int(text) if text and text.isdecimal() and len(text) < 10 else default
