"""What the Browse tab says and shows: plain functions of dataset, split, class and page."""

import html
from dataclasses import dataclass

import numpy as np

from vision_app.data.datasets import DATASETS, Dataset, find_dataset, is_available, load_split
from vision_app.errors import InputError
from vision_app.figures import picture_html, probability_bars
from vision_app.runs import list_models
from vision_app.ui.classify_view import Answer, classify
from vision_app.ui.pictures import ALL_CLASSES
from vision_app.ui.thumbs import thumbs_html

PER_PAGE = 60
SPLITS = (("Train", "train"), ("Test", "test"))
STEPS = (-(10**9), -1, 1, 10**9)  # pages that First, Previous, Next and Last go on by
NO_SELECTION = '<div class="vw-empty vw-empty-small"><strong>Click on a picture</strong><span>It appears here, enlarged.</span></div>'
NO_MODEL = "No model of this dataset yet: train one in the Train tab, and its probabilities appear here."
EXPLAIN_LINK = '<p><a href="?tab=explain&amp;dataset={dataset}&amp;image={image}">See where a network looks</a></p>'


@dataclass(frozen=True)
class GalleryPage:
    """One page of pictures.

    Args:
        indices: position of each picture in the published split.
        number, num_pages: this page, from 1, of how many.
        count: pictures on all pages.
    """

    dataset: str
    split: str
    indices: tuple[int, ...]
    number: int
    num_pages: int
    count: int


def show_below(elem_id: str) -> str:
    """Return JavaScript that brings an element into view on narrow screens, where it stands below what was clicked on."""
    return f"() => {{if (innerWidth < 700) document.getElementById('{elem_id}')?.scrollIntoView();}}"


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
    """Return all datasets as (title with its state, name)."""
    return [(f"{row.title} ({state_of(row)})", row.name) for row in DATASETS.values()]


def state_of(dataset: Dataset) -> str:
    """Return where the images are: "embedded", "on disk" or "download 170 MB"."""
    if not dataset.files:
        return "embedded"
    return "on disk" if is_available(dataset) else f"download {megabytes(dataset)}"


def megabytes(dataset: Dataset) -> str:
    """Return the size of the download: "170 MB"."""
    return f"{dataset.download_bytes / 1e6:.0f} MB"


def facts_html(name: str) -> str:
    """Return what a dataset is and whose it is."""
    row = find_dataset(name)
    height, width, channels = row.image_shape
    facts = [
        f"{row.num_train + row.num_test:,} images",
        f"{len(row.classes)} classes",
        f"{height} × {width} pixels, {'grey' if channels == 1 else 'colour'}",
        f"Licence: {html.escape(row.licence)}",
    ]
    if row.homepage:
        facts.append(f'<a href="{html.escape(row.homepage)}" target="_blank" rel="noopener noreferrer">Homepage</a>')
    listed = "".join(f"<li>{fact}</li>" for fact in facts)
    return (
        f'<div class="vw-facts"><p>{html.escape(row.description)}</p><ul>{listed}</ul>'
        f'<p class="vw-note">{html.escape(row.citation)}</p></div>'
    )


def find_page(name: str, split: str, class_name: str, number: int) -> GalleryPage:
    """Return the page nearest to the one asked for.

    Args:
        name: a row of DATASETS; one that is not on this machine has a single empty page.
        split: "train" or "test".
        class_name: only this class, or ALL_CLASSES.
        number: from 1.

    Raises:
        InputError: an unknown dataset, split or class, or damaged files.
    """
    row = find_dataset(name)
    chosen = _positions(row, split, class_name) if is_available(row) else np.empty(0, int)
    num_pages = max(1, -(-len(chosen) // PER_PAGE))
    number = min(max(1, number), num_pages)
    shown = chosen[(number - 1) * PER_PAGE : number * PER_PAGE]
    return GalleryPage(name, split, tuple(shown.tolist()), number, num_pages, len(chosen))


def _positions(row: Dataset, split: str, class_name: str) -> np.ndarray:
    labels = load_split(row.name, split)[1]
    if class_name == ALL_CLASSES:
        return np.arange(len(labels))
    if class_name not in row.classes:
        raise InputError(f"{row.title} has no class '{class_name}'; choose one of {', '.join(row.classes[:20])}.")
    return np.flatnonzero(labels == row.classes.index(class_name))


def gallery_html(page: GalleryPage, selected: int | None = None) -> str:
    """Return the page's pictures as buttons.

    Args:
        selected: position of the chosen picture in its split; it is marked if it is on this page.
    """
    row = find_dataset(page.dataset)
    if not is_available(row):
        rest = f"Press Download to fetch it ({megabytes(row)}), or choose another dataset."
        return f'<div class="vw-empty"><strong>{html.escape(row.title)} is not on this machine</strong><span>{rest}</span></div>'
    if not page.indices:
        return '<div class="vw-empty"><strong>No pictures</strong><span>This split has none of this class.</span></div>'
    images, labels = load_split(page.dataset, page.split)
    names = [row.classes[labels[index]] for index in page.indices]
    mark = page.indices.index(selected) if selected in page.indices else None
    return thumbs_html([images[index] for index in page.indices], names, mark)


def position_html(page: GalleryPage) -> str:
    """Return "Page 3 of 167" with the number of pictures, and the page's number for the address."""
    return (
        f'<p class="vw-page" role="status" data-page="{page.number}"><span>Page <strong>{page.number:,}</strong> of '
        f"{page.num_pages:,}</span> <small>{page.count:,} pictures</small></p>"
    )


def model_choices(name: str) -> list[str]:
    """Return the models that were trained on a dataset: shipped ones, then runs, newest first."""
    return [run.name for run in list_models() if run.config().dataset == name]


def selected_html(name: str, split: str, index: int | None) -> str:
    """Return one image enlarged, with its label, position and size.

    Args:
        index: position in the published split; None: nothing is selected.

    Raises:
        InputError: there is no such image.
    """
    if index is None:
        return NO_SELECTION
    image, label = _image(name, split, index)
    height, width, channels = image.shape
    alt = f"No. {index} of the {split} split of {find_dataset(name).title}, counted from 0: {label}"
    link = EXPLAIN_LINK.format(dataset=name, image=index) if split == "test" else ""
    return (
        f'<article class="vw-selected" data-image="{index}"><figure>{picture_html(image, alt, "vw-crisp")}</figure>'
        f"<div><h3>{html.escape(label)}</h3><p>No. {index:,} of the {split} split (counted from 0)</p>"
        f"<p>{width} × {height} pixels, {'grey' if channels == 1 else 'colour'}</p>{link}</div></article>"
    )


def has_image(name: str, split: str, index: int) -> bool:
    """Whether a published split has an image of this number."""
    return 0 <= index < find_dataset(name).counts.get(split, 0)


def answer_html(name: str, split: str, index: int | None, model: str | None) -> str:
    """Return what a model says to one image; the first time a model may have to be made ready, which takes seconds.

    Args:
        model: a name of `model_choices`, or None when there is none.

    Raises:
        InputError: there is no such image, or the model cannot answer.
    """
    if index is None:
        return ""
    if not model:
        return f'<p class="vw-note">{NO_MODEL}</p>'
    image, label = _image(name, split, index)
    return _said(classify(image, [model], name)[0], label)


def _image(name: str, split: str, index: int) -> tuple[np.ndarray, str]:
    """Return one image and the name of its class."""
    images, labels = load_split(name, split)
    if not 0 <= index < len(images):
        raise InputError(f"Expected an image from 0 to {len(images) - 1:,}, got {index:,}; choose one of the gallery.")
    return images[index], find_dataset(name).classes[labels[index]]


def _said(answer: Answer, label: str) -> str:
    predicted = answer.prediction.label
    share = f"{100 * answer.prediction.scores[predicted]:.1f} %"
    verdict, css = ("right", "vw-good") if predicted == label else (f"wrong, the label is {label}", "vw-bad")
    return (
        f'<p class="vw-verdict" role="status">{html.escape(answer.model)} says <strong>{html.escape(predicted)}</strong>, {share}: '
        f'<span class="{css}">{html.escape(verdict)}</span></p>{probability_bars(answer.prediction.scores, predicted)}'
    )
