"""Downloads from a server on this machine: with progress, stopped, refused and out of reach."""

import hashlib
import http.server
import io
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vision_app.data.datasets import DATASETS, load_split
from vision_app.data.download import RemoteFile
from vision_app.data.fetching import is_available
from vision_app.ui import downloads
from vision_app.ui.downloads import end_html, progress_html, stop_download, watch


def archive() -> bytes:
    """An MNIST archive of few images, whose noise makes it 1.6 MB."""
    generator, file = np.random.default_rng(0), io.BytesIO()
    images = generator.integers(0, 256, (2000, 28, 28)).astype(np.uint8)
    labels = np.arange(2000) % 10
    np.savez(file, x_train=images, y_train=labels, x_test=images[:50], y_test=labels[:50])
    return file.getvalue()


CONTENT = archive()


class Handler(http.server.BaseHTTPRequestHandler):
    """Sends the archive, at once or slowly."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        pause = 0.1 if self.path == "/slow" else 0
        try:
            for start in range(0, len(CONTENT), 1 << 17):
                self.wfile.write(CONTENT[start : start + (1 << 17)])
                time.sleep(pause)
        except OSError:
            pass  # the other side has stopped

    def log_message(self, *words: object) -> None:
        """Stay quiet."""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def mnist_from(url: str, monkeypatch: pytest.MonkeyPatch, content: bytes = CONTENT) -> None:
    """Let MNIST come from an address."""
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    remote = RemoteFile("mnist.npz", url, digest, len(content))
    monkeypatch.setitem(DATASETS, "mnist", replace(DATASETS["mnist"], remote=(remote,)))


def test_fetches_with_progress(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mnist_from(f"{server}/slow", monkeypatch)
    shown = [(download.share, progress_html(download)) for download in watch(DATASETS["mnist"], every=0.05)]
    shares = [share for share, _ in shown]
    assert shares == sorted(shares) and shares[-1] == 1
    assert any(0 < share < 1 for share in shares)
    assert "100 %" in shown[-1][1] and "1.6 of 1.6 MB" in shown[-1][1]
    assert is_available(DATASETS["mnist"])
    assert stop_download("mnist") is None  # nothing left to stop
    assert load_split("mnist", "test")[0].shape == (50, 28, 28, 1)


def test_leaving_stops_and_keeps_nothing(server: str, monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> None:
    mnist_from(f"{server}/slow", monkeypatch)
    watching = watch(DATASETS["mnist"], every=0.05)
    download = next(step for step in watching if step.share > 0)
    watching.close()
    download.wait(10)
    assert not download.is_alive and download.share < 1 and download.error == ""
    assert list(data_folder.iterdir()) == []


def test_stopping_keeps_nothing(server: str, monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> None:
    mnist_from(f"{server}/slow", monkeypatch)
    for download in watch(DATASETS["mnist"], every=0.05):
        if download.share > 0:
            stop_download("mnist")
    assert "Stopped. Nothing was kept" in end_html(download)
    download.wait(10)
    assert not download.is_alive and download.share < 1
    assert list(data_folder.iterdir()) == []


def test_two_pages_share_a_download(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mnist_from(f"{server}/slow", monkeypatch)
    first, second = watch(DATASETS["mnist"], every=0.05), watch(DATASETS["mnist"], every=0.05)
    assert next(first) is next(second)
    first.close()  # the second still waits for it
    assert list(second)[-1].share == 1
    assert is_available(DATASETS["mnist"])


def test_begins_again_after_a_stop(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mnist_from(f"{server}/slow", monkeypatch)
    watching = watch(DATASETS["mnist"], every=0.05)
    next(watching)
    watching.close()
    mnist_from(f"{server}/fast", monkeypatch)
    *_, last = watch(DATASETS["mnist"], every=0.05)
    assert end_html(last) == "" and is_available(DATASETS["mnist"])


def test_who_leaves_late_does_not_stop_what_others_began(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mnist_from(f"{server}/slow", monkeypatch)
    first = watch(DATASETS["mnist"], every=0.05)
    next(first)
    stop_download("mnist")
    second = watch(DATASETS["mnist"], every=0.05)
    begun = next(second)
    first.close()
    assert not begun.is_stopping
    second.close()
    assert begun.is_stopping


def test_without_network(monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> None:
    mnist_from("http://127.0.0.1:9/mnist.npz", monkeypatch)
    *_, last = watch(DATASETS["mnist"])
    assert 'role="alert"' in end_html(last)
    assert last.error.startswith("Could not download mnist.npz")
    assert "Connect to the internet" in last.error and str(data_folder / "mnist.npz") in last.error


def test_another_file_than_expected(server: str, monkeypatch: pytest.MonkeyPatch, data_folder: Path) -> None:
    mnist_from(f"{server}/fast", monkeypatch, content=b"something else")
    *_, last = watch(DATASETS["mnist"])
    assert "did not send the expected file" in last.error
    assert list(data_folder.iterdir()) == []


def test_a_fault_of_the_app_gives_nothing_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("secret")

    download = downloads.Download(DATASETS["mnist"], load=fail)
    download.wait(5)
    assert download.error == downloads.FAILED
