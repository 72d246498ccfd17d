"""One download of a dataset at a time, watched by any number of pages."""

import html
import logging
import threading
import time
from collections.abc import Callable, Iterator

from vision_app.data.dataset import Dataset
from vision_app.data.datasets import load_split
from vision_app.errors import InputError
from vision_app.readable import duration
from vision_app.ui.messages import alert

FAILED = "The download failed for a reason in the app itself; the details are in the app's log. Please try again."
log = logging.getLogger(__name__)


class Stopped(Exception):
    """Ends a download from inside, so that it cleans up after itself."""


class Download:
    """A dataset on its way to this machine, in a thread of its own.

    Args:
        dataset: a row of DATASETS that is not on the disk.
        load: reads a split and fetches what is missing; as `load_split`.
    """

    def __init__(self, dataset: Dataset, load: Callable = load_split) -> None:
        self.dataset = dataset
        self.words = f"Connecting for {dataset.title}"
        self.share = 0.0
        self.error = ""
        self._started = time.monotonic()
        self._load = load
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name=f"download-{dataset.name}")
        self._thread.start()

    @property
    def is_alive(self) -> bool:
        """Whether it is still going on."""
        return self._thread.is_alive()

    @property
    def is_stopping(self) -> bool:
        """Whether it has been told to end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask it to end; it leaves nothing behind."""
        self._stop.set()

    def wait(self, seconds: float) -> None:
        """Wait until it ends, but no longer than `seconds`."""
        self._thread.join(seconds)

    def seconds_left(self) -> float | None:
        """Return about how long it still takes; None while that is unknown."""
        elapsed = time.monotonic() - self._started
        return elapsed * (1 - self.share) / self.share if self.share > 0.01 and elapsed > 1 else None

    def _run(self) -> None:
        try:
            self._load(self.dataset.name, "test", self._progress)
        except Stopped:
            log.info("download of %s stopped", self.dataset.name)
        except InputError as error:
            self.error = str(error)
        except Exception:
            log.exception("download of %s failed", self.dataset.name)
            self.error = FAILED

    def _progress(self, share: float, words: str) -> None:
        if self._stop.is_set():
            raise Stopped
        self.share, self.words = share, words


_RUNNING: dict[str, tuple[Download, int]] = {}  # by dataset, with the number of pages that watch
_LOCK = threading.Lock()


def watch(dataset: Dataset, every: float = 0.3) -> Iterator[Download]:
    """Yield the download of a dataset again and again until it ends; start it unless somebody already has.

    Leaving the loop early, as when a page is closed, stops the download unless another page still watches it.

    Args:
        every: seconds between two yields.
    """
    download = _join(dataset)
    try:
        while download.is_alive and not download.is_stopping:
            yield download
            download.wait(every)
        yield download
    finally:
        _leave(download)


def _join(dataset: Dataset) -> Download:
    with _LOCK:
        download, watchers = _RUNNING.get(dataset.name, (None, 0))
        if download is None or not download.is_alive or download.is_stopping:
            download, watchers = Download(dataset), 0
        _RUNNING[dataset.name] = (download, watchers + 1)
        return download


def _leave(download: Download) -> None:
    with _LOCK:
        current, watchers = _RUNNING.get(download.dataset.name, (None, 0))
        if current is not download:  # it was stopped, and somebody has begun anew
            return
        if watchers > 1:
            _RUNNING[download.dataset.name] = (download, watchers - 1)
            return
        del _RUNNING[download.dataset.name]
        if download.is_alive:
            download.stop()


def stop_download(name: str) -> None:
    """Stop the download of a dataset, if there is one, for everybody who watches it."""
    with _LOCK:
        download, _ = _RUNNING.get(name, (None, 0))
    if download:
        download.stop()


def end_html(download: Download) -> str:
    """Return how a download ended: what went wrong, that it was stopped, or nothing."""
    if download.error:
        return alert(download.error)
    if download.is_stopping:
        return '<p class="vw-note" role="status">Stopped. Nothing was kept; press Download to begin again.</p>'
    return ""


def progress_html(download: Download) -> str:
    """Return a bar with its count and the time left."""
    left = download.seconds_left()
    rest = f" · about {duration(left)} left" if left else ""
    return (
        f'<div class="vw-progress"><progress max="1" value="{download.share:.4f}" '
        f'aria-label="Download of {html.escape(download.dataset.title)}"></progress>'
        f"<span>{100 * download.share:.0f} % · {html.escape(download.words)}{rest}</span></div>"
    )
