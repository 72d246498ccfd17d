"""Images as a network receives them, by position: computed when asked for, or read from a file that is built once.

Decoding a photo takes milliseconds, so pictures in files are decoded once for each input size, into one file, and read
from there. An interrupted build goes on where it was.
"""

import json
import mmap
import shutil
import threading
import time
import zlib
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from filelock import FileLock

from vision_app.config import Fit
from vision_app.data.download import Progress, data_root
from vision_app.data.images import FileImages, Images
from vision_app.data.preprocess import preprocess
from vision_app.data.reading import read_picture
from vision_app.device import num_cores
from vision_app.errors import InputError
from vision_app.readable import file_size

CHUNK = 256  # images that are written, and checked, together
CHECKED_CHUNKS = 32
MAX_ADVANCE_BYTES = 2**28  # smaller sets are resized once and kept
WAITING, GOOD, BROKEN = 0, 1, 2


class NoPictures(InputError):
    """Not one picture can be read."""


class Prepared(Protocol):
    """Images as a network receives them: uint8 (n, size, size, channels), read by positions."""

    shape: tuple[int, int, int, int]

    def __len__(self) -> int: ...

    def __getitem__(self, positions: np.ndarray | slice) -> np.ndarray:
        """Return a copy of some images, uint8 (k, size, size, channels)."""


@dataclass(frozen=True)
class Preparation:
    """What images are made into."""

    size: int
    channels: int
    fit: Fit


class Computed:
    """Images in memory, brought to their size when they are asked for."""

    def __init__(self, images: np.ndarray, preparation: Preparation) -> None:
        self.images, self.preparation = images, preparation
        self.shape = (len(images), preparation.size, preparation.size, preparation.channels)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, positions: np.ndarray | slice) -> np.ndarray:
        return preprocess(self.images[positions], **asdict(self.preparation))


class Chosen:
    """Some of the images of another, in an order of its own."""

    def __init__(self, source: Prepared, positions: np.ndarray) -> None:
        self.source, self.positions = source, positions
        self.shape = (len(positions), *source.shape[1:])

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, positions: np.ndarray | slice) -> np.ndarray:
        return self.source[self.positions[positions]]


class Joined:
    """The images of two others, one after the other."""

    def __init__(self, first: Prepared, second: Prepared) -> None:
        self.first, self.second = first, second
        self.shape = (len(first) + len(second), *first.shape[1:])

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, positions: np.ndarray | slice) -> np.ndarray:
        places = np.arange(len(self))[positions]
        images = np.empty((len(places), *self.shape[1:]), np.uint8)
        is_first = places < len(self.first)
        images[is_first] = self.first[places[is_first]]
        images[~is_first] = self.second[places[~is_first] - len(self.first)]
        return images


class Stored:
    """Images in a file, read when they are asked for.

    By plain reads: pages of a mapped file would count as this process's memory, many more of them than are asked for.
    """

    def __init__(self, folder: Path, count: int, preparation: Preparation) -> None:
        self.shape = (count, preparation.size, preparation.size, preparation.channels)
        self.is_good = np.fromfile(folder / "state.bin", np.uint8) == GOOD
        self.digests = np.fromfile(folder / "digests.bin", np.uint8).reshape(-1, 32)
        self.sizes = np.fromfile(folder / "sizes.bin", np.int32).reshape(-1, 2)
        self._file, self._lock = (folder / "images.bin").open("rb", buffering=0), threading.Lock()

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, positions: np.ndarray | slice) -> np.ndarray:
        if isinstance(positions, slice):
            positions = np.arange(*positions.indices(len(self)))
        images = np.empty((len(positions), *self.shape[1:]), np.uint8)
        row = images[:1].nbytes
        starts = np.flatnonzero(np.diff(positions, prepend=-2) != 1)  # of images that lie one after the other
        with self._lock:
            for start, end in pairwise([*starts, len(positions)]):
                self._file.seek(int(positions[start]) * row)
                self._read(memoryview(images[start:end]).cast("B"))
        return images

    def _read(self, target: memoryview) -> None:
        """Fill memory from the file; the system may hand it over in parts."""
        while len(target):
            count = self._file.readinto(target)
            if not count:
                raise InputError("The prepared images have been cut off; delete cache/prepared in the data folder.")
            target = target[count:]


def prepare(images: Images, preparation: Preparation, progress: Progress | None = None) -> Computed | Stored:
    """Return images as a network receives them.

    Args:
        images: in memory, or in files; those are decoded once, into a file of the data folder.
        preparation: size, channels and fit.
        progress: called with the share done and a sentence while files are decoded.

    Raises:
        InputError: the disk is full, or not one picture can be read.
    """
    if not isinstance(images, FileImages):
        count, row = len(images), preparation.size**2 * preparation.channels
        in_advance = images.shape[1:3] != (preparation.size,) * 2 and count * row <= MAX_ADVANCE_BYTES
        return Computed(preprocess(images, **asdict(preparation)) if in_advance else images, preparation)
    name = f"{images.key}-{preparation.size}x{preparation.channels}-{preparation.fit}"
    folder = data_root() / "cache" / "prepared" / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"Cannot write to the data folder, {data_root()} ({error.strerror}); set VISION_APP_DATA."
        ) from error
    with FileLock(folder.with_suffix(".lock")):
        if not _is_whole(folder, images, preparation):
            _build(folder, images, preparation, progress)
    return Stored(folder, len(images), preparation)


def _is_whole(folder: Path, images: FileImages, preparation: Preparation) -> bool:
    """Whether the file was finished and still holds what was written; a sample of it is read for that."""
    row = preparation.size**2 * preparation.channels
    try:
        found = json.loads((folder / "checks.json").read_text())
        checks = found["chunks"]
        if not _fit(folder, len(images), row) or len(checks) != -(-len(images) // CHUNK):
            return False
        if found["facts"] != _check_facts(folder):
            return False
        with (folder / "images.bin").open("rb") as file:
            for chunk in np.unique(np.linspace(0, len(checks) - 1, CHECKED_CHUNKS).astype(int)):
                file.seek(int(chunk) * CHUNK * row)
                if zlib.crc32(file.read(CHUNK * row)) != checks[chunk]:
                    return False
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False
    return True


def _fit(folder: Path, count: int, row: int) -> bool:
    """Whether all files are there and as long as they have to be."""
    sizes = {"images.bin": row, "state.bin": 1, "digests.bin": 32, "sizes.bin": 8}
    return all(
        (folder / name).is_file() and (folder / name).stat().st_size == size * count for name, size in sizes.items()
    )


def _check_facts(folder: Path) -> int:
    """Return a checksum of what is known of each picture beside its pixels."""
    return zlib.crc32(b"".join((folder / name).read_bytes() for name in ("state.bin", "digests.bin", "sizes.bin")))


def _build(folder: Path, images: FileImages, preparation: Preparation, progress: Progress | None) -> None:
    """Decode what is not decoded yet, chunk by chunk; a chunk counts as done when its bytes are in the file."""
    count, shape = len(images), (preparation.size, preparation.size, preparation.channels)
    needed = count * int(np.prod(shape))
    written = (folder / "images.bin").stat().st_size if (folder / "images.bin").exists() else 0
    if shutil.disk_usage(folder).free < needed - written + 2**26:
        raise InputError(f"Preparing {count:,} images takes {file_size(needed + 2**26)} of disk; free some space.")
    is_damaged = (folder / "checks.json").exists() or not _fit(folder, count, int(np.prod(shape)))
    (folder / "checks.json").unlink(missing_ok=True)
    state = _open(folder / "state.bin", np.uint8, (count,))
    if is_damaged:
        state[:] = WAITING
    pixels = _open(folder / "images.bin", np.uint8, (count, *shape))
    digests, sizes = (
        _open(folder / "digests.bin", np.uint8, (count, 32)),
        _open(folder / "sizes.bin", np.int32, (count, 2)),
    )
    checks = []
    with ThreadPoolExecutor(num_cores()) as pool:
        decode = _FasterOf(map, pool.map)
        for start in range(0, count, CHUNK):
            part = slice(start, min(start + CHUNK, count))
            if (state[part] == WAITING).any():
                found = decode(_decoder(images, preparation), range(part.start, part.stop))
                pixels[part] = [item[0] for item in found]
                digests[part], sizes[part] = [item[1] for item in found], [item[2] for item in found]
                if hasattr(pixels._mmap, "madvise"):
                    pixels._mmap.madvise(mmap.MADV_DONTNEED)  # else the whole file would count as this process's memory
                state[part] = [GOOD if item[3] else BROKEN for item in found]
            checks.append(zlib.crc32(np.ascontiguousarray(pixels[part]).data))
            if progress:
                progress(part.stop / count, f"Decoding pictures: {part.stop:,} of {count:,}")
    if not (state == GOOD).any():
        shutil.rmtree(folder)
        raise NoPictures(f"Not one of {count:,} pictures can be read; the first is {images.names[0]}.")
    for array in (pixels, digests, sizes, state):  # only now: a process that is killed loses nothing that it wrote
        array.flush()
    (folder / "checks.json").write_text(json.dumps({"chunks": checks, "facts": _check_facts(folder)}))


class _FasterOf:
    """Maps in each of several ways once, and from then on in the way that was the fastest.

    Large photos decode faster in several threads. With small pictures the threads wait for each other's Python, and one alone
    is twice as fast.
    """

    def __init__(self, *ways: Callable[..., Iterable[Any]]) -> None:
        self.ways, self.seconds = ways, []

    def __call__(self, function: Callable[[int], Any], items: range) -> list[Any]:
        tried = len(self.seconds)
        way = self.ways[tried if tried < len(self.ways) else int(np.argmin(self.seconds))]
        began = time.perf_counter()
        found = list(way(function, items))
        if tried < len(self.ways):
            self.seconds.append((time.perf_counter() - began) / len(items))
        return found


def _decoder(
    images: FileImages, preparation: Preparation
) -> Callable[[int], tuple[np.ndarray, np.ndarray, tuple[int, int], bool]]:
    """Return what gives a picture's pixels, the digest of its bytes, its size, and whether it can be read."""
    size, channels, fit = preparation.size, preparation.channels, preparation.fit
    nothing = np.zeros((size, size, channels), np.uint8)

    def decode(index: int) -> tuple[np.ndarray, np.ndarray, tuple[int, int], bool]:
        digest = np.zeros(32, np.uint8)
        try:
            content = images.files.read(images.names[index])
            digest = np.frombuffer(sha256(content).digest(), np.uint8)
            picture = read_picture(content)
        except InputError:
            return nothing, digest, (0, 0), False
        return preprocess(picture[None], size, channels, fit)[0], digest, picture.shape[:2], True

    return decode


def _open(path: Path, kind: type, shape: tuple[int, ...]) -> np.memmap:
    """Open a file for writing as an array; one of another length starts anew with zeros."""
    wanted = int(np.prod(shape)) * np.dtype(kind).itemsize
    if not path.exists() or path.stat().st_size != wanted:
        with path.open("wb") as file:
            file.truncate(wanted)
    return np.memmap(path, kind, "r+", shape=shape)
