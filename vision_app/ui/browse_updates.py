"""What the Browse tab's widgets show now: values for the groups of `BrowseParts`, in their order."""

from typing import Any

import gradio as gr

from vision_app.data.datasets import find_dataset
from vision_app.data.fetching import is_available
from vision_app.health import jobs
from vision_app.ui import browse_health as health
from vision_app.ui import browse_view as view
from vision_app.ui.browse_choice import Choice, Place
from vision_app.ui.browse_view import GalleryPage
from vision_app.ui.health_view import finding_choices
from vision_app.ui.pictures import class_names


def dataset(choice: Choice, page: GalleryPage, place: Place | None = None) -> tuple[Any, ...]:
    """Return everything that changes with the dataset: filters, facts, models, a page of pictures, and its health."""
    name = choice.dataset
    verdict = gr.Radio(value=choice.verdict, visible=bool(_models(name)))
    answering = (model_dropdown(name, choice.model), verdict)
    return *filters(choice), *facts(name), *answering, *gallery(page, place), *health.filled(name)


def another(name: str, split: str) -> tuple[Any, ...]:
    """Return the same for the first page of another dataset, with nothing selected; of test where there is no such split."""
    split = split if split in [value for _, value in view.split_choices(name)] else "test"
    choice = Choice(name, split)
    return dataset(choice, view.find_page(choice, 1))


def nothing(name: str, model: str | None) -> tuple[Any, ...]:
    """Return the same for a dataset that is shown already: only its models and its health may have changed."""
    same = len(view.STEPS) + 3 + 10  # page buttons, page, thumbs, position, and all about the picture
    rest = (
        model_dropdown(name, model),
        gr.Radio(visible=bool(_models(name))),
        *[gr.skip()] * same,
        *health.filled(name),
    )
    return *[gr.skip()] * 10, *rest


def filters(choice: Choice) -> tuple[Any, ...]:
    """Return split, class, finding, search and region, with what this dataset has of each."""
    row = find_dataset(choice.dataset)
    return (
        gr.Radio(choices=view.split_choices(choice.dataset), value=choice.split),
        gr.Dropdown(choices=class_names(choice.dataset), value=choice.class_name),
        gr.Dropdown(choices=finding_choices(jobs.read_report(choice.dataset)), value=choice.finding),
        gr.Textbox(value=choice.search, visible=row.place is not None or bool(row.folder)),
        *limits(choice.region),
    )


def limits(region: str) -> tuple[str, gr.Row]:
    """Return the region of the map, and the row that says so."""
    return region, gr.Row(visible=bool(region))


def facts(name: str) -> tuple[str, Any, Any, Any]:
    """Return the facts, the download's row and button, which only a missing dataset has, and how to divide one's own."""
    row = find_dataset(name)
    missing = not is_available(row) and bool(row.remote)
    download = gr.Button(f"Download {view.megabytes(row)}")
    return view.facts_html(name), gr.Row(visible=missing), download, gr.Accordion(visible=row.place is not None)


def gallery(page: GalleryPage, place: Place | None = None) -> tuple[Any, ...]:
    """Return a page of pictures; the page buttons that lead nowhere are off."""
    before, after = page.number > 1, page.number < page.num_pages
    moves = (gr.Button(interactive=possible) for possible in (before, before, after, after))
    place = place if page.places else None
    return *moves, page, view.gallery_html(page, place), view.position_html(page), *picture(page.choice, place)


def picture(choice: Choice, place: Place | None) -> tuple[Any, ...]:
    """Return the chosen picture, room for a model's answer, what is like it, and what can be corrected."""
    said = (view.selected_html(choice, place), "", view.neighbours_html(choice, place))
    return place, *said, *health.fixes(choice, place)


def model_dropdown(name: str, chosen: str | None) -> gr.Dropdown:
    """List the dataset's models; a choice that still fits stays."""
    models = _models(name)
    value = chosen if chosen in models else next(iter(models), None)
    return gr.Dropdown(choices=models, value=value, visible=bool(models))


def _models(name: str) -> list[str]:
    return view.model_choices(name) if is_available(find_dataset(name)) else []
