"""What is looked at in a model's file before Keras opens it."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vision_app.errors import InputError

if TYPE_CHECKING:
    import h5py

MAX_BYTES = 1_000_000_000  # of a file, and of what it unpacks to
MAX_DESCRIPTION = 20_000_000
MAX_RATIO = 100  # weights hardly shrink
MEMBERS = {"metadata.json", "config.json", "model.weights.h5"}


def check_file(path: Path) -> None:
    """Refuse what is no whole saved model by its kind and size alone.

    Raises:
        InputError: what was expected, and what came.
    """
    if not path.is_file():
        raise InputError(f"There is no file at {path}; name a model saved by Keras, .keras or .h5.")
    if path.suffix not in (".keras", ".h5"):
        raise InputError(
            f"Expected a model saved by Keras, .keras or .h5, got '{path.name}'; save it with model.save()."
        )
    if path.stat().st_size > MAX_BYTES:
        raise InputError(
            f"{path.name} has {path.stat().st_size / 1e6:,.0f} MB; at most {MAX_BYTES / 1e6:,.0f} MB are loaded."
        )


def read_description(path: Path) -> Any:
    """Return what a model's file says of its layers, after a look at everything in it.

    Raises:
        InputError: the file is damaged, or holds what a saved model does not.
    """
    try:
        text = _open_zip(path) if path.suffix == ".keras" else _open_hdf5(path)
        return json.loads(text)
    except InputError:
        raise
    except (zipfile.BadZipFile, zipfile.LargeZipFile, OSError, EOFError, KeyError, NotImplementedError):
        raise InputError(f"{path.name} is damaged, or no file that Keras saved; save the model again.") from None
    except (ValueError, RuntimeError):  # text that is none, far too deep, or arrays that contradict themselves
        raise InputError(f"What {path.name} says of its layers cannot be read; save the model again.") from None


def _open_zip(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        names = [member.filename for member in members]
        for name in names:
            if name not in MEMBERS or names.count(name) > 1:
                raise InputError(
                    f"{path.name} holds {name[:80]!r}, which a model saved by Keras does not; save it again."
                )
        if missing := MEMBERS - {"metadata.json"} - set(names):
            raise InputError(f"{path.name} has no {min(missing)}; save the whole model with model.save().")
        total = sum(member.file_size for member in members)
        if total > min(MAX_BYTES, MAX_RATIO * path.stat().st_size):
            raise InputError(
                f"{path.name} unpacks to {total / 1e6:,.0f} MB, far more than weights can; it is not loaded."
            )
        if archive.getinfo("config.json").file_size > MAX_DESCRIPTION:
            raise InputError(f"What {path.name} says of its layers is far too long; it is not loaded.")
        _check_hdf5(path, archive.read("model.weights.h5"))
        return archive.read("config.json")


def _open_hdf5(path: Path) -> bytes:
    import h5py

    _check_hdf5(path, path.read_bytes())
    with h5py.File(path) as file:
        if "model_config" not in file.attrs:
            raise InputError(f"{path.name} holds weights only; save the whole model with model.save().")
        found = file.attrs["model_config"]
    return found if isinstance(found, bytes) else str(found).encode()


def _check_hdf5(path: Path, content: bytes) -> None:
    """Refuse links to other files, and arrays that say they are larger than the file that holds them."""
    import h5py

    total = 0
    with h5py.File(io.BytesIO(content)) as file:
        for name, dataset in _datasets(file):
            if dataset is None or dataset.external or dataset.is_virtual:
                raise InputError(f"The weights in {path.name} point to another place ({name[:80]!r}); save it again.")
            total += dataset.nbytes
    if total > min(MAX_BYTES, MAX_RATIO * len(content)):
        raise InputError(
            f"The weights in {path.name} say they have {total / 1e6:,.0f} MB, but it holds fewer; it is not loaded."
        )


def _datasets(group: "h5py.Group") -> Iterator[tuple[str, "h5py.Dataset | None"]]:
    """Yield all arrays of a file by name, and None for a link that leads elsewhere; a group met again is not entered."""
    import h5py

    waiting, met = [group], set()
    while waiting:
        group = waiting.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                yield name, None
                continue
            item = group[name]
            if isinstance(item, h5py.Dataset):
                yield name, item
            elif isinstance(item, h5py.Group) and hash(item.id) not in met:
                met.add(hash(item.id))
                waiting.append(item)
