"""The whole app in a process of its own, as `python app.py` runs it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from tests.fakes import make_run
from vision_app.errors import InputError
from vision_app.runs import Run
from vision_app.ui import server

ROOT = Path(__file__).parents[2]
MEGABYTE = bytes(1024 * 1024)
HEAD = b'--x\r\ncontent-disposition: form-data; name="files"; filename="a.png"\r\n\r\n'


@dataclass(frozen=True)
class Served:
    """A running app: its address, and one of its runs."""

    url: str
    run: Run


def launch(arguments: list[str], runs: Path) -> tuple[subprocess.Popen[str], str]:
    """Start the app and return its process and address."""
    environment = {**os.environ, "VISION_APP_RUNS": str(runs), "VISION_APP_CHECKPOINTS": str(runs.parent / "none")}
    environment["PYTHONPATH"] = str(ROOT)
    process = subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    )
    for line in process.stdout:
        if found := re.search(r"http://[\d.]+:\d+", line):
            return process, found[0]
    raise AssertionError("the app ended without an address")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    run = make_run(folder / "runs" / "small", "lenet5", "digits")
    process, url = launch(["app.py", "--port", "0"], folder / "runs")
    yield Served(url, run)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


@pytest.mark.parametrize(
    "path", ["/", "/config", "/health", "/api/models", "/guide", "/guide-pictures/train.png", "/gradio_api/info"]
)
def test_page_and_routes_answer_together(served: Served, path: str) -> None:
    answer = httpx.get(served.url + path, timeout=30)
    assert answer.status_code == 200
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("event", ["classify", "explain"])
def test_a_path_on_the_server_is_no_upload(served: Served, event: str, tmp_path: Path) -> None:
    Image.new("L", (28, 28), 200).save(tmp_path / "secret.png")
    for path in (tmp_path / "secret.png", ROOT / "examples" / "digit_7.png", tmp_path / "nothing.png"):
        file = {"path": str(path), "meta": {"_type": "gradio.FileData"}}
        url = f"{served.url}/gradio_api/call/{event}"
        begun = httpx.post(url, json={"data": [file, "small", "", ""][: 2 if event == "classify" else 4]}, timeout=30)
        said = httpx.get(f"{url}/{begun.json()['event_id']}", timeout=60).text
        assert "event: error" in said and "secret" not in said and "score" not in said


def test_an_uploaded_picture_is_answered(served: Served) -> None:
    client = Client(served.url, verbose=False)
    [answer] = client.predict(handle_file(ROOT / "examples" / "digit_7.png"), ["small"], api_name="/classify")
    assert sum(answer["scores"].values()) == pytest.approx(1, abs=1e-5)
    picture, said = client.predict(handle_file(ROOT / "examples" / "digit_7.png"), "small", api_name="/explain")
    assert Path(picture).stat().st_size > 1000 and said["predicted"] == answer["label"]


def test_only_public_events_are_announced(served: Served) -> None:
    named = httpx.get(f"{served.url}/gradio_api/info", timeout=30).json()["named_endpoints"]
    assert "/compare" in named
    assert not [name for name in named if name.startswith("/_")]


def test_compare_through_the_client(served: Served) -> None:
    rows = Client(served.url, verbose=False).predict(models=["small"], api_name="/compare")
    assert rows == Client(served.url, verbose=False).predict(models=[], api_name="/compare")
    (row,) = rows
    assert (row["name"], row["dataset"], row["model"], row["rank"]) == ("small", "digits", "lenet5", None)
    assert row["latency_ms"] > 0 and row["file_bytes"] == served.run.tflite_file.stat().st_size


@pytest.mark.parametrize("name", ["unknown", "../small", "/etc"])
def test_compare_explains_an_unknown_name(served: Served, name: str) -> None:
    with pytest.raises(AppError, match=r"Unknown model .*Known: small"):
        Client(served.url, verbose=False).predict(models=[name], api_name="/compare")


@pytest.mark.parametrize("path", ["/gradio_api/call/compare", "/gradio_api/queue/join", "/gradio_api/upload"])
def test_oversize_bodies_are_refused_on_the_pages_routes(served: Served, path: str) -> None:
    kind = {"/gradio_api/upload": "multipart/form-data; boundary=x"}.get(path, "application/json")
    body = (HEAD + MEGABYTE if i == 0 else MEGABYTE for i in range(51))
    answer = httpx.post(served.url + path, content=body, headers={"content-type": kind}, timeout=60)
    assert answer.status_code == 413
    assert httpx.get(f"{served.url}/health", timeout=10).status_code == 200


def test_a_flood_of_requests_leaves_the_page_up(served: Served) -> None:
    def join(i: int) -> int:
        body = {"data": [["small"]], "session_hash": f"s{i}"}
        return httpx.post(f"{served.url}/gradio_api/call/compare", json=body, timeout=60).status_code

    with ThreadPoolExecutor(16) as pool:
        codes = set(pool.map(join, range(160)))
    assert codes <= {200, 503}
    assert httpx.get(f"{served.url}/config", timeout=10).status_code == 200


def test_no_framework_is_loaded_to_serve_the_page() -> None:
    code = (
        "import sys; from vision_app.ui.server import create_server; create_server();"
        "print([m for m in ('keras', 'tensorflow', 'sklearn', 'matplotlib', 'cv2', 'ai_edge_litert') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_a_taken_port_is_explained() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=rf"port {port}: address already in use.*--port"):
            server.listen("127.0.0.1", port)


def test_a_strange_address_is_explained() -> None:
    with pytest.raises(InputError, match=r"Cannot listen on 203\.0\.113\.7"):
        server.listen("203.0.113.7", 7860)


def test_where_it_listens_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT", "SPACE_ID"):
        monkeypatch.delenv(name, raising=False)
    assert (server.default_host(), server.default_port()) == ("127.0.0.1", 7860)
    monkeypatch.setenv("SPACE_ID", "someone/space")
    assert server.default_host() == "0.0.0.0"
    monkeypatch.setenv("GRADIO_SERVER_NAME", "::1")
    monkeypatch.setenv("GRADIO_SERVER_PORT", "8000")
    assert (server.default_host(), server.default_port()) == ("::1", 8000)
    monkeypatch.setenv("GRADIO_SERVER_PORT", "many")
    with pytest.raises(InputError, match="GRADIO_SERVER_PORT"):
        server.default_port()


def test_sigterm_saves_the_trainings_it_started(tmp_path: Path) -> None:
    code = (
        "from vision_app.training import jobs; from vision_app.training.recipe import make_config;"
        "from vision_app.ui.server import serve;"
        "jobs.start(make_config('digits', 'lenet5', {'epochs': 1000, 'early_stopping': False})); serve('127.0.0.1', 0)"
    )
    process, url = launch(["-c", code], tmp_path / "runs")
    try:
        folder = next((tmp_path / "runs").glob("*/config.json")).parent
        until = time.monotonic() + 120
        while not (folder / "model.keras").exists() and time.monotonic() < until:
            time.sleep(0.2)
        with httpx.stream("GET", f"{url}/gradio_api/heartbeat/someone", timeout=30):  # as an open page has it
            process.terminate()
            process.wait(60)
    finally:
        process.terminate()
    assert json.loads((folder / "status.json").read_text())["state"] == "interrupted"
    assert process.returncode == 0
