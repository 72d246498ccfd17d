"""The public endpoints, called by gradio_client over the wire as any script would."""

import inspect
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from tests.ui.conftest import REPOSITORY
from tests.ui.stored_runs import copy_run
from vision_app.runs import Run
from vision_app.ui.layout import build_app

EXAMPLES = REPOSITORY / "examples"
ENDPOINTS = {"/classify", "/explain", "/compare", "/average", "/train", "/stop", "/runs"}
LEAKS = re.compile(r"Traceback|File \"|\.py\b|site-packages|Error:|/tmp|/home|/root|\\Users")


@pytest.fixture(scope="module")
def client(server: str) -> Iterator[Client]:
    with_files = Client(server, verbose=False, httpx_kwargs={"timeout": 120})
    yield with_files
    with_files.close()


@pytest.fixture(scope="module")
def run(trained_run: Run, runs_folder: Path) -> str:
    return copy_run(trained_run, runs_folder, "finished-lenet5")


def strict(answer: Any) -> Any:
    """Check that an answer is JSON by the standard: no NaN, no infinity."""
    return json.loads(json.dumps(answer, allow_nan=False))


def test_every_endpoint_is_described_and_so_is_each_of_its_parameters(client: Client) -> None:
    described = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(described) == ENDPOINTS
    functions = {f"/{each.api_name}": each.fn for each in build_app().fns.values() if each.api_visibility == "public"}
    for name, endpoint in described.items():
        assert endpoint["description"], name
        text = inspect.getdoc(functions[name])
        for parameter in endpoint["parameters"]:
            assert re.search(rf"^ +{parameter['parameter_name']}: \w", text, re.MULTILINE), (name, parameter)
        assert "Returns:" in text


@pytest.mark.parametrize("digit", range(10))
def test_classify_answers_with_scores_of_every_class(client: Client, digit: int) -> None:
    answers = client.predict(handle_file(EXAMPLES / f"digit_{digit}.png"), ["mnist"], api_name="/classify")
    (answer,) = strict(answers)
    assert (answer["model"], answer["label"]) == ("mnist", str(digit))
    assert list(answer["scores"]) == list("0123456789")
    assert sum(answer["scores"].values()) == pytest.approx(1, abs=1e-5)
    assert max(answer["scores"], key=answer["scores"].get) == answer["label"]


def test_classify_takes_several_models_and_has_a_default(client: Client) -> None:
    picture = handle_file(EXAMPLES / "digit_7.png")
    both = client.predict(picture, ["mnist", "digits"], api_name="/classify")
    assert [answer["model"] for answer in both] == ["mnist", "digits"]
    assert len(client.predict(picture, api_name="/classify")) == 1


def test_explain_gives_a_picture_and_its_numbers(client: Client) -> None:
    picture, said = client.predict(handle_file(EXAMPLES / "digit_7.png"), "mnist", "3", "", api_name="/explain")
    strict(said)
    assert (said["model"], said["class"], said["predicted"]) == ("mnist", "3", "7")
    assert said["probability"] == said["scores"]["3"] < said["scores"]["7"]
    with Image.open(picture) as overlay:
        assert overlay.format == "PNG" and overlay.width == overlay.height >= 256


def test_compare_ranks_only_models_tested_on_the_same_images(client: Client, run: str) -> None:
    rows = {row["name"]: row for row in strict(client.predict(["mnist", "digits", run], api_name="/compare"))}
    assert set(rows) == {"mnist", "digits", run}
    assert rows["digits"]["split_id"] == rows[run]["split_id"] != rows["mnist"]["split_id"]
    assert [rows[name]["rank"] for name in ("mnist", "digits", run)] == [1, 1, 2]
    assert rows["digits"]["test_accuracy"] > rows[run]["test_accuracy"]
    everything = client.predict([], api_name="/compare")
    assert {"mnist", "digits", run} <= {row["name"] for row in everything}


@pytest.mark.timeout(600)
def test_a_run_is_started_listed_and_stopped(client: Client, runs_folder: Path) -> None:
    started = strict(client.predict("digits", "lenet5", {"epochs": 300, "seed": 3}, api_name="/train"))
    assert started["state"] == "queued"
    config = json.loads((runs_folder / started["run"] / "config.json").read_text())
    assert (config["dataset"], config["model"], config["epochs"], config["seed"]) == ("digits", "lenet5", 300, 3)
    listed = {row["run"]: row for row in strict(client.predict(api_name="/runs"))}
    assert listed[started["run"]]["state"] in ("queued", "running")
    assert client.predict(started["run"], api_name="/stop")["run"] == started["run"]
    limit = time.monotonic() + 300
    while state_of(client, started["run"]) in ("queued", "running") and time.monotonic() < limit:
        time.sleep(0.2)
    assert state_of(client, started["run"]) == "stopped"


def state_of(client: Client, run: str) -> str:
    return next(row["state"] for row in client.predict(api_name="/runs") if row["run"] == run)


@pytest.mark.parametrize(
    ("endpoint", "arguments", "words"),
    [
        ("/classify", ("text.png", ["mnist"]), "no picture that can be read"),
        ("/classify", ("empty.png", ["mnist"]), "empty"),
        ("/classify", ("digit_7.png", ["nonsense"]), "Unknown model"),
        ("/classify", ("digit_7.png", ["../mnist"]), "name of a model"),
        ("/classify", (None, ["mnist"]), "got none"),
        ("/explain", ("text.png", "mnist", "", ""), "no picture that can be read"),
        ("/explain", ("digit_7.png", "mnist", "cat", ""), "no class"),
        ("/explain", ("digit_7.png", "mnist", "", "no_layer"), "no_layer"),
        ("/compare", (["../mnist"],), "Unknown model"),
        ("/train", ("nonsense", "lenet5", {}), "Unknown dataset"),
        ("/train", ("digits", "lenet5", {"epochs": 0}), "epochs"),
        ("/train", ("digits", "lenet5", {"no_field": 1}), "no_field"),
        ("/train", ("digits", "lenet5", 5), "fields with their values"),
        ("/stop", (5,), "Unknown run"),
        ("/stop", ("../finished-lenet5",), "Unknown run"),
        ("/stop", ("finished-lenet5",), "not running"),
    ],
)
def test_bad_input_gets_one_clear_sentence(
    client: Client, run: str, tmp_path: Path, endpoint: str, arguments: tuple[Any, ...], words: str
) -> None:
    (tmp_path / "text.png").write_text("This is text.")
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "digit_7.png").write_bytes((EXAMPLES / "digit_7.png").read_bytes())
    if endpoint in ("/classify", "/explain") and arguments[0]:
        arguments = (handle_file(tmp_path / arguments[0]), *arguments[1:])
    with pytest.raises(AppError) as caught:
        client.predict(*arguments, api_name=endpoint)
    message = str(caught.value)
    assert words in message
    assert not LEAKS.search(message)
    assert len(message) < 600 and "\n" not in message
