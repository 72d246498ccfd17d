"""What a network will receive: training images at its input size, and one of them under many draws of the augmentation."""

import html
from collections.abc import Mapping, Sequence

import numpy as np

from vision_app.data.augment import preview
from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.fetching import is_available
from vision_app.data.images import FileImages
from vision_app.data.preprocess import preprocess
from vision_app.errors import InputError
from vision_app.figures import picture_html

DRAWS, SHOWN = 16, 8
LARGEST_SPLIT = 2_000  # images that are looked through for one that can be read


def preview_html(
    dataset: str, strengths: Mapping[str, float], size: int | None, channels: str | None, fit: str, seed: int
) -> str:
    """Return both rows of pictures as HTML.

    Args:
        dataset: as for `find_dataset`.
        strengths: of the chosen augmentations, by name.
        size: pixels a side; None: the images' own.
        channels: "1" or "3".
        fit: how a picture becomes square.
        seed: another one shows other draws.
    """
    row = find_dataset(dataset)
    if not is_available(row):
        return '<p class="vw-note">The preview appears once the dataset is on this machine.</p>'
    images, labels = _some(dataset, seed)
    if not images:
        return '<p class="vw-note">No training image of this set can be read.</p>'
    size = int(size or max(images[0].shape[:2]))
    ready = [preprocess(image[None], size, int(channels or 3), fit)[0] for image in images]
    received = _pictures(ready, [row.classes[label] for label in labels])
    try:
        # The others come along for changes that mix two images.
        batch = np.concatenate([ready[:1] * DRAWS, ready[1:]])
        drawn = preview(batch, strengths, len(batch), seed)[:DRAWS]
    except InputError as error:
        return f'<p class="vw-note" role="alert">{html.escape(str(error))}</p>'
    title = "The first of them, as training changes it: 16 draws" if strengths else "No augmentation: always the same"
    draws = _pictures(list(drawn), [f"Draw {number}" for number in range(1, DRAWS + 1)], named=False)
    return (
        f'<section class="vw-preview-grid"><h4>Training images as the network receives them, {size} × {size}</h4>{received}'
        f"<h4>{title}</h4>{draws}</section>"
    )


def _some(dataset: str, seed: int) -> tuple[list[np.ndarray], list[int]]:
    """Return a few training images of different classes that can be read, and their labels."""
    images, labels = load_split(dataset, "train")
    order = np.random.default_rng(seed).permutation(len(labels))[:LARGEST_SPLIT]
    _, first = np.unique(labels[order], return_index=True)
    found, known = [], []
    for position in dict.fromkeys([*order[np.sort(first)].tolist(), *order.tolist()]):
        try:
            found.append(images[int(position)] if isinstance(images, FileImages) else images[position])
        except InputError:
            continue
        known.append(int(labels[position]))
        if len(found) == SHOWN:
            break
    return found, known


def _pictures(images: Sequence[np.ndarray], names: Sequence[str], named: bool = True) -> str:
    figures = "".join(
        f"<figure>{picture_html(image, name, 'vw-crisp')}"
        f"{f'<figcaption aria-hidden=true>{html.escape(name)}</figcaption>' if named else ''}</figure>"
        for image, name in zip(images, names, strict=True)
    )
    return f"<div>{figures}</div>"
