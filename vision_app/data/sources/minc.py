"""MINC-2500 as published: images/<class>/*.jpg, and lists of their names, labels/train1.txt, validate1.txt, test1.txt ... 5.

Bell, Upchurch, Snavely, Bala: Material Recognition in the Wild with the Materials in Context Database. CVPR 2015.
"""

from pathlib import Path

from vision_app.data.sources.listing import Listing, list_rows
from vision_app.errors import InputError

LISTS = {"train": "train", "validate": "validation", "test": "test"}
CLASSES = (
    "brick", "carpet", "ceramic", "fabric", "foliage", "food", "glass", "hair", "leather", "metal", "mirror", "other",
    "painted", "paper", "plastic", "polishedstone", "skin", "sky", "stone", "tile", "wallpaper", "water", "wood",
)  # fmt: skip


def is_published(folder: Path) -> bool:
    """Whether a folder has the lists of the published set."""
    return (folder / "labels" / "train1.txt").is_file() and (folder / "images").is_dir()


def list_published(folder: Path, fold: int = 1) -> Listing:
    """Return the pictures of one of the five published divisions.

    Raises:
        InputError: a list is missing or names something else than images/<class>/<file>.
    """
    rows = []
    for word, split in LISTS.items():
        path = folder / "labels" / f"{word}{fold}.txt"
        try:
            lines = path.read_text(encoding="utf-8").split()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"Cannot read {path.name} of MINC-2500; expected labels/{word}{fold}.txt as published."
            ) from error
        for line in lines:
            parts = line.split("/")
            if len(parts) != 3 or parts[0] != "images" or ".." in parts:
                raise InputError(f"Expected images/<class>/<file> in {path.name}, got '{line[:80]}'.")
            rows.append((line, parts[1], split))
    return list_rows(rows, folder.name)
