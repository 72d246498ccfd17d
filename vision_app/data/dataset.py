"""What a dataset is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from vision_app.data.download import RemoteFile
from vision_app.data.images import Images

Part = tuple[Images, np.ndarray]


@dataclass(frozen=True)
class Dataset:
    """One dataset: what it is, whose it is, and how to read it.

    Args:
        name: what stands for it wherever a dataset is asked for: a name of the table, or a path.
        image_shape: (height, width, channels), or None where images differ.
        num_validation: images that its publisher set aside for validation; 0: a run sets some aside itself.
        left_out: files that are no part of it, by reason.
        files: paths below the data folder that must be there; none for an embedded set.
        folder: a folder of picture files below the data folder instead, read as any folder is.
        place: where a person's own set is; None for a row of the table.
        identity: tells one state of such a set from another: its files, their labels, and how it is divided.
        remote: what to download when they are not.
        read: split name -> images, uint8 (n, height, width, channels) or in their files, and labels (n,).
        upload_style: how an outside picture is made to look like this set's own (a row of UPLOAD_STYLES).
        augmentation: random changes that keep the label of this set's images, by name and strength.
        epochs: a sensible number for a first run.
        synthesize: (labels, generator) -> new images of these classes, for a set whose images can be generated.
    """

    name: str
    title: str
    description: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int] | None
    num_train: int
    num_test: int
    licence: str
    citation: str
    homepage: str
    upload_style: str
    read: Callable[[str], Part] | None = None
    augmentation: dict[str, float] = field(default_factory=dict)
    epochs: int = 10
    num_validation: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    synthesize: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None
    files: tuple[str, ...] = ()
    folder: str = ""
    place: Path | None = None
    identity: str = ""
    remote: tuple[RemoteFile, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """The number of images of each published split."""
        counts = {"train": self.num_train, "validation": self.num_validation, "test": self.num_test}
        return {split: count for split, count in counts.items() if count}

    @property
    def download_bytes(self) -> int:
        """How much has to be fetched when the set is not on the disk."""
        return sum(file.num_bytes for file in self.remote)
