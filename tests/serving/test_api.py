"""The REST routes: honest answers, strict JSON, and nothing but 4xx for bad input."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image, ImageDraw

from tests.fakes import make_run
from vision_app.predict import load_classifier
from vision_app.runs import Run
from vision_app.serving.api import create_api
from vision_app.serving.limits import MAX_BODY_BYTES

MEGABYTE = bytes(1024 * 1024)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A model for 8 x 8 digits."""
    return make_run(tmp_path_factory.mktemp("api") / "runs" / "small", "lenet5", "digits")


@pytest.fixture
def client(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setenv("VISION_APP_RUNS", str(run.path.parent))
    monkeypatch.setenv("VISION_APP_CHECKPOINTS", str(tmp_path / "none"))
    with TestClient(create_api(), raise_server_exceptions=False) as client:
        yield client


def drawn(seed: int = 0) -> np.ndarray:
    """Return a photo of sorts: a black zigzag on white paper, uint8 (40, 40, 3)."""
    paper = Image.new("RGB", (40, 40), "white")
    points = np.random.default_rng(seed).integers(6, 34, (4, 2))
    ImageDraw.Draw(paper).line([tuple(map(int, point)) for point in points], "black", 4)
    return np.asarray(paper)


def encoded(picture: np.ndarray, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, kind)
    return file.getvalue()


def strict(text: str) -> Any:
    """Parse JSON and refuse NaN and infinities."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def send(client: TestClient, *files: tuple[str, bytes], model: str = "small") -> Any:
    return client.post("/api/predict", params={"model": model}, files=[("file", file) for file in files])


def test_health_counts_models(client: TestClient) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok", "models": 1})
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_models_are_listed_as_by_the_command_line(client: TestClient) -> None:
    row = {"run": "small", "dataset": "digits", "model": "lenet5", "state": "completed", "test_accuracy": None}
    listed = strict(client.get("/api/models").text)
    assert listed["checkpoints"] == []
    assert [{key: found[key] for key in row} for found in listed["runs"]] == [row]


def test_an_answer_equals_the_classifiers(client: TestClient, run: Run) -> None:
    pictures = [drawn(seed) for seed in range(3)]
    answer = send(client, *((f"{i}.png", encoded(picture)) for i, picture in enumerate(pictures)))
    assert answer.status_code == 200
    rows = strict(answer.text)
    classifier = load_classifier(run)
    for i, (row, picture) in enumerate(zip(rows, pictures, strict=True)):
        expected = classifier.predict(picture)
        assert (row["file"], row["label"]) == (f"{i}.png", expected.label)
        assert list(row["scores"]) == list(classifier.classes)
        assert row["scores"] == pytest.approx(expected.scores, abs=1e-6)
        assert sum(row["scores"].values()) == pytest.approx(1, abs=1e-5)


def test_one_bad_file_does_not_stop_the_others(client: TestClient) -> None:
    answer = send(client, ("no.png", b"not a picture"), ("yes.png", encoded(drawn())))
    assert answer.status_code == 200
    bad, good = answer.json()
    assert set(bad) == {"file", "error"} and bad["file"] == "no.png"
    assert set(good) == {"file", "label", "scores"}
    assert send(client, ("no.png", b"not a picture")).status_code == 422


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_damaged_files_are_never_a_fault(client: TestClient, kind: str) -> None:
    generator, whole = np.random.default_rng(0), encoded(drawn(), kind)
    files = []
    for i in range(50):
        data = bytearray(whole[: generator.integers(1, len(whole))] if i % 2 else whole)
        for place in generator.integers(0, len(data), 4):
            data[place] = generator.integers(0, 256)
        files.append((f"{i}.{kind.lower()}", bytes(data)))
    answer = send(client, *files)
    assert answer.status_code in (200, 422)
    rows = strict(answer.text)
    assert len(rows) == 50 and all(("label" in row) != ("error" in row) for row in rows)


@pytest.mark.parametrize(
    "model", ["", "unknown", "../small", "small/", "/etc", "..", ".", "latest\n", "\0", "a" * 5000]
)
def test_only_names_of_models_are_taken(client: TestClient, run: Run, model: str) -> None:
    answer = send(client, ("a.png", encoded(drawn())), model=model)
    assert answer.status_code == 422
    assert "Known: small" in answer.json()["error"]
    assert send(client, ("a.png", b""), model=str(run.path)).status_code == 422


def test_a_request_without_pictures_is_explained(client: TestClient) -> None:
    assert "1 to 100 pictures" in client.post("/api/predict?model=small").json()["error"]
    assert client.post("/api/predict?model=small", data={"file": "text"}).status_code == 422
    wrong = {"content-type": "multipart/form-data; boundary=x"}
    assert client.post("/api/predict?model=small", content=b"abc", headers=wrong).status_code in (400, 422)
    assert client.post("/api/predict?model=small", content=b"abc", headers=wrong).json()["error"]
    assert send(client, *((str(i), b"x") for i in range(101))).status_code == 422


@pytest.mark.parametrize("path", ["/api/predict", "/api/nothing", "/api/models/x"])
def test_an_unknown_route_names_the_known_ones(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404 and "POST /api/predict" in answer.json()["error"]


def test_a_hostile_file_name_is_only_text(client: TestClient) -> None:
    name = "<img src=x onerror=alert(1)>\\=1+1.png"
    assert send(client, (name, b"x")).json()[0]["file"] == name
    assert send(client, (name, b"x")).headers["content-type"] == "application/json"


@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=x", "text/plain"])
def test_a_body_that_says_it_is_too_large_is_refused_unread(client: TestClient, kind: str) -> None:
    headers = {"content-type": kind, "content-length": str(MAX_BODY_BYTES + 1)}
    answer = client.post("/api/predict?model=small", content=b"", headers=headers)
    assert answer.status_code == 413
    assert "50 MB" in answer.json()["error"]
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_body_that_turns_out_too_large_is_refused(client: TestClient) -> None:
    head = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\n\r\n'

    def chunks() -> Iterator[bytes]:
        yield head
        for _ in range(51):
            yield MEGABYTE

    headers = {"content-type": "multipart/form-data; boundary=x"}
    answer = client.post("/api/predict?model=small", content=chunks(), headers=headers)
    assert answer.status_code == 413


def test_a_model_that_has_not_learned_yet_is_explained(client: TestClient, run: Run) -> None:
    other = run.path.parent / "torn"
    other.mkdir(exist_ok=True)
    for name in ("config.json", "status.json"):
        (other / name).write_bytes((run.path / name).read_bytes())
    (other / "model.keras").write_bytes(b"damaged")
    (other / "model.tflite").write_bytes(b"damaged")
    try:
        answer = send(client, ("a.png", encoded(drawn())), model="torn")
    finally:
        for file in other.iterdir():
            file.unlink()
        other.rmdir()
    assert answer.status_code == 422 and "damaged" in answer.json()["error"]
