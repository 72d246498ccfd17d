"""The table of datasets, every row of it; the real sets where they are on the disk."""

import dataclasses
import gzip
import hashlib
import http.server
import io
import struct
import tarfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from vision_app.data import datasets
from vision_app.data.datasets import DATASETS, find_dataset, load_split
from vision_app.data.download import RemoteFile
from vision_app.data.fetching import is_available
from vision_app.data.sources import cifar
from vision_app.errors import InputError

EMBEDDED = ["digits", "shapes"]
REAL = [pytest.param(name, marks=pytest.mark.data(name)) for name, row in DATASETS.items() if row.files]
EACH = pytest.mark.parametrize("name", DATASETS)
EACH_SET = pytest.mark.parametrize("name", [*EMBEDDED, *REAL])


@EACH
def test_rows_are_complete(name: str) -> None:
    row = DATASETS[name]
    assert row.name == name and row.title and row.description.endswith(".") and row.citation and row.licence
    assert len(set(row.classes)) == len(row.classes) >= 2
    height, width, channels = row.image_shape
    assert height == width and channels in (1, 3)
    assert bool(row.files) == bool(row.remote) == (row.download_bytes > 0)
    assert bool(row.files) + bool(row.folder) == (name not in EMBEDDED)
    assert all(not Path(path).is_absolute() and ".." not in path for path in row.files)


@EACH
def test_downloads_are_checked_against_a_digest(name: str) -> None:
    for remote in DATASETS[name].remote:
        algorithm, digest = remote.digest.split(":")
        assert len(bytes.fromhex(digest)) == hashlib.new(algorithm).digest_size
        assert remote.url.startswith("https://") and remote.num_bytes > 1000


@EACH
def test_the_rest_of_the_app_knows_what_a_row_asks_for(name: str) -> None:
    from vision_app.data.augment import resolve_strengths
    from vision_app.data.uploads import UPLOAD_STYLES

    row = DATASETS[name]
    assert row.upload_style in UPLOAD_STYLES
    resolve_strengths(row.augmentation)
    if row.classes == datasets.DIGIT_NAMES:
        assert not row.augmentation.get("flip")


@EACH_SET
@pytest.mark.parametrize("split", ["train", "test"])
def test_every_split_holds_what_its_row_says(name: str, split: str) -> None:
    row = DATASETS[name]
    images, labels = load_split(name, split)
    count = row.num_train if split == "train" else row.num_test
    assert images.shape == (count, *row.image_shape) and images.dtype == np.uint8
    assert labels.shape == (count,) and labels.dtype == np.int64
    assert set(np.unique(labels).tolist()) == set(range(len(row.classes)))
    assert not images.flags.writeable and not labels.flags.writeable
    assert load_split(name, split)[0] is images


@pytest.mark.parametrize("name", EMBEDDED)
def test_no_test_image_is_a_training_image(name: str) -> None:
    train, test = ({image.tobytes() for image in load_split(name, split)[0]} for split in ("train", "test"))
    assert train and not train & test


# Facts that are published about the sets, not computed by this code.
MNIST_COUNTS = {
    "train": [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    "test": [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
}


@pytest.mark.data("mnist")
def test_mnist_is_mnist() -> None:
    for split, counts in MNIST_COUNTS.items():
        assert np.bincount(load_split("mnist", split)[1]).tolist() == counts
    images, labels = load_split("mnist", "train")
    assert labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert images.mean() == pytest.approx(33.318, abs=0.001)


@pytest.mark.data("fashion_mnist")
def test_fashion_mnist_is_fashion_mnist() -> None:
    images, labels = load_split("fashion_mnist", "train")
    assert np.bincount(labels).tolist() == [6000] * 10
    assert np.bincount(load_split("fashion_mnist", "test")[1]).tolist() == [1000] * 10
    assert labels[:5].tolist() == [9, 0, 0, 3, 0]
    assert images.mean() == pytest.approx(72.94, abs=0.005)


@pytest.mark.data("cifar10")
def test_cifar10_is_cifar10() -> None:
    images, labels = load_split("cifar10", "train")
    assert np.bincount(labels).tolist() == [5000] * 10
    test_labels = load_split("cifar10", "test")[1]
    assert np.bincount(test_labels).tolist() == [1000] * 10
    names = [DATASETS["cifar10"].classes[label] for label in test_labels[:5]]
    assert names == ["cat", "ship", "ship", "airplane", "frog"]
    assert images.mean((0, 1, 2)) == pytest.approx([125.3, 123.0, 113.9], abs=0.06)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(
        InputError, match=r"Unknown dataset 'mnits'.*Did you mean 'mnist'.*Known: digits, shapes, mnist"
    ):
        load_split("mnits", "train")
    with pytest.raises(InputError, match=r"Unknown split .validation.. Digits 8 x 8 has train and test"):
        load_split("digits", "validation")


@EACH
def test_without_data_only_the_embedded_sets_are_there(name: str, data_folder: Path) -> None:
    assert is_available(find_dataset(name)) == (name in EMBEDDED)


def write_mnist(folder: Path, label: int = 9, size: int = 28) -> None:
    images, labels = np.zeros((3, size, size), np.uint8), np.array([0, 1, label])
    np.savez(folder / "mnist.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)


def write_fashion(folder: Path, label: int = 9, size: int = 28) -> None:
    (folder / "fashion-mnist").mkdir(exist_ok=True)
    for prefix in ("train", "t10k"):
        images = struct.pack(">HBB3I", 0, 8, 3, 3, size, size) + bytes(3 * size * size)
        labels = struct.pack(">HBBI", 0, 8, 1, 3) + bytes([0, 1, label])
        (folder / "fashion-mnist" / f"{prefix}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (folder / "fashion-mnist" / f"{prefix}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))


def write_cifar(folder: Path, label: int = 9) -> None:
    (folder / "cifar-10-batches-bin").mkdir(exist_ok=True)
    for name in [*cifar.FILES["train"], *cifar.FILES["test"]]:
        (folder / "cifar-10-batches-bin" / name).write_bytes(bytes([label]) + bytes(3072))


@pytest.mark.parametrize(
    ("name", "write", "message"),
    [
        ("mnist", partial(write_mnist, label=10), "expected labels 0 to 9, got 0 to 10; delete them"),
        ("mnist", partial(write_mnist, label=-1), "expected labels 0 to 9, got -1 to 1; delete them"),
        ("mnist", partial(write_mnist, size=32), r"expected images of shape \(28, 28, 1\), got 3 of \(32, 32, 1\)"),
        ("fashion_mnist", partial(write_fashion, label=200), "expected labels 0 to 9, got 0 to 200"),
        ("fashion_mnist", partial(write_fashion, size=8), r"got 3 of \(8, 8, 1\)"),
        ("cifar10", partial(write_cifar, label=10), "data_batch_1.bin is damaged: .*labels 0 to 9"),
    ],
)
def test_files_of_something_else_are_refused(
    name: str, write: Callable[[Path], None], message: str, data_folder: Path
) -> None:
    write(data_folder)
    with pytest.raises(InputError, match=message):
        load_split(name, "train")


def test_a_repaired_file_is_read_again(data_folder: Path) -> None:
    write_mnist(data_folder, label=77)
    with pytest.raises(InputError):
        load_split("mnist", "train")
    write_mnist(data_folder)
    assert load_split("mnist", "train")[1].tolist() == [0, 1, 9]


def test_another_data_folder_is_another_set(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_mnist(data_folder)
    assert load_split("mnist", "train")[1][2] == 9
    (data_folder / "other").mkdir()
    write_mnist(data_folder / "other", label=4)
    monkeypatch.setenv("VISION_APP_DATA", str(data_folder / "other"))
    assert load_split("mnist", "train")[1][2] == 4


class FolderHandler(http.server.SimpleHTTPRequestHandler):
    """Serves a folder without a word."""

    def log_message(self, *words: object) -> None:
        """Stay quiet."""


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A folder and the address that it is served at."""
    folder = tmp_path / "published"
    folder.mkdir()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = partial(FolderHandler, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,)).start()
        yield folder, f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()


def publish(
    monkeypatch: pytest.MonkeyPatch, publisher: tuple[Path, str], name: str, files: dict[str, bytes], folder: str = ""
) -> None:
    """Serve other files in place of a row's own."""
    remotes = []
    for file, content in files.items():
        (publisher[0] / file).write_bytes(content)
        digest = "md5:" + hashlib.md5(content).hexdigest()
        remotes.append(RemoteFile(folder + file, publisher[1] + file, digest, len(content)))
    monkeypatch.setitem(DATASETS, name, dataclasses.replace(DATASETS[name], remote=tuple(remotes)))


def pack(members: dict[str, bytes | None]) -> bytes:
    """Return a tar.gz; a member without content is a link to /etc/passwd."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content or b"")
            if content is None:
                member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(member, io.BytesIO(content or b""))
    return buffer.getvalue()


def cifar_members() -> dict[str, bytes]:
    names = [*cifar.FILES["train"], *cifar.FILES["test"]]
    return {f"cifar-10-batches-bin/{name}": bytes([number]) + bytes(3072) for number, name in enumerate(names)}


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def test_an_archive_is_fetched_and_unpacked(
    publisher: tuple[Path, str], data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, publisher, "cifar10", {"cifar-10-binary.tar.gz": pack(cifar_members())})
    calls = []
    assert load_split("cifar10", "train", lambda share, text: calls.append(share))[1].tolist() == [0, 1, 2, 3, 4]
    assert files_in(data_folder) == set(DATASETS["cifar10"].files)
    assert calls and all(0 <= share <= 1 for share in calls)
    (publisher[0] / "cifar-10-binary.tar.gz").unlink()
    assert load_split("cifar10", "test")[1].tolist() == [5]


def test_a_hostile_archive_writes_nothing_outside(
    publisher: tuple[Path, str], data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files_in(data_folder.parent) - {"published/cifar-10-binary.tar.gz"}
    hostile = {"../evil.bin": b"x", "/tmp/../evil.bin": b"x", "cifar-10-batches-bin/../../evil": b"x", "link": None}
    members = {"../../data_batch_1.bin": bytes(3073), "x/data_batch_2.bin": None, **hostile, **cifar_members()}
    publish(monkeypatch, publisher, "cifar10", {"cifar-10-binary.tar.gz": pack(members)})
    load_split("cifar10", "train")
    after = files_in(data_folder.parent) - {"published/cifar-10-binary.tar.gz"}
    assert after - before == {f"data/{path}" for path in DATASETS["cifar10"].files}
    assert not any(path.is_symlink() for path in data_folder.rglob("*"))


def test_an_archive_that_somebody_put_there_is_used_and_kept(data_folder: Path) -> None:
    archive = data_folder / "cifar-10-binary.tar.gz"
    archive.write_bytes(pack(cifar_members()))
    assert load_split("cifar10", "train")[1].tolist() == [0, 1, 2, 3, 4]
    assert archive.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Could not unpack cifar-10-binary.tar.gz"),
        (b"no archive", "Could not unpack cifar-10-binary.tar.gz"),
        (pack(cifar_members())[:-40], "Could not unpack cifar-10-binary.tar.gz"),
        (pack(cifar_members())[:150], "Could not unpack cifar-10-binary.tar.gz"),
        (pack({"other.txt": b"x"}), "does not hold data_batch_1.bin, data_batch_2.bin, .*delete it to fetch it again"),
    ],
    ids=["empty", "text", "cut", "cut early", "something else"],
)
def test_a_damaged_archive_is_refused(content: bytes, message: str, data_folder: Path) -> None:
    (data_folder / "cifar-10-binary.tar.gz").write_bytes(content)
    with pytest.raises(InputError, match=message):
        load_split("cifar10", "train")
    assert not is_available(DATASETS["cifar10"]) and not list(data_folder.rglob("*.part"))


def test_only_what_is_missing_is_fetched(
    publisher: tuple[Path, str], data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_fashion(data_folder)
    folder = data_folder / "fashion-mnist"
    missing = folder / "train-labels-idx1-ubyte.gz"
    other = gzip.compress(struct.pack(">HBBI", 0, 8, 1, 3) + bytes([7, 7, 7]))
    missing.unlink()
    published = {path.name: b"not to be fetched" for path in folder.iterdir()} | {missing.name: other}
    publish(monkeypatch, publisher, "fashion_mnist", published, "fashion-mnist/")
    assert load_split("fashion_mnist", "train")[1].tolist() == [7, 7, 7]


def test_a_failed_download_is_told(
    publisher: tuple[Path, str], data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, publisher, "mnist", {"mnist.npz": b"x"})
    (publisher[0] / "mnist.npz").unlink()
    with pytest.raises(InputError, match=r"Could not download mnist\.npz"):
        load_split("mnist", "test")
    assert not is_available(DATASETS["mnist"])
