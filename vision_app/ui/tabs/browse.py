"""The Browse tab: look through a dataset, see what is wrong with it, and correct it; bring one of your own."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from vision_app.data.datasets import find_dataset
from vision_app.data.patch import write_patch
from vision_app.errors import InputError
from vision_app.health import jobs
from vision_app.ui import browse_health as health
from vision_app.ui import browse_map as maps
from vision_app.ui import browse_updates as updates
from vision_app.ui import browse_view as view
from vision_app.ui.browse_add import add_dataset, remove_dataset
from vision_app.ui.browse_address import number, wanted_choice, wanted_place
from vision_app.ui.browse_choice import ALL_SPLITS, EVERYTHING, Choice, Place
from vision_app.ui.browse_divide import CONFIRM, divide
from vision_app.ui.browse_layout import FIRST, REMEMBER, BrowseParts, build_parts
from vision_app.ui.browse_statistics import statistics_html
from vision_app.ui.browse_view import GalleryPage
from vision_app.ui.downloads import end_html, progress_html, stop_download, watch
from vision_app.ui.health_view import finding_choices
from vision_app.ui.layout import PREDICT, QUIET, SEEN, UNQUEUED, Page, address
from vision_app.ui.messages import alert, say_errors
from vision_app.ui.pictures import ALL_CLASSES
from vision_app.ui.thumbs import clicked

DOWNLOAD = {"concurrency_id": "download", "concurrency_limit": 8}
CANNOT = "Cannot show these pictures"


@dataclass(frozen=True)
class Follow:
    """What follows an event: arguments of `then`."""

    remembered: dict[str, Any]
    about: dict[str, Any]
    asking: dict[str, Any]
    drawn: dict[str, Any]


def build(page: Page) -> None:
    """Fill the tab."""
    parts = build_parts()
    section = parts.map
    mapped = ([parts.dataset, *section.asked, parts.region], [section.map, section.card, section.note])
    follow = Follow(
        remembered={"fn": None, "inputs": parts.asked, "js": REMEMBER, "api_visibility": "private"},
        about={"fn": _statistics, "inputs": [parts.dataset, parts.split], "outputs": parts.statistics, **SEEN},
        asking={"fn": _answer, "inputs": [parts.shown, parts.selected, parts.model], "outputs": parts.answer}
        | SEEN
        | PREDICT,
        drawn={"fn": _draw_map, "inputs": mapped[0], "outputs": mapped[1], **QUIET},
    )
    _wire_opening(page, parts, follow)
    _wire_filters(parts, follow)
    _wire_pictures(parts, follow)
    _wire_download(parts, follow)
    _wire_health(parts, follow)
    _wire_map(parts, follow)
    _wire_fixes(parts)
    _wire_adding(parts, follow)


def _wire_opening(page: Page, parts: BrowseParts, follow: Follow) -> None:
    filled = [parts.dataset, *_anew(parts)]
    opened = page.tab.select(_open, [parts.shown, *parts.asked], filled, **UNQUEUED)
    opened.then(**follow.remembered)
    opened.then(**follow.about)
    opened.then(**follow.asking)
    opened.then(**follow.drawn)


def _anew(parts: BrowseParts) -> list[Any]:
    """What begins anew with another dataset."""
    return [*parts.filters, *parts.about, *parts.answering, *parts.gallery, *parts.health.filled]


def _wire_filters(parts: BrowseParts, follow: Follow) -> None:
    changed = parts.dataset.input(_change_dataset, [parts.dataset, parts.split], _anew(parts), **QUIET)
    changed.then(lambda: "", None, parts.status, **QUIET)
    _describe(changed, follow)
    for listen in (parts.split.input, parts.class_name.input, parts.finding.input, parts.search.submit):
        listen(_first_page, parts.asked, parts.gallery, **QUIET).then(**follow.remembered)
    parts.split.input(**follow.about)


def _describe(changed: gr.events.Dependency, follow: Follow) -> None:
    """After another dataset was chosen: say what it is like."""
    changed.then(**follow.remembered)
    changed.then(**follow.about)
    changed.then(**follow.drawn)


def _wire_pictures(parts: BrowseParts, follow: Follow) -> None:
    for button, step in zip(parts.moves, view.STEPS, strict=True):
        moved = button.click(_mover(step), [parts.shown, *parts.asked], parts.gallery, **QUIET)
        moved.then(**follow.remembered)
    clicked_on = parts.thumbs.click(_select, parts.shown, parts.picture, **QUIET)
    clicked_on.then(**follow.remembered)
    clicked_on.success(None, None, None, js=view.show_beside("browse-selected"), api_visibility="private")
    clicked_on.then(**follow.asking)
    likest = parts.neighbours.click(
        _select_neighbour, [parts.shown, parts.selected], [parts.thumbs, *parts.picture], **QUIET
    )
    likest.then(**follow.remembered)
    likest.then(**follow.asking)
    parts.model.input(**follow.asking)
    for listen in (parts.verdict.input, parts.model.input):
        judged = listen(_judge, parts.asked, [parts.verdict, *parts.gallery], **SEEN | PREDICT)
        judged.then(**follow.remembered)


def _wire_download(parts: BrowseParts, follow: Follow) -> None:
    fetching = parts.start.click(_download, parts.dataset, [parts.start, parts.stop, parts.status], **QUIET, **DOWNLOAD)
    fetched = fetching.then(_change_dataset, [parts.dataset, parts.split], _anew(parts), **QUIET)
    fetched.then(lambda: gr.Dropdown(choices=view.dataset_choices()), None, parts.dataset, **QUIET)
    _describe(fetched, follow)
    parts.stop.click(stop_download, parts.dataset, None, **QUIET)


def _wire_health(parts: BrowseParts, follow: Follow) -> None:
    section = parts.health
    section.start.click(_check, parts.dataset, section.filled, **QUIET)
    section.stop.click(_stop_check, parts.dataset, section.filled, **QUIET)
    ended = [parts.finding, *section.filled]
    looked = section.timer.tick(_look, [parts.dataset, parts.finding], ended, queue=False, **QUIET)
    looked.then(**follow.drawn | {"fn": _draw_when_checked})
    acted = [*parts.filters, parts.verdict, *parts.gallery, *section.corrected]
    shown = section.report.click(_act, parts.dataset, acted, **QUIET)
    shown.then(**follow.remembered)
    shown.success(None, None, None, js=view.show_above("browse-facts"), api_visibility="private")
    shown.then(**follow.about)
    shown.then(**follow.drawn)


def _wire_map(parts: BrowseParts, follow: Follow) -> None:
    section = parts.map
    for control in section.asked:
        control.input(**follow.drawn)
    chosen = section.map.click(_select_point, parts.shown, [section.card, parts.thumbs, *parts.picture], **QUIET)
    chosen.then(**follow.remembered)
    chosen.then(**follow.asking)
    limited = section.map.select(
        _limit,
        [parts.dataset, parts.model],
        [*parts.filters, parts.verdict, *parts.gallery],
        **QUIET,
    )
    limited.then(**follow.remembered)
    limited.success(None, None, None, js=view.show_above("browse-within"), api_visibility="private")
    limited.then(**follow.about)
    free = parts.everywhere.click(_unlimit, parts.asked, [*parts.limits, *parts.gallery], **QUIET)
    free.then(**follow.remembered)
    free.then(**follow.drawn)


def _wire_fixes(parts: BrowseParts) -> None:
    section, buttons = parts.health, parts.fixes
    changed = [parts.thumbs, *parts.picture, *section.corrected]
    for button, action in ((buttons.exclude, "exclude"), (buttons.accept, "accept"), (buttons.undo, "undo")):
        button.click(_fixer(action), [parts.shown, parts.selected], changed, **QUIET)
    for choice, action in ((buttons.label, "relabel"), (buttons.move, "move")):
        choice.input(_fixer(action), [parts.shown, parts.selected, choice], changed, **QUIET)
    section.undo_all.click(_undo_all, [parts.shown, parts.selected], changed, **QUIET)
    text = gr.Textbox(visible="hidden")
    saved = section.download.click(health.patch_to_save, parts.dataset, text, **QUIET)
    saved.success(None, text, None, js=health.SAVE, api_visibility="private")
    section.upload.upload(_apply_file, [parts.shown, parts.selected, section.upload], changed, **QUIET)


def _wire_adding(parts: BrowseParts, follow: Follow) -> None:
    adding = parts.adding
    given = [adding.file, adding.path, adding.title]
    added = adding.button.click(_add, given, [parts.dataset, adding.status, *given, adding.fold], **SEEN)
    _describe(added.success(_change_dataset, [parts.dataset, parts.split], _anew(parts), **QUIET), follow)
    dividing = parts.dividing
    chosen = [parts.dataset, parts.split]
    divided = dividing.button.click(_divide, [*chosen, *dividing.asked], [dividing.status, *_anew(parts)], **SEEN)
    _describe(divided, follow)
    answer = gr.Textbox(visible="hidden")
    removed = dividing.remove.click(_remove, [*chosen, answer], [parts.dataset, *_anew(parts)], js=CONFIRM, **QUIET)
    _describe(removed, follow)


@say_errors(CANNOT)
def _open(
    shown: GalleryPage | None,
    name: str,
    split: str,
    class_name: str,
    finding: str,
    search: str,
    verdict: str,
    model: str | None,
    region: str,
    request: gr.Request,
) -> tuple[Any, ...]:
    """Fill the tab when it is first shown, as the address says; later only list anew what may have changed."""
    choices = view.dataset_choices()
    if shown is not None:
        return gr.Dropdown(choices=choices), *updates.nothing(name, model)
    wanted = address(request)
    name = wanted["dataset"] if wanted.get("dataset") in [value for _, value in choices] else name
    choice = wanted_choice(name, wanted, split)
    page = view.find_page(choice, number(wanted.get("sheet"), 1))
    place = wanted_place(choice, wanted.get("image", ""))
    return gr.Dropdown(choices=choices, value=name), *updates.dataset(choice, page, place)


@say_errors(CANNOT)
def _change_dataset(name: str, split: str) -> tuple[Any, ...]:
    """Show another dataset from its first page, with nothing selected."""
    return updates.another(name, split)


@say_errors(CANNOT)
def _first_page(*asked: Any) -> tuple[Any, ...]:
    """Show the first page after a filter has changed."""
    return updates.gallery(view.find_page(Choice(*asked), 1))


def _draw_map(name: str, layout: str, colour: str, region: str) -> tuple[Any, str, str]:
    """Draw the map of the dataset, coloured as asked, with no point chosen."""
    try:
        value = maps.map_value(name, layout, colour, region)
        return value, maps.NO_POINT if value else "", ""
    except InputError as error:
        return {}, "", alert(str(error))


def _draw_when_checked(name: str, *asked: str) -> tuple[Any, ...]:
    """Draw the map once the look at the dataset has ended."""
    return (gr.skip(),) * 3 if jobs.progress_of(name) is not None else _draw_map(name, *asked)


@say_errors(CANNOT)
def _select_point(shown: GalleryPage, event: gr.EventData) -> tuple[Any, ...]:
    """Enlarge the picture whose point was clicked on."""
    place = maps.picked(shown.choice.dataset, event)
    thumbs = view.gallery_html(shown, place)
    return view.card_html(shown.choice, place), thumbs, *updates.picture(shown.choice, place)


@say_errors(CANNOT)
def _select_neighbour(shown: GalleryPage, place: Place, event: gr.EventData) -> tuple[Any, ...]:
    """Enlarge one of the pictures that resemble the enlarged one."""
    places = view.find_neighbours(shown.choice.dataset, Place(*place))
    chosen = places[clicked(event, len(places))]
    return view.gallery_html(shown, chosen), *updates.picture(shown.choice, chosen)


@say_errors(CANNOT)
def _limit(name: str, model: str | None, event: gr.EventData) -> tuple[Any, ...]:
    """Show the pictures within the rectangle that was drawn on the map: all of them, whatever was asked for before."""
    choice = Choice(name, ALL_SPLITS, model=model, region=maps.region_of(name, event))
    return *updates.filters(choice), EVERYTHING, *updates.gallery(view.find_page(choice, 1))


@say_errors(CANNOT)
def _unlimit(*asked: Any) -> tuple[Any, ...]:
    """Show the pictures outside of the region, too."""
    return *updates.limits(""), *updates.gallery(view.find_page(replace(Choice(*asked), region=""), 1))


@say_errors("Cannot ask the model")
def _judge(*asked: Any, progress: gr.Progress = gr.Progress()) -> tuple[Any, ...]:
    """Show only the pictures that the model gets right, or wrong; the first time it is asked about all of them."""
    choice = Choice(*asked)
    if not choice.verdict:
        return EVERYTHING, *updates.gallery(view.find_page(choice, 1))
    page = view.find_page(choice, 1, lambda share, words: progress(share, f"Asking {choice.model}: {words}"))
    return choice.verdict, *updates.gallery(page)


def _mover(step: int) -> Any:
    """Return the handler of a page button."""

    @say_errors(CANNOT)
    def move(shown: GalleryPage | None, *asked: Any) -> tuple[Any, ...]:
        number = (shown.number if shown else 1) + step
        return updates.gallery(view.find_page(Choice(*asked), number))

    return move


@say_errors(CANNOT)
def _select(shown: GalleryPage, event: gr.EventData) -> tuple[Any, ...]:
    """Enlarge the picture that was clicked on; what a model says follows."""
    return updates.picture(shown.choice, shown.places[clicked(event, len(shown.places))])


@say_errors("Cannot classify this picture")
def _answer(shown: GalleryPage | None, place: Place | None, model: str | None) -> str:
    """Say what the model says to the selected picture."""
    if shown is None:
        return ""
    try:
        return view.answer_html(shown.choice, place and Place(*place), model)
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


@say_errors("Cannot check this dataset")
def _check(name: str) -> tuple[Any, ...]:
    """Begin to look for what is wrong with the dataset."""
    jobs.start(name)
    return health.filled(name)


@say_errors("Cannot stop")
def _stop_check(name: str) -> tuple[Any, ...]:
    """End the look."""
    jobs.stop(name)
    return health.filled(name)


def _look(name: str, finding: str) -> tuple[Any, ...]:
    """Say how far the look is; when it has ended, offer what was found."""
    if jobs.progress_of(name) is not None:
        return gr.skip(), *health.filled(name)
    choices = finding_choices(jobs.read_report(name))
    value = finding if finding in [kind for _, kind in choices] else EVERYTHING
    return gr.Dropdown(choices=choices, value=value), *health.filled(name)


@say_errors("Cannot do this")
def _act(name: str, event: gr.EventData) -> tuple[Any, ...]:
    """Show what a finding is about, or make the corrections that it suggests."""
    data = event._data or {}
    choice = Choice(name, ALL_SPLITS, ALL_CLASSES, str(data.get("kind", "")))
    if data.get("act") == "fix":
        count = health.correct_all(choice)
        gr.Info(f"{count:,} corrections are kept beside the dataset; undo them one by one or all.", title="Corrected")
    page = view.find_page(choice, 1)
    return *updates.filters(choice), EVERYTHING, *updates.gallery(page), *health.corrected(name)


def _fixer(action: str) -> Any:
    """Return the handler of a button that corrects the selected picture."""

    @say_errors("Cannot correct this picture")
    def fix(shown: GalleryPage | None, place: Place | None, value: str | None = None) -> tuple[Any, ...]:
        if shown is None or place is None:
            raise InputError("Expected a picture to correct, got none; click on one.")
        health.correct(shown.choice, Place(*place), action, value)
        return _after_correction(shown, Place(*place))

    return fix


@say_errors("Cannot undo")
def _undo_all(shown: GalleryPage, place: Place | None) -> tuple[Any, ...]:
    """Take all corrections back."""
    write_patch(find_dataset(shown.choice.dataset), [])
    return _after_correction(shown, place and Place(*place))


@say_errors("Cannot apply these corrections")
def _apply_file(shown: GalleryPage, place: Place | None, path: str) -> tuple[Any, ...]:
    """Add the corrections of a file."""
    health.apply_file(shown.choice.dataset, path)
    return _after_correction(shown, place and Place(*place))


def _after_correction(shown: GalleryPage, place: Place | None) -> tuple[Any, ...]:
    thumbs = view.gallery_html(shown, place)
    return thumbs, *updates.picture(shown.choice, place), *health.corrected(shown.choice.dataset)


@say_errors("Cannot divide this dataset")
def _divide(name: str, split: str, *asked: Any, progress: gr.Progress = gr.Progress()) -> tuple[Any, ...]:
    """Divide the dataset anew, and show it."""
    said = divide(name, *asked, progress=lambda share, words: progress(share, words))
    return said, *updates.another(name, split)


@say_errors("Cannot remove this dataset")
def _remove(name: str, split: str, answer: str) -> tuple[Any, ...]:
    """Take the dataset off the list and show the first one; nothing if a person thought better of it."""
    if not answer:
        return (gr.skip(),) * (1 + len(updates.nothing(name, None)))
    jobs.forget(name)
    remove_dataset(name)
    return gr.Dropdown(choices=view.dataset_choices(), value=FIRST), *updates.another(FIRST, split)


@say_errors("Cannot add this dataset")
def _add(file: str | None, path: str, title: str, progress: gr.Progress = gr.Progress()) -> tuple[Any, ...]:
    """Add a dataset and choose it."""
    name = add_dataset(file, path, title, lambda share, words: progress(share, words))
    said = f'<p class="vw-note" role="status">Added as {name}; it can be trained on at once.</p>'
    chosen = gr.Dropdown(choices=view.dataset_choices(), value=name)
    return chosen, said, None, "", "", gr.Accordion(open=False)
