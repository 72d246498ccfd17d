"""Copies that must stay on one side of a split are found, in files and in memory."""

from pathlib import Path

import numpy as np

from tests.data.photos import class_folders, encoded, picture, scene, write_folder
from vision_app.data import own
from vision_app.data.datasets import load_split
from vision_app.data.splits import SplitRule
from vision_app.health.together import group_copies


def test_copies_of_copies_get_one_number() -> None:
    images = np.stack([np.asarray(scene(seed)) for seed in range(40)])
    images[7] = images[3]
    images[20] = np.clip(images[7].astype(int) + 25, 0, 255).astype(np.uint8)  # lighter
    groups = group_copies(images)
    assert groups[3] == groups[7] == groups[20]
    others = np.delete(groups, [3, 7, 20])
    assert len(set(others)) == 37 and groups[3] not in others


def sides_of(folder: Path) -> dict[bytes, set[str]]:
    """Return the splits in which each file's content lies."""
    own._OPENED.clear()
    found: dict[bytes, set[str]] = {}
    for split in ("train", "validation", "test"):
        for name in load_split(str(folder), split)[0].names:
            found.setdefault((folder / name).read_bytes(), set()).add(split)
    return found


def test_a_division_keeps_copies_together(tmp_path: Path, data_folder: Path) -> None:
    files = class_folders(2)
    for number, colour in enumerate(("red", "green", "blue")):
        for shot in range(20):  # each scene is there twice
            files[f"{colour}/scene{shot:02}.png"] = encoded(scene(100 * number + shot // 2))
    files["red/broken.png"] = b"no picture"
    folder = write_folder(tmp_path / "set", files)
    rule = SplitRule(0.5, 0.25, 0.25)
    counts, _ = own.divide_own(str(folder), rule, group=group_copies)
    assert sum(counts.values()) == len(files)
    assert all(len(found) == 1 for found in sides_of(folder).values())
    own.divide_own(str(folder), rule, force=True)
    assert any(len(found) > 1 for found in sides_of(folder).values())  # by chance they would not stay together


def test_pictures_that_are_too_small_are_grouped_by_exact_copies_alone() -> None:
    images = np.stack([np.asarray(picture("red", seed, (8, 8))) for seed in range(12)])
    images[5] = images[2]
    groups = group_copies(images)
    assert groups[5] == groups[2] and len(set(groups)) == 11
