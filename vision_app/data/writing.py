"""A dataset written out as files: split/class/00001.png and a list of them, in a folder or a zip; the reverse of reading.

Published files keep their bytes; arrays become PNG. An interrupted writing goes on where it was: a picture is compared
with what is there, and only what differs is written.
"""

import csv
import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from vision_app.data.augment import Augmenter, make_augmenter, resolve_strengths
from vision_app.data.dataset import Dataset, Part
from vision_app.data.datasets import SPLITS, find_dataset, load_split
from vision_app.data.download import Progress
from vision_app.data.images import FileImages
from vision_app.data.patch import patch_text, read_patch
from vision_app.data.reading import read_picture
from vision_app.data.safe_names import safe_names
from vision_app.data.writing_places import Place, Written, check_target, fill_place
from vision_app.data.writing_plan import Picture, plan_pictures
from vision_app.device import num_cores
from vision_app.edits import Patch
from vision_app.errors import InputError

CHUNK = 64  # pictures that are made at a time
MAX_COPIES = 100


def write_dataset(
    name: str,
    target: str | Path,
    progress: Progress | None = None,
    *,
    augmentation: dict[str, float] | None = None,
    copies: int = 0,
    seed: int = 0,
) -> Written:
    """Write a dataset, with its corrections, as class folders below its splits and a list `labels.csv`.

    Args:
        name: as for `find_dataset`.
        target: a folder that is new, empty, or was written by the same call before; or a zip, by its name.
        progress: called with the share done and a sentence.
        augmentation: strengths by name; with `copies`, changed copies of the training images are written too.
        copies: how many times as many training images; 0 or 1: only the images themselves.
        seed: of the changes; the same call writes the same bytes.

    Raises:
        InputError: there is something else at the target, it cannot be written, or the wishes are impossible.
    """
    augmenter = _check_copies(augmentation or {}, copies, seed)
    path = Path(target).expanduser().absolute()
    dataset = find_dataset(name, progress)
    check_target(path, dataset.place)
    edits = read_patch(dataset)
    parts = {split: load_split(name, split, progress) for split in dataset.counts}
    recipe = {
        "dataset": dataset.name,
        "augmentation": augmenter.strengths if augmenter else {},
        "copies": max(1, copies),
        "seed": seed if augmenter else 0,
        "content": _fingerprint(dataset, parts, edits),
    }
    folders = safe_names(dataset.classes)
    pictures = plan_pictures(parts, edits, dataset.classes, folders, max(1, copies))
    writer = _Writer(dataset.classes, parts, pictures, augmenter, seed, progress)
    written = fill_place(path, recipe, writer.write)
    excluded = sum(len(labels) for _, labels in parts.values()) - sum(not picture.copy for picture in pictures)
    renamed = {own: folder for own, folder in zip(dataset.classes, folders, strict=True) if own != folder}
    return replace(written, num_excluded=excluded, folders=renamed)


def _check_copies(augmentation: dict[str, float], copies: int, seed: int) -> Augmenter | None:
    """Return the augmenter, if changed copies are wanted."""
    if not 0 <= copies <= MAX_COPIES:
        raise InputError(f"The copies must be 0 to {MAX_COPIES}, got {copies}.")
    if seed < 0:
        raise InputError(f"The seed must be 0 or more, got {seed}.")
    strengths = {name: strength for name, strength in resolve_strengths(augmentation).items() if strength}
    if "mixup" in strengths:
        raise InputError("Mixup averages classes, and a class folder holds one; leave it out of the augmentation.")
    if bool(strengths) != (copies > 1):
        raise InputError(
            f"Changed copies need both an augmentation and at least 2 copies, got {', '.join(strengths) or 'none'} "
            f"and {copies}."
        )
    return make_augmenter(strengths) if copies > 1 else None


def _fingerprint(dataset: Dataset, parts: dict[str, Part], edits: Patch) -> str:
    """Return what tells whether a started writing is of the same pictures, labels and corrections."""
    digest = hashlib.sha256(json.dumps([dataset.classes, patch_text(dataset, edits)]).encode())
    for split, (images, labels) in parts.items():
        digest.update(f"{split} {len(labels)}".encode())
        digest.update(np.ascontiguousarray(labels, "<i8"))
        if isinstance(images, FileImages):  # anew, because an opened set remembers how its files were
            digest.update(FileImages(images.files, images.names).key.encode())
        else:
            digest.update(np.ascontiguousarray(images))
    return digest.hexdigest()[:32]


@dataclass(frozen=True)
class _Writer:
    """Makes the pictures of a plan and hands them, in its order, to a place."""

    classes: tuple[str, ...]
    parts: dict[str, Part]
    pictures: list[Picture]
    augmenter: Augmenter | None
    seed: int
    progress: Progress | None

    def write(self, place: Place) -> tuple[Written, bytes]:
        """Write every picture that can be read; return what was written, and the list of it."""
        good: list[Picture] = []
        num_written = num_broken = 0
        with ThreadPoolExecutor(num_cores()) as pool:
            for start in range(0, len(self.pictures), CHUNK):
                chunk = self.pictures[start : start + CHUNK]
                for picture, content in zip(chunk, pool.map(partial(self._make, place), chunk), strict=True):
                    if content is None:
                        num_broken += not picture.copy
                        continue
                    good.append(picture)
                    num_written += place.store(picture.path, content)
                if self.progress:
                    done, total = start + len(chunk), len(self.pictures)
                    self.progress(done / total, f"Writing pictures: {done:,} of {total:,}")
        splits = {split: sum(picture.split == split for picture in good) for split in SPLITS}
        splits = {split: count for split, count in splits.items() if count}
        return Written(Path(), splits, num_written, len(good) - num_written, num_broken, 0), self._list(good)

    def _make(self, place: Place, picture: Picture) -> bytes | None:
        """Return a picture's file, or None if it cannot be read."""
        images = self.parts[picture.published][0]
        try:
            if isinstance(images, FileImages) and not picture.copy:
                content = images.files.read(images.names[picture.index])
                if not place.holds(picture.path, content):
                    read_picture(content)
                return content
            pixels = images[picture.index]
        except InputError:
            return None
        if picture.copy:
            generator = np.random.default_rng([self.seed, SPLITS.index(picture.published), picture.index, picture.copy])
            pixels = self.augmenter(pixels[None], generator)[0]
        return _png(pixels)

    def _list(self, pictures: list[Picture]) -> bytes:
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(("path", "label", "split"))
        rows.writerows((picture.path, self.classes[picture.label], picture.split) for picture in pictures)
        return text.getvalue().encode(errors="replace")


def _png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(file, "PNG")
    return file.getvalue()
