"""Files that cannot be read, and files that can but are not what they seem."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from vision_app.data.images import FileImages
from vision_app.data.reading import describe_oddities
from vision_app.device import num_cores
from vision_app.errors import InputError
from vision_app.health.findings import Item
from vision_app.health.look import Look

LONGEST_ASPECT = 8


def find_broken(look: Look) -> tuple[Item, ...]:
    """Return the pictures that cannot be read, each with what is wrong with it."""
    return tuple(look.item(position, detail=_reason(look, int(position))) for position in np.flatnonzero(~look.is_good))


def find_odd_files(look: Look) -> tuple[Item, ...]:
    """Return pictures with a wrong extension, more than one frame, 16 bits, printing colours or an absurd shape."""
    found = dict(_oddities(look))
    height, width = np.maximum(look.sizes, 1).T
    aspect = np.maximum(height / width, width / height)
    for position in look.good[aspect[look.good] > LONGEST_ASPECT]:
        said = f"{width[position]} × {height[position]} pixels"
        found[int(position)] = ", ".join(filter(None, (found.get(int(position)), said)))
    return tuple(look.item(position, detail=found[position]) for position in sorted(found))


def _oddities(look: Look) -> Iterator[tuple[int, str]]:
    for number, part in enumerate(look.parts):
        if not isinstance(part.images, FileImages):
            continue
        images = part.images
        good = np.flatnonzero(part.is_good)

        def describe(index: int, images: FileImages = images) -> str:
            try:
                return describe_oddities(images.files.read(images.names[index]), images.names[index])
            except InputError:
                return ""

        with ThreadPoolExecutor(num_cores()) as pool:
            for index, said in zip(good, pool.map(describe, good.tolist()), strict=True):
                if said:
                    yield int(look.starts[number] + index), said


def _reason(look: Look, position: int) -> str:
    try:
        look.read(position)
    except InputError as error:
        return str(error)
    return "It could not be read."
