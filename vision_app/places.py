"""Which places of this machine may be named: any by people at it, none by those who use its page over a network."""

from collections.abc import Callable, Collection

from vision_app.errors import InputError

OWN_HOSTS = ("127.0.0.1", "localhost", "::1")
_closed: Callable[[], Collection[str]] | None = None


def close(exempt: Callable[[], Collection[str]]) -> None:
    """From now on refuse the places of this machine, for the whole process.

    Args:
        exempt: returns places that may be named all the same.
    """
    global _closed
    _closed = exempt


def open_all() -> None:
    """From now on take every place."""
    global _closed
    _closed = None


def are_open() -> bool:
    """Whether only people at this machine name its places."""
    return _closed is None


def check(place: str, instead: str) -> None:
    """Refuse a place that must not be named.

    Args:
        place: as it was named.
        instead: what to do in its place, as the end of a sentence.

    Raises:
        InputError: the page is open to other machines, and the place is not exempt. Whether there is anything stays unsaid.
    """
    if _closed is not None and place not in _closed():
        raise InputError(f"Paths can only be named on the machine itself; {instead}.")
