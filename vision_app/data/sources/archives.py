"""A zip of pictures: its directory is judged before anything in it is read, and nothing is unpacked."""

import stat
import zipfile
from pathlib import Path, PurePosixPath

from vision_app.data.sources.listing import is_picture
from vision_app.errors import InputError

MAX_MEMBERS = 500_000
MAX_GIGABYTES = 200
MAX_RATIO = 100  # pictures are compressed already; more is a bomb


def list_members(path: Path) -> list[str]:
    """Return the pictures in a zip.

    Raises:
        InputError: it is no zip, or one that is made to do harm: too many members, too large, names that lead elsewhere.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, EOFError) as error:
        raise InputError(
            f"Expected a zip archive, but {path.name} is damaged or none; zip the folder again."
        ) from error
    _check_sizes(path, members)
    names: dict[str, None] = {}
    for member in members:
        _check_name(path, member)
        if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16) or not is_picture(member.filename):
            continue
        names[member.filename] = None  # of two members of one name the last counts, as when unpacking
    return list(names)


def _check_sizes(path: Path, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_MEMBERS:
        raise InputError(f"{path.name} has {len(members):,} members; at most {MAX_MEMBERS:,} are read. Use a folder.")
    total = sum(member.file_size for member in members)
    if total > MAX_GIGABYTES * 10**9:
        raise InputError(f"{path.name} would unpack to {total / 1e9:,.0f} GB; at most {MAX_GIGABYTES} GB are read.")
    if total > MAX_RATIO * max(path.stat().st_size, 1):
        raise InputError(
            f"{path.name} would unpack to {total / max(path.stat().st_size, 1):,.0f} times its size, as no archive of "
            "pictures does; it is not read."
        )


def _check_name(path: Path, member: zipfile.ZipInfo) -> None:
    parts = PurePosixPath(member.filename.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or ":" in "".join(parts.parts[:1]):
        raise InputError(f"{path.name} has a member that leads out of it, {member.filename[:80]!r}; it is not read.")
    if member.flag_bits & 1:
        raise InputError(f"{path.name} is encrypted; zip the folder again without a password.")
