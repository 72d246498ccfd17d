"""The table of datasets, and the one way to find and read one. To add one: a reader under sources/ and a row here."""

import os
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from vision_app import places
from vision_app.data import download
from vision_app.data.dataset import Dataset, Part
from vision_app.data.download import Progress, RemoteFile
from vision_app.data.fetching import fetch_missing, is_available
from vision_app.data.own import is_reference, open_own
from vision_app.data.registry import find_added, list_added
from vision_app.data.sources import cifar, digits, hub, idx, minc, npz, pen_digits, shapes
from vision_app.errors import InputError
from vision_app.lookup import find

SPLITS = ("train", "validation", "test")


def find_dataset(name: str, progress: Progress | None = None) -> Dataset:
    """Return a dataset.

    Args:
        name: in this order, a row of DATASETS, the name of an added set, the path of a folder, zip, CSV or .npz, or
            "hub:owner/name[@revision]" for a dataset of the Hugging Face Hub, whose name is then that of one commit.
        progress: called while a large folder is listed or a dataset of the Hub is fetched.

    Raises:
        InputError: there is none; the message names the known ones, or says what was expected at the path. Or the page is
            open to other machines, and the path is of none of its runs.
    """
    if isinstance(name, str) and name in DATASETS:
        return _found(DATASETS[name], progress)
    if added := find_added(name):
        return replace(open_own(added.reference, progress), name=added.name, title=added.title)
    if isinstance(name, str) and (is_reference(name) or (places.are_open() and os.path.exists(name))):
        if not hub.is_hub(name):
            places.check(name, "upload a file in the Browse tab")
        return open_own(name, progress)
    return find(DATASETS | {row.name: row for row in list_added()}, name, "dataset")


def list_datasets() -> list[Dataset]:
    """Return the table's rows and then the added sets; one that cannot be read any more is left out."""
    rows = list(DATASETS.values())
    for added in list_added():
        with suppress(InputError):
            rows.append(find_dataset(added.name))
    return rows


def _found(row: Dataset, progress: Progress | None) -> Dataset:
    """Return a row as it is on this machine: a set of files has the pictures that are there."""
    if not row.folder or not is_available(row):
        return row
    own = open_own(str(download.data_root() / row.folder), progress)
    found = ("classes", "image_shape", "num_train", "num_validation", "num_test", "read", "left_out")
    return replace(row, **{field: getattr(own, field) for field in found})


def load_split(name: str, split: str, progress: Progress | None = None) -> Part:
    """Read one published split, downloading the set first if it is missing.

    Args:
        name: as for `find_dataset`.
        split: "train", "test", or "validation" where the set has one.
        progress: called with the share done and a sentence while downloading.

    Returns:
        Images, uint8 (n, height, width, channels) or in their files, and labels (n,) int64; read only, shared between callers.

    Raises:
        InputError: unknown set or split, a failed download, or a damaged file.
    """
    dataset = find_dataset(name, progress)
    if split not in dataset.counts:
        raise InputError(f"Unknown split '{split}'. {dataset.title} has {' and '.join(dataset.counts)}.")
    if not is_available(dataset):
        fetch_missing(dataset, progress)
    if dataset.name not in DATASETS or dataset.folder:
        return dataset.read(split)
    return _read(dataset.name, split, str(download.data_root()))


@cache
def _read(name: str, split: str, root: str) -> Part:
    """Read once per process; `root` is part of the key because the folder may change."""
    dataset = DATASETS[name]
    images, labels = dataset.read(split)
    _check(dataset, images, labels)
    images.setflags(write=False)
    labels.setflags(write=False)
    return images, labels


def _check(dataset: Dataset, images: np.ndarray, labels: np.ndarray) -> None:
    """Refuse files of the right format that hold something else."""
    if not len(images) or images.shape[1:] != dataset.image_shape:
        raise InputError(
            f"The files of {dataset.title} are damaged: expected images of shape {dataset.image_shape}, "
            f"got {len(images)} of {images.shape[1:]}; delete them to fetch them again."
        )
    if labels.min() < 0 or labels.max() >= len(dataset.classes):
        raise InputError(
            f"The files of {dataset.title} are damaged: expected labels 0 to {len(dataset.classes) - 1}, "
            f"got {labels.min()} to {labels.max()}; delete them to fetch them again."
        )


def _path(name: str) -> Path:
    return download.data_root() / name


FASHION = "fashion-mnist"
FASHION_URL = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
FASHION_FILES = (
    ("train-images-idx3-ubyte.gz", "md5:8d4fb7e6c68d591d4c3dfef9ec88bf0d", 26_421_880),
    ("train-labels-idx1-ubyte.gz", "md5:25c81989df183df01b3e8a0aad5dffbe", 29_515),
    ("t10k-images-idx3-ubyte.gz", "md5:bef4ecab320f06d8554ea6380940ec79", 4_422_102),
    ("t10k-labels-idx1-ubyte.gz", "md5:bb300cfdad3c16e7a12a480ee83cd310", 5_148),
)
CIFAR = "cifar-10-batches-bin"
DIGIT_NAMES = tuple("0123456789")

DATASETS: dict[str, Dataset] = {
    row.name: row
    for row in (
        Dataset(
            name="digits",
            title="Digits 8 x 8",
            description="Handwritten digits, tiny and built in: a network learns them in seconds.",
            classes=DIGIT_NAMES,
            image_shape=(8, 8, 1),
            num_train=1438,
            num_test=359,
            licence="CC BY 4.0",
            citation="E. Alpaydin, C. Kaynak: Optical Recognition of Handwritten Digits. UCI, 1998",
            homepage="https://archive.ics.uci.edu/dataset/80",
            read=digits.load,
            upload_style="digits8",
            epochs=20,
        ),
        Dataset(
            name="shapes",
            title="Shapes",
            description="Generated geometric shapes in random colour, size, rotation and clutter.",
            classes=shapes.CLASSES,
            image_shape=(shapes.SIZE, shapes.SIZE, 3),
            num_train=shapes.COUNTS["train"],
            num_test=shapes.COUNTS["test"],
            licence="CC0 (generated)",
            citation="Generated by this app, seeded",
            homepage="",
            read=shapes.load,
            upload_style="photo",
            synthesize=shapes.draw_all,
            augmentation={"flip": 0.5},
            epochs=10,
        ),
        Dataset(
            name="mnist",
            title="MNIST",
            description="70,000 handwritten digits, the classic.",
            classes=DIGIT_NAMES,
            image_shape=(28, 28, 1),
            num_train=60_000,
            num_test=10_000,
            licence="CC BY-SA 3.0",
            citation="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition. 1998",
            homepage="http://yann.lecun.com/exdb/mnist/",
            read=lambda split: npz.load(_path("mnist.npz"), split),
            upload_style="mnist",
            synthesize=pen_digits.draw,
            epochs=5,
            files=("mnist.npz",),
            remote=(
                RemoteFile(
                    "mnist.npz",
                    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz",
                    "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
                    11_490_434,
                ),
            ),
        ),
        Dataset(
            name="fashion_mnist",
            title="Fashion-MNIST",
            description="70,000 grey pictures of clothes in MNIST's format; harder than digits.",
            classes=(
                "T-shirt/top",
                "Trouser",
                "Pullover",
                "Dress",
                "Coat",
                "Sandal",
                "Shirt",
                "Sneaker",
                "Bag",
                "Ankle boot",
            ),
            image_shape=(28, 28, 1),
            num_train=60_000,
            num_test=10_000,
            licence="MIT",
            citation="H. Xiao, K. Rasul, R. Vollgraf: Fashion-MNIST. arXiv:1708.07747, 2017",
            homepage="https://github.com/zalandoresearch/fashion-mnist",
            read=lambda split: idx.load(_path(FASHION), split),
            upload_style="garment",
            augmentation={"flip": 0.5},
            epochs=5,
            files=tuple(f"{FASHION}/{name}" for name, _, _ in FASHION_FILES),
            remote=tuple(
                RemoteFile(f"{FASHION}/{name}", FASHION_URL + name, digest, size)
                for name, digest, size in FASHION_FILES
            ),
        ),
        Dataset(
            name="cifar10",
            title="CIFAR-10",
            description="60,000 small colour photos of animals and vehicles.",
            classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
            image_shape=(32, 32, 3),
            num_train=50_000,
            num_test=10_000,
            licence="none stated",
            citation="A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images. 2009",
            homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
            read=lambda split: cifar.load(_path(CIFAR), split),
            upload_style="photo",
            augmentation={"flip": 0.5, "translation": 0.0625},
            epochs=10,
            files=tuple(f"{CIFAR}/{name}" for names in cifar.FILES.values() for name in names),
            remote=(
                RemoteFile(
                    "cifar-10-binary.tar.gz",
                    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
                    "md5:c32a1d4ab5d03f1284b67883e8d87530",
                    170_052_171,
                ),
            ),
        ),
        Dataset(
            name="minc2500",
            title="MINC-2500",
            description="57,500 photos of 23 materials, such as wood, glass and skin.",
            classes=minc.CLASSES,
            image_shape=(362, 362, 3),
            num_train=48_875,
            num_validation=2_875,
            num_test=5_750,
            licence="research use",
            citation="S. Bell, P. Upchurch, N. Snavely, K. Bala: Material Recognition in the Wild. CVPR 2015",
            homepage="http://opensurfaces.cs.cornell.edu/publications/minc/",
            upload_style="photo",
            augmentation={"flip": 0.5},
            folder="minc-2500",
        ),
    )
}
