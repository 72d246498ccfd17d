"""Fetching what is missing of a dataset from where its publisher has it."""

import tarfile
import zlib
from pathlib import Path

from vision_app.data import download
from vision_app.data.dataset import Dataset
from vision_app.data.download import Progress
from vision_app.errors import InputError


def is_available(dataset: Dataset) -> bool:
    """Whether the set can be read without a download."""
    if dataset.folder and not (download.data_root() / dataset.folder).is_dir():
        return False
    return all((download.data_root() / path).is_file() for path in dataset.files)


def fetch_missing(dataset: Dataset, progress: Progress | None) -> None:
    """Fetch what is missing; an archive that somebody has put there is used and left there.

    Raises:
        InputError: it cannot be fetched, or there is no address to fetch it from.
    """
    if not dataset.remote:
        raise InputError(
            f"{dataset.title} is not on this machine, and is not downloaded by itself: get it from {dataset.homepage} "
            f"and put it at {download.data_root() / dataset.folder}."
        )
    for remote in dataset.remote:
        path = download.data_root() / remote.path
        found = path.is_file()
        if not found:
            download.fetch(remote, progress)
        if path.name.endswith(".tar.gz"):
            _unpack(path, dataset.files)
            if not found:
                path.unlink()


def _unpack(archive: Path, files: tuple[str, ...]) -> None:
    """Copy just the wanted members out, as bytes: extracting an archive can write outside the folder."""
    wanted = {Path(path).name: download.data_root() / path for path in files}
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
