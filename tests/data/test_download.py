"""Fetching files from a server on this machine: checked, with progress, and never half a file."""

import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from vision_app.data.download import RemoteFile, data_root, fetch, put
from vision_app.errors import InputError

CONTENT = bytes(range(256)) * 5000
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Sends CONTENT: whole, cut short, or cut short in chunks."""

    def do_GET(self) -> None:
        if self.path == "/whole":
            self._start("Content-Length", str(len(CONTENT)))
            self.wfile.write(CONTENT)
        elif self.path == "/cut":
            self._start("Content-Length", str(len(CONTENT)))
            self.wfile.write(CONTENT[:700_000])
        elif self.path == "/cut-chunks":
            self.protocol_version = "HTTP/1.1"
            self._start("Transfer-Encoding", "chunked")
            self.wfile.write(b"7d000\r\n" + CONTENT[:0x7D000] + b"\r\n7d000\r\n" + CONTENT[:100])
        else:
            self.send_error(404)
        self.close_connection = True

    def _start(self, header: str, value: str) -> None:
        self.send_response(200)
        self.send_header(header, value)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        """Stay quiet."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a running server."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, args=(0.02,)).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def remote(url: str, digest: str = DIGEST) -> RemoteFile:
    return RemoteFile("some/set.bin", url, digest, len(CONTENT))


def files_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file()]


@pytest.mark.parametrize("digest", [DIGEST, DIGEST[:15], "md5:" + hashlib.md5(CONTENT).hexdigest()])
def test_a_good_file_is_kept(server: str, data_folder: Path, digest: str) -> None:
    path = fetch(remote(f"{server}/whole", digest))
    assert path == data_folder / "some" / "set.bin"
    assert path.read_bytes() == CONTENT
    assert files_in(data_folder) == ["set.bin"]


def test_progress_is_told(server: str, data_folder: Path) -> None:
    calls = []
    fetch(remote(f"{server}/whole"), lambda share, text: calls.append((share, text)))
    shares = [share for share, _ in calls]
    assert len(shares) >= 5 and shares == sorted(shares)
    assert 0 < shares[0] < 0.5 and shares[-1] == 1
    assert calls[-1][1] == "Downloading set.bin: 1.3 of 1.3 MB"


@pytest.mark.parametrize(
    ("path", "digest", "message"),
    [
        ("/whole", "sha256:" + "0" * 64, "did not send the expected file .sha256 .*nothing was kept"),
        ("/cut", DIGEST, "did not send the expected file|Could not download"),
        ("/cut-chunks", DIGEST, "Could not download set.bin .*try again, or put the file at .*set.bin"),
        ("/nowhere", DIGEST, "Could not download set.bin .Not Found"),
    ],
)
def test_nothing_else_is_kept(server: str, data_folder: Path, path: str, digest: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        fetch(remote(server + path, digest))
    assert files_in(data_folder) == []


def test_a_failed_download_leaves_the_old_file(server: str, data_folder: Path) -> None:
    put(data_folder / "some" / "set.bin", b"old")
    with pytest.raises(InputError):
        fetch(remote(f"{server}/cut"))
    assert (data_folder / "some" / "set.bin").read_bytes() == b"old"


def test_an_interrupted_download_leaves_nothing(server: str, data_folder: Path) -> None:
    def interrupt(share: float, text: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(remote(f"{server}/whole"), interrupt)
    assert files_in(data_folder) == []


def test_two_at_once_do_not_disturb_each_other(server: str, data_folder: Path) -> None:
    halfway, paths = threading.Barrier(2, timeout=20), []

    def meet(share: float, text: str) -> None:
        if 0.3 < share < 0.5:
            halfway.wait()

    threads = [threading.Thread(target=lambda: paths.append(fetch(remote(f"{server}/whole"), meet))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(paths) == 2 and paths[0].read_bytes() == CONTENT
    assert files_in(data_folder) == ["set.bin"]


def test_without_a_server(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as closed:
        port = closed.server_port
    with pytest.raises(InputError, match=r"Could not download set.bin .*refused.*Connect to the internet"):
        fetch(remote(f"http://127.0.0.1:{port}/whole"))


def test_a_data_folder_that_cannot_be_made(server: str, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data_folder / "file").write_text("in the way")
    monkeypatch.setenv("VISION_APP_DATA", str(data_folder / "file"))
    with pytest.raises(InputError, match=r"Cannot write .*set\.bin .*VISION_APP_DATA"):
        fetch(remote(f"{server}/whole"))


def test_put_writes_whole_files(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(data_folder / "a" / "b.bin", b"first")

    def fail(path: Path, target: Path) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="no space"):
        put(data_folder / "a" / "b.bin", b"second")
    assert (data_folder / "a" / "b.bin").read_bytes() == b"first"
    assert files_in(data_folder) == ["b.bin"]


def test_the_data_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VISION_APP_DATA", "relative")
    assert data_root() == Path.cwd() / "relative"
    monkeypatch.delenv("VISION_APP_DATA")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert data_root() == tmp_path / "vision-workbench"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert data_root() == tmp_path / ".cache" / "vision-workbench"
