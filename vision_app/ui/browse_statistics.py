"""What a dataset's images are like on the whole: counts, splits, channels, and the mean image of each class."""

import html
from contextlib import suppress
from functools import lru_cache
from typing import Any

import numpy as np

from vision_app.config import RunConfig
from vision_app.data import download
from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.fetching import is_available
from vision_app.data.images import FileImages
from vision_app.data.preprocess import preprocess
from vision_app.data.splits import stratified_holdout
from vision_app.errors import InputError
from vision_app.figures import class_histogram, picture_html

SAMPLE = 2_000  # images that the channel statistics are taken from
FILE_SIDE = 64  # pixels that pictures in files are brought to
SAMPLE_PER_CLASS = 300
MAX_MEAN_IMAGES = 24


def statistics_html(name: str, split: str) -> str:
    """Return everything as HTML; empty when the dataset is not on this machine.

    Args:
        name: as for `find_dataset`.
        split: one of its splits; anything else counts as "train".
    """
    row = find_dataset(name)
    if not is_available(row):
        return ""
    split = split if split in row.counts else "train"
    return _statistics_html(name, split, (str(download.data_root()), row.identity, *row.counts.items()))


@lru_cache(maxsize=32)
def _statistics_html(name: str, split: str, _state: tuple[Any, ...]) -> str:
    classes = find_dataset(name).classes
    images, labels, sizes = _small(name, split)
    counts = count_classes(load_split(name, split)[1], classes)
    return (
        f'<div class="vw-statistics">{class_histogram(counts, histogram_title(counts, split))}'
        f"{split_table(name)}{channel_table(images, split)}{size_table(sizes)}{mean_images_html(images, labels, classes, split)}</div>"
    )


def _small(name: str, split: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a split's images, labels, and sizes (n, 2) as height and width.

    Of pictures in files it is a sample, made small, without those that cannot be read.
    """
    images, labels = load_split(name, split)
    if not isinstance(images, FileImages):
        return images, labels, np.array([images.shape[1:3]])
    chosen = np.unique(np.linspace(0, len(images) - 1, min(len(images), SAMPLE)).astype(int))
    found = []
    for index in chosen:
        with suppress(InputError):
            image = images[int(index)]
            found.append((preprocess(image[None], FILE_SIDE, 3)[0], labels[index], image.shape[:2]))
    pictures, kept, sizes = zip(*found, strict=True) if found else ((), (), ())
    empty = np.zeros((0, FILE_SIDE, FILE_SIDE, 3), np.uint8)
    return np.array(pictures) if found else empty, np.array(kept, np.int64), np.array(sizes, int).reshape(-1, 2)


def count_classes(labels: np.ndarray, classes: tuple[str, ...]) -> dict[str, int]:
    """Return the number of images of each class, in label order."""
    return dict(zip(classes, np.bincount(labels, minlength=len(classes)).tolist(), strict=True))


def histogram_title(counts: dict[str, int], split: str) -> str:
    """Return the finding: whether the classes are equally frequent."""
    rarest, commonest = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    low, high = counts[rarest], counts[commonest]
    if low == high:
        return f"{_title(split)}: every class has {low:,} images"
    return f"{_title(split)}: from {low:,} images ({rarest}) to {high:,} ({commonest}) a class"


def split_table(name: str) -> str:
    """Return the sizes of the parts that a run with the default settings works with."""
    dataset = find_dataset(name)
    labels = load_split(name, "train")[1]
    fraction, seed = RunConfig().validation_fraction, RunConfig().seed
    kept, aside = stratified_holdout(labels, fraction, seed)
    note = f"As a run divides it by default: {100 * fraction:g} % of the published training images become validation, seed {seed}."
    sizes = (len(kept), len(aside), dataset.num_test)
    if dataset.num_validation:
        sizes, note = tuple(dataset.counts.values()), "As it is divided; a run validates on the validation split."
    parts = tuple(zip(("Train", "Validation", "Test"), sizes, strict=True))
    total = sum(size for _, size in parts)
    rows = "".join(f"<tr><th>{part}</th><td>{n:,}</td><td>{100 * n / total:.1f} %</td></tr>" for part, n in parts)
    return _table("Splits", ("Part", "Images", "Share"), rows, note)


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Return mean and standard deviation of each channel, 0..1, and the number of images they are taken from.

    Args:
        images: uint8 (n, height, width, channels); evenly spaced ones are used when there are many.
    """
    chosen = np.unique(np.linspace(0, len(images) - 1, min(len(images), SAMPLE)).astype(int))
    sample = images[chosen].astype(np.float64) / 255
    return sample.mean((0, 1, 2)), sample.std((0, 1, 2)), len(chosen)


def channel_table(images: np.ndarray, split: str) -> str:
    """Return the channel statistics as a table."""
    means, deviations, count = channel_statistics(images)
    names = ("Grey",) if len(means) == 1 else ("Red", "Green", "Blue")
    rows = "".join(
        f"<tr><th>{channel}</th><td>{mean:.4f}</td><td>{deviation:.4f}</td></tr>"
        for channel, mean, deviation in zip(names, means, deviations, strict=True)
    )
    note = f"Pixel values as 0 to 1, from {count:,} of {len(images):,} {split} images."
    return _table("Channels", ("Channel", "Mean", "Standard deviation"), rows, note)


def size_table(sizes: np.ndarray) -> str:
    """Return how large the pictures are; nothing where all are of one size.

    Args:
        sizes: height and width in pixels, shape (n, 2).
    """
    if len(np.unique(sizes, axis=0)) < 2:
        return ""
    height, width = sizes.T
    ratio = width / height
    columns = (("Width", width, "{:,.0f}"), ("Height", height, "{:,.0f}"), ("Width : height", ratio, "{:.2f}"))
    rows = "".join(
        f"<tr><th>{name}</th>{''.join(f'<td>{form.format(value)}</td>' for value in np.percentile(values, [0, 50, 100]))}</tr>"
        for name, values, form in columns
    )
    note = f"In pixels, of {len(sizes):,} pictures that were looked at."
    return _table("Sizes", ("", "Smallest", "Median", "Largest"), rows, note)


def mean_images(images: np.ndarray, labels: np.ndarray, num_classes: int) -> dict[int, np.ndarray]:
    """Return the mean image of each class that has one, uint8 (height, width, channels), from its first images."""
    means = {}
    for label in range(num_classes):
        members = np.flatnonzero(labels == label)[:SAMPLE_PER_CLASS]
        if len(members):
            means[label] = np.rint(images[members].mean(0)).astype(np.uint8)
    return means


def mean_images_html(images: np.ndarray, labels: np.ndarray, classes: tuple[str, ...], split: str) -> str:
    """Return the mean image of each class; left out when there are too many classes to look at."""
    if len(classes) > MAX_MEAN_IMAGES:
        return ""
    figures = "".join(
        f"<figure>{picture_html(image, f'Mean {split} image of class {classes[label]}', 'vw-crisp')}"
        f'<figcaption aria-hidden="true">{html.escape(classes[label])}</figcaption></figure>'
        for label, image in mean_images(images, labels, len(classes)).items()
    )
    note = f'<p class="vw-note">The average of up to {SAMPLE_PER_CLASS} images a class: what a class has in common stays visible.</p>'
    return f'<section class="vw-means"><h3>Mean image of each class</h3><div>{figures}</div>{note}</section>'


def _table(title: str, header: tuple[str, ...], rows: str, note: str) -> str:
    heads = "".join(f"<th>{head}</th>" for head in header)
    return (
        f'<div><table class="vw-table"><caption>{title}</caption><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="vw-note">{note}</p></div>'
    )


def _title(split: str) -> str:
    return {"train": "Training"}.get(split, split.capitalize())
