"""What the Browse tab says and shows: plain functions of dataset, split, class and page."""

import html
from dataclasses import dataclass

import numpy as np

from vision_app import places
from vision_app.data.dataset import Dataset
from vision_app.data.datasets import find_dataset, list_datasets, load_split
from vision_app.data.download import Progress
from vision_app.data.fetching import is_available
from vision_app.data.images import FileImages, Images
from vision_app.data.patch import known_patch
from vision_app.errors import InputError
from vision_app.figures import picture_html, probability_bars
from vision_app.health.jobs import read_map
from vision_app.runs import list_models
from vision_app.ui.browse_choice import ALL_SPLITS, Choice, Place, find_places, item_at
from vision_app.ui.classify_view import Answer, classify
from vision_app.ui.health_view import history_html
from vision_app.ui.thumbs import shrink, thumbs_html

PER_PAGE = 60
NUM_NEIGHBOURS = 6  # one row
LARGE = 480  # pixels that the enlarged picture has at most
SPLIT_TITLES = {"train": "Train", "validation": "Validation", "test": "Test"}
STEPS = (-(10**9), -1, 1, 10**9)  # pages that First, Previous, Next and Last go on by
NO_SELECTION = '<div class="vw-empty vw-empty-small"><strong>Click on a picture</strong><span>It appears here, enlarged.</span></div>'
NO_MODEL = "No model of this dataset yet: train one in the Train tab, and its probabilities appear here."
EXPLAIN_LINK = '<p><a href="?tab=explain&amp;dataset={dataset}&amp;image={image}">See where a network looks</a></p>'


@dataclass(frozen=True)
class GalleryPage:
    """One page of pictures.

    Args:
        choice: what was asked for.
        places: each picture's place in the published splits.
        number, num_pages: this page, from 1, of how many.
        count: pictures on all pages.
    """

    choice: Choice
    places: tuple[Place, ...]
    number: int
    num_pages: int
    count: int


def show_below(elem_id: str) -> str:
    """Return JavaScript that brings an element into view on narrow screens, where it stands below what was clicked on."""
    return f"() => {{if (innerWidth < 700) document.getElementById('{elem_id}')?.scrollIntoView();}}"


def show_above(elem_id: str) -> str:
    """Return JavaScript that brings an element into view that stands above what was clicked on."""
    return f"() => document.getElementById('{elem_id}')?.scrollIntoView({{block: 'start'}})"


def show_beside(elem_id: str) -> str:
    """Return JavaScript that brings an element into view where it stands beside what was clicked on, or below it.

    Beside, it sticks to the screen; the page goes up only as far as the end of its column has pushed it out of view.
    Chromium's own scrollIntoView takes what is inside a sticky box as seen.
    """
    return (
        f"() => setTimeout(() => {{const element = document.getElementById('{elem_id}');"
        " if (innerWidth < 700) element.scrollIntoView();"
        " else scrollBy(0, Math.min(0, element.getBoundingClientRect().top - 16));}, 200)"  # by then it has its height
    )


def dataset_choices() -> list[tuple[str, str]]:
    """Return all datasets as (title with its state, name), the added ones last."""
    return [(f"{row.title} ({state_of(row)})", row.name) for row in list_datasets()]


def split_choices(name: str) -> list[tuple[str, str]]:
    """Return the splits of a dataset as (title, name), with all of them last."""
    return [*((SPLIT_TITLES[split], split) for split in find_dataset(name).counts), ("All", ALL_SPLITS)]


def state_of(dataset: Dataset) -> str:
    """Return where the images are: "embedded", "yours", "on disk", "download 170 MB" or "not here"."""
    if dataset.place:
        return "yours"
    if not dataset.files and not dataset.folder:
        return "embedded"
    if is_available(dataset):
        return "on disk"
    return f"download {megabytes(dataset)}" if dataset.remote else "not here"


def megabytes(dataset: Dataset) -> str:
    """Return the size of the download: "170 MB"."""
    return f"{dataset.download_bytes / 1e6:.0f} MB"


def facts_html(name: str) -> str:
    """Return what a dataset is and whose it is."""
    row = find_dataset(name)
    facts = [f"{sum(row.counts.values()):,} images", f"{len(row.classes)} classes", _shape(row)]
    facts += [f"{count:,} {reason}" for reason, count in row.left_out.items()]
    if not row.place:
        facts.append(f"Licence: {html.escape(row.licence)}")
    elif places.are_open():
        facts.append(html.escape(str(row.place)))
    if row.homepage:
        facts.append(f'<a href="{html.escape(row.homepage)}" target="_blank" rel="noopener noreferrer">Homepage</a>')
    listed = "".join(f"<li>{fact}</li>" for fact in facts)
    return (
        f'<div class="vw-facts"><p>{html.escape(row.description)}</p><ul>{listed}</ul>'
        f'<p class="vw-note">{html.escape(row.citation)}</p></div>'
    )


def _shape(row: Dataset) -> str:
    if row.image_shape is None:
        return "pictures of several sizes"
    height, width, channels = row.image_shape
    return f"{width} × {height} pixels, {'grey' if channels == 1 else 'colour'}"


def find_page(choice: Choice, number: int, progress: Progress | None = None) -> GalleryPage:
    """Return the page nearest to the one asked for.

    Args:
        choice: what to show; a dataset that is not on this machine has a single empty page.
        number: from 1.
        progress: called while a model is asked about every image.

    Raises:
        InputError: an unknown dataset, split or class, or damaged files.
    """
    places = find_places(choice, progress)
    num_pages = max(1, -(-len(places) // PER_PAGE))
    number = min(max(1, number), num_pages)
    shown = places[(number - 1) * PER_PAGE : number * PER_PAGE]
    return GalleryPage(choice, tuple(shown), number, num_pages, len(places))


def gallery_html(page: GalleryPage, selected: Place | None = None) -> str:
    """Return the page's pictures as buttons.

    Args:
        selected: the chosen picture; it is marked if it is on this page.
    """
    row = find_dataset(page.choice.dataset)
    if not is_available(row):
        return _missing(row)
    if not page.places:
        return (
            '<div class="vw-empty"><strong>No pictures</strong><span>None of this set are as you ask for.</span></div>'
        )
    edits = known_patch(row)
    changed = {Place(edit.split, edit.index) for edit in edits}
    pictures, names = [], []
    for place in page.places:
        images, labels = load_split(row.name, place.split)
        pictures.append(_readable(images, place.index))
        item = item_at(page.choice, place)
        suggested = f" → {item.suggested_label}" if item and item.suggested_label else ""
        names.append(f"{row.classes[labels[place.index]]}{suggested}{' (corrected)' if place in changed else ''}")
    mark = page.places.index(selected) if selected in page.places else None
    return thumbs_html(pictures, names, mark)


def _missing(row: Dataset) -> str:
    rest = f"Press Download to fetch it ({megabytes(row)}), or choose another dataset."
    if not row.remote:
        rest = f"Get it from {html.escape(row.homepage)} and put it into the data folder as {html.escape(row.folder)}."
    return f'<div class="vw-empty"><strong>{html.escape(row.title)} is not on this machine</strong><span>{rest}</span></div>'


def _readable(images: Images, index: int) -> np.ndarray:
    """Return a picture, or a grey square for one that cannot be read."""
    try:
        return images[index]
    except InputError:
        return np.full((32, 32, 3), 128, np.uint8)


def position_html(page: GalleryPage) -> str:
    """Return "Page 3 of 167" with the number of pictures, and the page's number for the address."""
    return (
        f'<p class="vw-page" role="status" data-page="{page.number}"><span>Page <strong>{page.number:,}</strong> of '
        f"{page.num_pages:,}</span> <small>{page.count:,} picture{'s' * (page.count != 1)}</small></p>"
    )


def model_choices(name: str) -> list[str]:
    """Return the models that were trained on a dataset: shipped ones, then runs, newest first."""
    return [run.name for run in list_models() if run.config().dataset == name]


def selected_html(choice: Choice, place: Place | None) -> str:
    """Return one image enlarged, with its label, position, size, and what was found or changed about it.

    Args:
        place: which image; None: nothing is selected.

    Raises:
        InputError: there is no such image.
    """
    if place is None:
        return NO_SELECTION
    row = find_dataset(choice.dataset)
    images, label = _image(choice.dataset, place)
    image, size = _sized(images, place.index)
    where = f"No. {place.index:,} of the {place.split} split (counted from 0)"
    alt = f"No. {place.index} of the {place.split} split of {row.title}, counted from 0: {label}"
    link = EXPLAIN_LINK.format(dataset=html.escape(row.name), image=place.index) if place.split == "test" else ""
    file = f"<p>{html.escape(images.names[place.index])}</p>" if isinstance(images, FileImages) else ""
    history = history_html(known_patch(row), place.split, place.index, label)
    return (
        f'<article class="vw-selected" data-image="{place.split}-{place.index}"><figure>{picture_html(image, alt, "vw-crisp")}</figure>'
        f"<div><h3>{html.escape(label)}</h3><p>{where}</p>{file}"
        f"<p>{size}</p>{history}{_found(choice, place)}{link}</div></article>"
    )


def _sized(images: Images, index: int) -> tuple[np.ndarray, str]:
    """Return a picture as the page shows it large, and its size in words."""
    try:
        image = images[index]
    except InputError:
        return _readable(images, index), "It cannot be read."
    height, width, channels = image.shape
    return shrink(image, LARGE), f"{width} × {height} pixels, {'grey' if channels == 1 else 'colour'}"


def _found(choice: Choice, place: Place) -> str:
    """Return what the chosen check says of an image, with the picture that it is a copy of beside it."""
    item = item_at(choice, place)
    if item is None:
        return ""
    said = f'<p class="vw-found">{html.escape(item.detail)} <small>score {item.score:.3g}</small></p>'
    if item.partner is None:
        return said
    partner = Place(item.partner.split, item.partner.index)
    images, label = _image(choice.dataset, partner)
    name = f"Its partner, No. {partner.index} of {partner.split}: {label}"
    picture = picture_html(shrink(_readable(images, partner.index), 160), name, "vw-crisp")
    return f'{said}<figure class="vw-partner">{picture}<figcaption>{html.escape(name)}</figcaption></figure>'


def has_image(name: str, place: Place) -> bool:
    """Whether a published split has an image of this number."""
    return 0 <= place.index < find_dataset(name).counts.get(place.split, 0)


def answer_html(choice: Choice, place: Place | None, model: str | None) -> str:
    """Return what a model says to one image; the first time a model may have to be made ready, which takes seconds.

    Args:
        model: a name of `model_choices`, or None when there is none.

    Raises:
        InputError: there is no such image, or the model cannot answer.
    """
    if place is None:
        return ""
    if not model:
        return f'<p class="vw-note">{NO_MODEL}</p>'
    images, label = _image(choice.dataset, place)
    return _said(classify(images[place.index], [model], choice.dataset)[0], label)


def card_html(choice: Choice, place: Place) -> str:
    """Return the picture whose point on the map was clicked on, with its class; all about it stands beside the gallery."""
    images, label = _image(choice.dataset, place)
    picture = picture_html(shrink(_readable(images, place.index)), label, "vw-crisp")
    return (
        f'<figure class="vw-map-card">{picture}<figcaption><strong>{html.escape(label)}</strong><br>No. {place.index:,} of '
        f'{place.split}<br><button type="button">All about it</button></figcaption></figure>'
    )


def neighbours_html(choice: Choice, place: Place | None) -> str:
    """Return the pictures that resemble one the most, to click on, with their classes; nothing before a check."""
    places = find_neighbours(choice.dataset, place) if place else []
    if not places:
        return ""
    pictures, names = [], []
    for other in places:
        images, label = _image(choice.dataset, other)
        pictures.append(_readable(images, other.index))
        names.append(f"{label} ({other.split})")
    return f'<section class="vw-neighbours"><h4>Most alike</h4>{thumbs_html(pictures, names)}</section>'


def find_neighbours(dataset: str, place: Place) -> list[Place]:
    """Return the places of the pictures that resemble one the most, the likest first; none before a check."""
    embedding = read_map(dataset)
    found = embedding.neighbours(place.split, place.index, NUM_NEIGHBOURS) if embedding else []
    return [Place(*other) for other, _ in found]


def _image(name: str, place: Place) -> tuple[Images, str]:
    """Return the images of a split, and the name of one image's class."""
    images, labels = load_split(name, place.split)
    if not 0 <= place.index < len(images):
        raise InputError(
            f"Expected an image from 0 to {len(images) - 1:,}, got {place.index:,}; choose one of the gallery."
        )
    return images, find_dataset(name).classes[labels[place.index]]


def _said(answer: Answer, label: str) -> str:
    predicted = answer.prediction.label
    share = f"{100 * answer.prediction.scores[predicted]:.1f} %"
    verdict, css = ("right", "vw-good") if predicted == label else (f"wrong, the label is {label}", "vw-bad")
    return (
        f'<p class="vw-verdict" role="status">{html.escape(answer.model)} says <strong>{html.escape(predicted)}</strong>, {share}: '
        f'<span class="{css}">{html.escape(verdict)}</span></p>{probability_bars(answer.prediction.scores, predicted)}'
    )
