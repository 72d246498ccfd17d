"""Names of files and folders that every system takes."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence

from vision_app.data.sources.listing import SYSTEM_FOLDERS

MAX_NAME = 120  # bytes of a file or folder name; Windows allows 260 characters for a whole path
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff]')
RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\..*)?", re.IGNORECASE)


def safe_names(names: Sequence[str]) -> tuple[str, ...]:
    """Return a folder name for each class that every system takes, no two alike even where case does not count."""
    made: dict[str, str] = {}
    taken: set[str] = set()
    ordered = sorted(dict.fromkeys(names), key=lambda name: safe_name(name) != name)  # those that can stay come first
    for name in ordered:
        made[name] = unique_name(safe_name(name), "", taken)
    return tuple(made[name] for name in names)


def safe_name(name: str) -> str:
    """Return a name without what a system forbids, hides or shortens."""
    safe = FORBIDDEN.sub("_", name).strip().lstrip(".").rstrip(". ") or "_"
    if RESERVED.fullmatch(safe) or safe.lower() in SYSTEM_FOLDERS:
        safe = f"_{safe}"
    if len(safe.encode()) > MAX_NAME:
        digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:8]
        safe = safe.encode()[: MAX_NAME - 9].decode(errors="ignore").rstrip(". ") + f"-{digest}"
    return safe


def unique_name(stem: str, suffix: str, taken: set[str]) -> str:
    """Return a name that is not taken yet, with a number if need be, and take it."""
    name, number = stem + suffix, 1
    while (key := unicodedata.normalize("NFC", name).casefold()) in taken:
        number += 1
        name = f"{stem}_{number}{suffix}"
    taken.add(key)
    return name
