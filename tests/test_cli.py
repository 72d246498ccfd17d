"""The command line: its documents, exit codes and error lines."""

import csv
import importlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from tests.data.photos import class_folders, write_folder
from vision_app.cli import app, find_class
from vision_app.config import RunConfig
from vision_app.console import parse_changes
from vision_app.data import registry
from vision_app.data.datasets import DATASETS
from vision_app.errors import InputError
from vision_app.evaluation.report import ClassReport, EvaluationReport
from vision_app.models.catalog import MODELS
from vision_app.runs import Status, resolve
from vision_app.training.plan import Plan

COMMANDS = (
    "import",
    "split",
    "datasets",
    "models",
    "runs",
    "checkpoints",
    "train",
    "resume",
    "stop",
    "star",
    "note",
    "delete",
    "restore",
    "search",
    "evaluate",
    "predict",
    "explain",
    "compare",
    "serve",
)
CLASSES = ("dark", "=light")


class Brightness:
    """A classifier whose answer is how bright a picture is, and which prints where it should not."""

    def __init__(self, name: str) -> None:
        self.name, self.classes = name, CLASSES
        self.config = RunConfig(dataset="digits", input_size=8, channels=3, classes=CLASSES)

    def receive(self, picture: np.ndarray) -> np.ndarray:
        return picture[:8, :8]

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        print("noise on standard output")
        bright = images.mean(axis=(1, 2, 3)) / 255
        return np.stack([1 - bright, bright], axis=1).astype(np.float32)

    def predict(self, picture: np.ndarray) -> SimpleNamespace:
        scores = self.probabilities(self.receive(picture)[None])[0].tolist()
        return SimpleNamespace(label=CLASSES[int(scores[1] > 0.5)], scores=dict(zip(CLASSES, scores, strict=True)))


def write_run(path: Path, accuracy: float | None = None, state: str = "completed", **status) -> Path:
    path.mkdir(parents=True)
    (path / "config.json").write_text(RunConfig(dataset="digits", model="lenet5", classes=CLASSES).to_json())
    status = Status(state=state, created=len(path.name), seconds=90.0, best_epoch=3, parameters=61_706, **status)
    (path / "status.json").write_text(status.model_dump_json())
    (path / "model.keras").write_bytes(b"x" * 1500)
    if accuracy is not None:
        entries = tuple(ClassReport(name=name, precision=1, recall=1, f1=1, support=2) for name in CLASSES)
        names = {"model": path.name, "dataset": "digits", "split": "test", "split_id": "s1"}
        numbers = {"count": 4, "accuracy": accuracy, "loss": 0.25, "macro_f1": 0.5}
        report = EvaluationReport(**names, **numbers, per_class=entries, confusion=((2, 0), (0, 2)))
        (path / "report.json").write_text(report.to_json())
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one checkpoint, two runs and three pictures, and a classifier that needs no framework."""
    monkeypatch.setenv("VISION_APP_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("VISION_APP_CHECKPOINTS", str(tmp_path / "checkpoints"))
    monkeypatch.delenv("VISION_APP_DEBUG", raising=False)
    write_run(tmp_path / "checkpoints" / "shipped", 0.75)
    write_run(tmp_path / "runs" / "early", 0.9953)
    write_run(tmp_path / "runs" / "untested")
    for name, level in (("black.png", 0), ("white.png", 255)):
        Image.fromarray(np.full((16, 16, 3), level, np.uint8)).save(tmp_path / name)
    (tmp_path / "broken.png").write_bytes(b"not a picture")
    importlib.import_module("vision_app.evaluate_run")  # first, or it would import the fake and keep it
    monkeypatch.setattr("vision_app.predict.load_classifier", lambda run, progress=None: Brightness(run.name))
    monkeypatch.setattr("vision_app.evaluate_run.load_classifier", lambda run, progress=None: Brightness(run.name))
    return tmp_path


def call(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def answer(*arguments: object, exit_code: int = 0):
    """Run a command with --json and return its strictly read document."""
    result = call(*arguments, "--json")
    assert result.exit_code == exit_code, result.output

    def refuse(constant: str):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(result.stdout, parse_constant=refuse)


def assert_refused(result, message: str) -> None:
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert result.stderr.count("\n") == 1 and "Traceback" not in result.stderr


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    result = call(command, "--help")
    assert result.exit_code == 0
    assert command in result.stdout and result.stderr == ""


def test_datasets() -> None:
    rows = {row["name"]: row for row in answer("datasets")}
    assert list(rows) == list(DATASETS)
    digits = rows["digits"]
    assert digits["classes"] == list("0123456789") and digits["available"] is True
    assert digits["splits"] == {"train": 1438, "test": 359}
    assert "Digits" in call("datasets").stdout


def test_added_datasets_are_listed(tmp_path: Path, data_folder: Path) -> None:
    folder = write_folder(tmp_path / "colours", class_folders(8))
    registry.add(folder, "Colours", set(DATASETS))
    registry.add(tmp_path / "gone", "Gone", set(DATASETS))
    row = answer("datasets")[-1]
    assert (row["name"], row["classes"], row["available"]) == ("colours", ["blue", "green", "red"], True)
    assert sum(row["splits"].values()) == 24


def test_split(tmp_path: Path, data_folder: Path) -> None:
    folder = write_folder(tmp_path / "colours", class_folders(10))
    shares = ("--train", 0.5, "--validation", 0.2, "--test", 0.3)
    made = answer("split", folder, *shares)
    assert made["splits"] == {"train": 15, "validation": 6, "test": 9} and Path(made["file"]).exists()
    assert_refused(call("split", folder, "--json"), "colours was divided before, and that is kept; --force replaces it")
    assert "train 21" in call("split", folder, "--validation", 0.1, "--test", 0.2, "--force").stdout
    assert_refused(
        call("split", folder, "--keep-together", "--force"), "use other shares, or do not keep copies together"
    )
    assert_refused(call("split", folder, "--train", 0.9, "--force"), "must sum to 1")
    assert_refused(call("split", folder, "--min", 11, "--force"), "too few: blue 10, green 10, red 10")
    published = write_folder(tmp_path / "p", class_folders(4, before="train/") | class_folders(3, before="test/"))
    assert_refused(call("split", published), "p is divided as published (train 12, test 9), and that is kept")
    assert answer("split", published, "--force")["splits"] == {"train": 15, "validation": 3, "test": 3}


def test_models() -> None:
    rows = {row["name"]: row for row in answer("models")}
    assert list(rows) == list(MODELS)
    assert {"name", "title", "parameters", "input_size", "channels"} <= set(rows["lenet5"])
    assert rows["lenet5"]["parameters"] == 61_706 and rows["lenet5"]["input_size"] == 32
    assert "61.7 k" in call("models").stdout


def test_one_of_the_models() -> None:
    told = answer("models", "lenet5")
    assert told["layers"][2] == {"name": "c1", "kind": "convolution", "shape": [28, 28, 6], "parameters": 156}
    assert sum(layer["parameters"] for layer in told["layers"]) == told["parameters"] == 61_706
    assert told["link"] == "https://doi.org/10.1109/5.726791" and "tanh" in told["formula"]
    text = call("models", "lenet5").stdout
    assert "In practice: It read the amounts on bank cheques" in text and "61,706 parameters for pictures" in text
    assert_refused(call("models", "lenet"), "Did you mean 'lenet5'")


def test_runs_and_checkpoints(home: Path) -> None:
    runs = answer("runs")
    assert [(row["run"], row["test_accuracy"]) for row in runs] == [("untested", None), ("early", 0.9953)]
    (checkpoint,) = answer("checkpoints")
    wanted = {"name": "shipped", "dataset": "digits", "model": "lenet5", "state": "completed", "test_accuracy": 0.75}
    assert wanted.items() <= checkpoint.items()
    assert "99.53 %" in call("runs").stdout


def test_a_damaged_run_is_skipped_in_words(home: Path) -> None:
    (home / "runs" / "early" / "config.json").write_text("{")
    result = call("runs", "--json")
    assert [row["run"] for row in json.loads(result.stdout)] == ["untested"]
    assert "Skipped early: The config.json of 'early' is damaged" in result.stderr


@pytest.mark.parametrize(
    "arguments", [("evaluate", "none"), ("predict", "none", "a.png"), ("compare", "none"), ("stop", "none")]
)
def test_an_unknown_model_is_bad_input(home: Path, arguments: tuple[str, ...]) -> None:
    assert_refused(call(*arguments), "Unknown model 'none'")
    assert_refused(call(*arguments, "--json"), "shipped")


@pytest.mark.parametrize(
    "arguments", [(), ("fly",), ("predict",), ("predict", "m"), ("serve", "--port", "99999"), ("explain", "m", "f")]
)
def test_wrong_usage_is_bad_input(arguments: tuple[str, ...]) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_fault_is_one_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(run, progress=None):
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr("vision_app.predict.load_classifier", fail)
    result = call("predict", "shipped", home / "black.png", "--json")
    assert result.exit_code == 1 and result.stdout == ""
    assert result.stderr == "Error: RuntimeError: first second (VISION_APP_DEBUG=1 shows where)\n"
    monkeypatch.setenv("VISION_APP_DEBUG", "1")
    result = call("predict", "shipped", home / "black.png")
    assert result.exit_code == 1 and "Traceback" in result.stderr


def test_predict(home: Path) -> None:
    files = [home / "broken.png", home / "white.png", home / "nowhere.png", home / "black.png"]
    rows = answer("predict", "shipped", *files)
    assert [row["file"] for row in rows] == list(map(str, files))
    assert [row.get("label") for row in rows] == [None, "=light", None, "dark"]
    assert rows[1]["scores"] == {"dark": 0.0, "=light": 1.0}
    assert all(len(row["error"].splitlines()) == 1 for row in (rows[0], rows[2]))


def test_predict_without_any_answer_exits_2(home: Path) -> None:
    (row,) = answer("predict", "shipped", home / "broken.png", exit_code=2)
    assert set(row) == {"file", "error"}


def test_predict_for_people_and_spreadsheets(home: Path) -> None:
    result = call("predict", "shipped", home / "white.png", home / "broken.png")
    assert "100.00 %" in result.stdout and "broken.png" not in result.stdout
    assert "broken.png" in result.stderr
    result = call("predict", "shipped", home / "white.png", home / "broken.png", "--csv")
    good, bad = csv.DictReader(io.StringIO(result.stdout))
    assert (good["label"], good["'=light"], good["error"]) == ("'=light", "1.0", "")
    assert bad["label"] == "" and bad["error"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--dataset", "shapes"), "knows the classes dark, =light, but 'shapes' has circle"),
        (("--dataset", "shape"), "Did you mean 'shapes'?"),
        (("--dataset", "digits", "--split", "dev"), "knows the classes"),
    ],
)
def test_evaluate_refuses_in_words(home: Path, options: tuple[str, ...], message: str) -> None:
    assert_refused(call("evaluate", "shipped", *options, "--json"), message)


def test_explain_writes_both_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def explain(run, image, class_index=None, layer=None, method="gradcam", progress=None):
        index = 1 if class_index is None else class_index
        heatmap = np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)
        return SimpleNamespace(
            heatmap=heatmap,
            class_index=index,
            label=CLASSES[index],
            layer=layer or "last",
            method=method,
            is_empty=False,
        )

    monkeypatch.setattr("vision_app.explain.catalog.explain", explain)
    out, array = home / "overlay.png", home / "heat.npy"
    found = answer("explain", "shipped", home / "white.png", "--class", "dark", "--out", out, "--array", array)
    wanted = {
        "label": "dark",
        "class_index": 0,
        "layer": "last",
        "method": "gradcam",
        "out": str(out),
        "array": str(array),
    }
    assert wanted.items() <= found.items()
    assert Image.open(out).size == (224, 224)
    assert np.load(array).shape == (8, 8)
    for option in ("--out", "--array"):
        arguments = {"--out": out, "--array": array, option: home / "nowhere" / "file.png"}
        result = call("explain", "shipped", home / "white.png", *(word for pair in arguments.items() for word in pair))
        assert_refused(result, "folder that exists")
    assert_refused(call("explain", "shipped", home / "white.png", "--out", home / "name.xyz"), "end its name in .png")
    assert_refused(
        call("explain", "shipped", home / "white.png", "--out", out, "--class", "grey"), "Unknown class 'grey'"
    )
    assert_refused(call("explain", "shipped", home / "broken.png", "--out", out), "broken.png")


def test_compare(home: Path) -> None:
    rows = answer("compare", "shipped", "early", "untested", "early")
    assert [(row["name"], row["rank"]) for row in rows] == [("early", 1), ("shipped", 2), ("untested", None)]
    assert all(row["latency_ms"] > 0 and row["file_bytes"] == 1500 for row in rows)
    table = list(csv.DictReader(io.StringIO(call("compare", "shipped", "early", "--csv").stdout)))
    assert [row["test_accuracy"] for row in table] == ["0.9953", "0.75"]
    assert call("compare", "early", "--md").stdout.startswith("| Rank | Name |")
    assert "99.53 %" in call("compare", "early").stdout
    assert_refused(call("compare", "early", "--md", "--csv"), "one output format")


def test_serve_passes_its_address_on(monkeypatch: pytest.MonkeyPatch) -> None:
    served = []
    server = SimpleNamespace(serve=lambda host, port: served.append((host, port)))
    monkeypatch.setitem(sys.modules, "vision_app.ui.server", server)
    assert call("serve", "--host", "0.0.0.0", "--port", 8000).exit_code == 0
    assert call("serve").exit_code == 0
    assert served == [("0.0.0.0", 8000), (None, None)]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-1", -1),
        ("1e-3", 0.001),
        ("0.5", 0.5),
        ("true", True),
        ("False", False),
        ("none", None),
        ("", None),
        ("a=b", "a=b"),
    ],
)
def test_set_reads_plain_values(text: str, value: object) -> None:
    read = parse_changes([f"field={text}"])["field"]
    assert read == value and type(read) is type(value)


@pytest.mark.parametrize("text", ["epochs", "=3", " = 3"])
def test_set_needs_a_field_and_a_value(text: str) -> None:
    with pytest.raises(InputError, match="FIELD=VALUE"):
        parse_changes([text])


def test_classes_are_found_by_name_before_position() -> None:
    assert find_class(("1", "0"), "0") == 1
    assert find_class(("cat", "dog"), "1") == 1
    with pytest.raises(InputError, match="Known: cat, dog"):
        find_class(("cat", "dog"), "2")


def python(*arguments: object, **environment: str) -> subprocess.CompletedProcess:
    words = [sys.executable, *map(str, arguments)]
    folder = Path(__file__).parents[1]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, cwd=folder, env=os.environ | environment)


def test_light_commands_import_nothing_heavy() -> None:
    code = (
        "import sys; from vision_app.cli import app\n"
        "for words in (['--help'], ['datasets', '--json'], ['models'], ['runs']):\n"
        "    app(words, standalone_mode=False)\n"
        "heavy = {'keras', 'tensorflow', 'gradio', 'sklearn', 'cv2', 'matplotlib', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    result = python("-c", code)
    assert result.returncode == 0, result.stderr


def test_module_runs_as_a_program() -> None:
    result = python("-m", "vision_app", "datasets", "--json")
    assert result.returncode == 0 and result.stderr == ""
    assert json.loads(result.stdout)
    result = python("-m", "vision_app", "predict", "none", "none.png")
    assert result.returncode == 2
    assert result.stdout == "" and result.stderr.startswith("Error: Unknown model 'none'")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--dataset", "digit"), "Did you mean 'digits'?"),
        (("--model", "lenet"), "Did you mean 'lenet5'?"),
        (("--epochs", "0"), "Epochs (epochs) should be greater than or equal to 1, got 0"),
        (("--set", "colour=1"), "Unknown field 'colour'"),
        (("--set", "epochs"), "FIELD=VALUE"),
        (("--like", "none"), "Unknown model 'none'"),
        (("--publish", "bad name"), "A checkpoint's name takes letters"),
        (("--minutes", "0"), "Expected the time as minutes, such as 3 or 0.5, at most a week of them, got '0'"),
        (("--minutes", "nan"), "Expected the time as minutes"),
        (("--set", "options=width"), "must look like 'blocks_per_group=2', got 'width'"),
        (("--set", "options=width=16"), "has no option 'width'"),
    ],
)
def test_train_refuses_before_it_starts(home: Path, options: tuple[str, ...], message: str) -> None:
    assert_refused(call("train", *options, "--json"), message)
    assert len(list((home / "runs").iterdir())) == 2


def test_a_run_is_estimated_without_being_started(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    times = {"startup": 2.0, "testing": 1.0, "per_epoch": 10.0, "per_epoch_fixed": 0.0}
    plan = Plan(parameters=1234, num_train=1000, memory_bytes=10**9, device="CPU, 2 cores", **times)
    monkeypatch.setattr("vision_app.training.plan.plan_run", lambda config: asked.append(config) or plan)
    monkeypatch.setattr("vision_app.training.jobs.start", lambda config: pytest.fail("it was started"))
    options = ("train", "--model", "lenet5", "--epochs", 4, "--set", "train_limit=500", "--estimate")
    found = answer(*options)
    assert (asked[0].model, asked[0].epochs) == ("lenet5", 4)
    assert found["seconds"] == 3.0 + 4 * 10 / 2 and found["seconds_per_epoch"] == 5.0
    assert (found["epochs"], found["images"], found["parameters"], found["memory_bytes"]) == (4, 500, 1234, 10**9)
    said = call(*options).stdout
    assert "about 23.0 s" in said and "5.0 s, of 500 images" in said and "1.2 k" in said
    fitted = answer("train", "--model", "lenet5", "--minutes", 1, "--estimate")
    assert fitted["epochs"] == 5 and fitted["seconds"] <= 60  # 0.9 of a minute, less 3 s, in epochs of 10 s


def test_a_run_from_training_to_prediction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    places = {"VISION_APP_RUNS": str(tmp_path / "runs"), "VISION_APP_CHECKPOINTS": str(tmp_path / "checkpoints")}
    options = ("--epochs", 3, "--seed", 7, "--set", "train_limit=300", "--set", "batch_size=16", "--publish", "tiny")
    result = python("-m", "vision_app", "train", "--dataset", "digits", *options, "--averaging", "--json", **places)
    assert result.returncode == 0, result.stderr
    trained = json.loads(result.stdout)
    assert trained["state"] == "completed" and trained["test_accuracy"] > 0.5
    for name, value in places.items():
        monkeypatch.setenv(name, value)
    config = resolve("latest").config()
    assert (config.epochs, config.seed, config.train_limit, config.batch_size) == (3, 7, 300, 16)
    assert "after epoch 1: validation accuracy" in result.stderr
    report = answer("evaluate", "latest", "--averaging")
    assert report["averaged"]["accuracy"] == pytest.approx(trained["averaged_accuracy"], abs=1e-9)
    assert report["accuracy"] == pytest.approx(trained["test_accuracy"], abs=1e-9)
    assert report["split_id"] == answer("compare", "tiny")[0]["split_id"]
    assert answer("compare", "tiny", "--dataset", "digits")[0]["test_accuracy"] == report["accuracy"]
    assert sum(map(sum, report["confusion"])) == report["count"] == 359
    assert "digits, test, 20 images" in call("evaluate", "tiny", "--limit", 20).stdout
    halved = answer("publish", "latest", "half", "--half")
    assert halved["run"] == "half" and halved["test_accuracy"] == answer("evaluate", "half")["accuracy"]
    assert_refused(call("publish", "latest", "a/b"), "A checkpoint's name takes letters")
    assert_refused(call("stop", "latest"), "completed")
    assert_refused(call("train", "--like", "tiny", "--set", "momentum=2"), "(momentum) should be less than 1, got 2")
