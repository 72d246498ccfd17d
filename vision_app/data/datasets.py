"""The table of datasets. To add one: a reader under sources/ and a row here."""

import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np

from vision_app.data import download
from vision_app.data.download import Progress, RemoteFile
from vision_app.data.sources import cifar, digits, idx, npz, pen_digits, shapes
from vision_app.errors import InputError
from vision_app.lookup import find

Arrays = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Dataset:
    """One dataset: what it is, whose it is, and how to read it.

    Args:
        files: paths below the data folder that must be there; none for an embedded set.
        remote: what to download when they are not.
        read: split name -> images (n, height, width, channels) uint8 and labels (n,).
        upload_style: how an outside picture is made to look like this set's own (a row of UPLOAD_STYLES).
        augmentation: random changes that keep the label of this set's images, by name and strength.
        epochs: a sensible number for a first run.
        synthesize: (labels, generator) -> new images of these classes, for a set whose images can be generated.
    """

    name: str
    title: str
    description: str
    classes: tuple[str, ...]
    image_shape: tuple[int, int, int]
    num_train: int
    num_test: int
    licence: str
    citation: str
    homepage: str
    read: Callable[[str], Arrays]
    upload_style: str
    augmentation: dict[str, float] = field(default_factory=dict)
    epochs: int = 10
    synthesize: Callable[[np.ndarray, np.random.Generator], np.ndarray] | None = None
    files: tuple[str, ...] = ()
    remote: tuple[RemoteFile, ...] = ()

    @property
    def download_bytes(self) -> int:
        """How much has to be fetched when the set is not on the disk."""
        return sum(file.num_bytes for file in self.remote)


def find_dataset(name: str) -> Dataset:
    """Return a row of DATASETS.

    Raises:
        InputError: there is no such row; the message names the known ones.
    """
    return find(DATASETS, name, "dataset")


def is_available(dataset: Dataset) -> bool:
    """Whether the set can be read without a download."""
    return all((download.data_root() / path).is_file() for path in dataset.files)


def load_split(name: str, split: str, progress: Progress | None = None) -> Arrays:
    """Read one published split, downloading the set first if it is missing.

    Args:
        name: a row of DATASETS.
        split: "train" or "test".
        progress: called with the share done and a sentence while downloading.

    Returns:
        Images (n, height, width, channels) uint8 and labels (n,) int64; read only, shared between callers.

    Raises:
        InputError: unknown set or split, a failed download, or a damaged file.
    """
    dataset = find_dataset(name)
    if split not in ("train", "test"):
        raise InputError(f"Unknown split '{split}'. A dataset has train and test.")
    if not is_available(dataset):
        _download(dataset, progress)
    return _read(name, split, str(download.data_root()))


@cache
def _read(name: str, split: str, root: str) -> Arrays:
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


def _download(dataset: Dataset, progress: Progress | None) -> None:
    """Fetch what is missing; an archive that somebody has put there is used and left there."""
    for remote in dataset.remote:
        path = _path(remote.path)
        found = path.is_file()
        if not found:
            download.fetch(remote, progress)
        if path.name.endswith(".tar.gz"):
            _unpack(path, dataset.files)
            if not found:
                path.unlink()


def _unpack(archive: Path, files: tuple[str, ...]) -> None:
    """Copy just the wanted members out, as bytes: extracting an archive can write outside the folder."""
    wanted = {Path(path).name: _path(path) for path in files}
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                target = wanted.get(Path(member.name).name)
                stream = tar.extractfile(member) if target and member.isfile() else None
                if stream:
                    download.put(target, stream.read())
                    del wanted[target.name]
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        raise InputError(f"Could not unpack {archive.name} ({error}); delete it to fetch it again.") from error
    if wanted:
        raise InputError(f"{archive.name} does not hold {', '.join(wanted)}; delete it to fetch it again.")


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
    )
}
