"""The app as a person starts it: one process for all tests that look at it from outside."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from vision_app.data.download import data_root

REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 120
PUBLISHED = (
    "mnist.npz",
    "fashion-mnist",
    "cifar-10-batches-bin",
    "mobilenet_v2_0.35_224_notop.weights.h5",
)
END_SECONDS = 30  # what a Space is given


@pytest.fixture(scope="session")
def runs_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where the server keeps its runs."""
    return tmp_path_factory.mktemp("server-runs")


@pytest.fixture(scope="session")
def server(runs_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running app; afterwards it must end by itself when it is asked to."""
    folder = tmp_path_factory.mktemp("server")
    port = _free_port()
    environment = {
        **os.environ,
        "VISION_APP_DATA": str(_own_data(folder / "data")),
        "VISION_APP_RUNS": str(runs_folder),
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
    }
    command = [sys.executable, "app.py", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for_page(address, process, folder / "log.txt")
        yield address
        process.send_signal(signal.SIGTERM)
        assert process.wait(END_SECONDS) == 0, _end_of(folder / "log.txt")
    finally:
        process.kill()
        process.wait()


def _own_data(folder: Path) -> Path:
    """Return a data folder with the published sets of VISION_APP_DATA, to which tests may add without changing that."""
    folder.mkdir()
    for name in PUBLISHED:
        if (data_root() / name).exists():
            (folder / name).symlink_to(data_root() / name)
    return folder


def _wait_for_page(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except OSError:
            time.sleep(0.2)
    pytest.fail(f"The app did not come up within {START_SECONDS} s:\n{_end_of(log)}")


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3000:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
