"""A model from elsewhere becomes a run that is used like any other, or nothing at all."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.importing.test_rebuild import convolutions, rows
from vision_app.cli import app
from vision_app.config import IMPORTED
from vision_app.data.datasets import load_split
from vision_app.errors import InputError
from vision_app.evaluate_run import evaluate_run
from vision_app.explain.catalog import default_layer, explain, list_layers
from vision_app.importing import importer
from vision_app.importing.child import Request, _load, main
from vision_app.importing.importer import Source, import_model, read_classes
from vision_app.models.catalog import find_model
from vision_app.predict import load_classifier
from vision_app.runs import Run, list_models, list_runs, resolve, runs_root
from vision_app.ui.train_runs import choose_run, find_run
from vision_app.ui.train_table import shown_runs

ABC = ("a", "b", "c")


@pytest.fixture(scope="module")
def original() -> Any:
    """A network that knows a little of the digits, as somebody trained it elsewhere: pixels divided by 255, and logits."""
    import keras
    from keras import Input, Sequential, layers

    keras.utils.set_random_seed(0)
    images, labels = load_split("digits", "train")
    start = [Input((8, 8, 1)), layers.Conv2D(8, 3, name="conv"), layers.BatchNormalization(), layers.ReLU(name="seen")]
    model = Sequential([*start, layers.MaxPooling2D(), layers.Flatten(), layers.Dense(10)])
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images[:600] / 255, labels[:600], epochs=4, verbose=0)
    return model


@pytest.fixture(scope="module")
def imported(original: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("imported")
    original.save(folder / "my model.h5")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VISION_APP_RUNS", str(folder / "runs"))
        yield import_model(Source(folder / "my model.h5", (), dataset="digits", scaling="unit"))


def test_it_answers_and_is_tested_as_the_original(imported: Run, original: Any) -> None:
    images, labels = load_split("digits", "test")
    logits = original.predict(images / 255, verbose=0)
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    expected = exponentials / exponentials.sum(1, keepdims=True)
    assert np.abs(load_classifier(imported).probabilities(images) - expected).max() < 1e-5
    accuracy = np.mean(logits.argmax(1) == labels)
    assert 0.5 < accuracy < 1 and imported.report()["accuracy"] == pytest.approx(accuracy)


def test_it_is_a_run_that_says_where_it_is_from(imported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_APP_RUNS", str(imported.path.parent))
    config, status = imported.config(), imported.status()
    assert imported.name == "my-model" and config.model == IMPORTED and config.dataset == "digits"
    assert (config.input_size, config.channels, config.classes[3], config.upload_style) == (8, 1, "3", "digits8")
    assert status.state == "completed" and status.message == "Trained elsewhere; imported from my model.h5."
    assert imported.origin() == {"file": "my model.h5", "scaling": "unit", "explained_layer": "seen"}
    assert [item.name for item in runs_root().iterdir()] == ["my-model"]
    assert not (imported.path / "probe.npz").exists()


def test_it_is_explained_by_the_last_map_of_its_last_convolutions_size(imported: Run) -> None:
    image = load_split("digits", "test")[0][0]
    explained = explain(imported, image)
    assert default_layer(imported) == explained.layer == "seen" and explained.heatmap.shape == (8, 8)
    first, second, third = list_layers(imported)[:3]
    assert (first, third) == ("conv", "seen") and second.startswith("batch_normalization")


def test_it_is_no_training_run(imported: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VISION_APP_RUNS", str(imported.path.parent))
    assert imported in list_runs() and imported in list_models()
    assert shown_runs() == [] and find_run(imported.name) is None and choose_run("") == (None, "")
    with pytest.raises(InputError, match="There is no latest run yet"):
        resolve("latest")
    with pytest.raises(InputError, match="was trained elsewhere, so its settings are not known"):
        find_model(IMPORTED)
    with pytest.raises(InputError, match="was trained elsewhere; say on which dataset to test it"):
        evaluate_run(Run(shadow(imported, dataset="")))


def shadow(run: Run, **changes: Any) -> Path:
    """Copy a run's config, changed, into a folder that the runs' list does not show."""
    folder = run.path.parent / ".shadow"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(json.loads(run.config().to_json()) | changes))
    (folder / "status.json").write_bytes((run.path / "status.json").read_bytes())
    return folder


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"classes": ()}, "at least 2 classes with a name each"),
        ({"classes": ("a", "", "b")}, "with a name each"),
        ({"classes": ("a", "b", "a")}, "every class once, got 'a' 2 times"),
        ({"classes": ABC, "dataset": "digits"}, "'digits' has the classes 0, 1, 2"),
        ({"classes": ABC, "scaling": "percent"}, r"Unknown scaling 'percent'\. Known: raw, unit"),
        ({"classes": ABC, "name": "../up"}, r"letters, digits.* got '\.\./up'"),
        ({"classes": ABC, "name": "digits"}, "a model called 'digits' already"),
    ],
)
def test_what_is_impossible_is_told_before_the_model_is_opened(
    fields: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importer, "_open", lambda request: pytest.fail("it was opened"))
    (tmp_path / "m.keras").touch()
    with pytest.raises(InputError, match=message):
        import_model(Source(tmp_path / "m.keras", **fields))


def test_classes_come_from_a_list_or_a_file(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("Tench, fish\n\n goldfish \n", encoding="utf-8-sig")
    assert read_classes(str(tmp_path / "labels.txt")) == ("Tench, fish", "goldfish")
    assert read_classes("cat, dog,frog") == ("cat", "dog", "frog")
    assert len(read_classes(",".join(f"class {number}" for number in range(1000)))) == 1000
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="expected a text file with one class name a line"):
        read_classes(str(tmp_path / "binary.txt"))


def test_a_model_that_fills_the_memory_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras import Input, Sequential, layers

    small = Sequential([Input((64, 64, 3)), layers.Flatten(), layers.Dense(2, name="end")])
    small.save(tmp_path / "bomb.h5")
    import h5py

    with h5py.File(tmp_path / "bomb.h5", "r+") as file:
        description = json.loads(file.attrs["model_config"])
        description["config"]["layers"][-1]["config"]["units"] = 1_000_000  # 49 GB of weights
        file.attrs["model_config"] = json.dumps(description)
    with pytest.raises(InputError, match=r"takes more than 4 GB of memory|ended by the system"):
        import_model(Source(tmp_path / "bomb.h5", ABC, scaling="unit"))
    assert list(runs_root().iterdir()) == []


def test_a_model_that_takes_too_long_or_breaks_its_process_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.h5").touch()
    monkeypatch.setattr(importer, "PATIENCE", 0.01)
    with pytest.raises(InputError, match=r"m\.h5 could not be loaded within 0\.01 seconds"):
        import_model(Source(tmp_path / "m.h5", ABC))
    assert list(runs_root().iterdir()) == []


def save(build: Callable[[], Any], file: Path, loss: str | None = None) -> Request:
    model = build()
    if loss:
        model.compile("sgd", loss, metrics=["accuracy"])
    model.save(file)
    return Request(str(file), str(file.parent), 3)


def test_without_a_scaling_the_model_has_to_scale(tmp_path: Path) -> None:
    facts = main(save(convolutions, tmp_path / "own.keras"))
    assert (facts["scaling"], facts["input_size"], facts["channels"]) == ("raw", 12, 3)
    with pytest.raises(InputError, match=r"Say with --scaling which pixel values .*unit: 0 to 1, as when"):
        main(save(rows, tmp_path / "none.keras"))
    with pytest.raises(InputError, match="'caffe' is for colour pictures"):
        main(Request(str(tmp_path / "none.keras"), str(tmp_path), 3, "caffe"))


@pytest.mark.parametrize("loss", ["mse", "mae", "categorical_crossentropy", "sparse_categorical_crossentropy", "kl_divergence",
                                  "categorical_hinge"])  # fmt: skip
def test_h5_files_of_every_loss_are_loaded(tmp_path: Path, loss: str) -> None:
    request = save(rows, tmp_path / "model.h5", loss)
    assert _load(Path(request.file)).count_params() == rows().count_params()


def test_weights_of_other_shapes_are_told(tmp_path: Path) -> None:
    import h5py

    save(rows, tmp_path / "model.h5")
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        description = json.loads(file.attrs["model_config"])
        description["config"]["layers"][-1]["config"]["units"] = 4
        file.attrs["model_config"] = json.dumps(description)
    with pytest.raises(InputError, match=r"Keras cannot load model\.h5: "):
        _load(tmp_path / "model.h5")


def test_the_command_line_hands_everything_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def open_it(request: Request) -> dict[str, Any]:
        asked.append(request)
        return {"input_size": 20, "channels": 3, "parameters": 7, "scaling": "unit", "explained_layer": ""}

    monkeypatch.setattr(importer, "_open", open_it)
    monkeypatch.setattr(importer, "_check_served", lambda run: None)
    (tmp_path / "m.keras").touch()
    words = [
        "--classes",
        "cat,dog",
        "--name",
        "pets",
        "--scaling",
        "unit",
        "--size",
        "20",
        "--fit",
        "stretch",
        "--json",
    ]
    done = CliRunner().invoke(app, ["import", str(tmp_path / "m.keras"), *words])
    assert done.exit_code == 0, done.output
    expected = {"run": "pets", "classes": ["cat", "dog"], "input_size": 20, "channels": 3, "parameters": 7}
    assert json.loads(done.stdout) == expected
    assert (asked[0].num_classes, asked[0].scaling, asked[0].size) == (2, "unit", 20)
    config = resolve("pets").config()
    assert (config.fit, config.dataset, config.classes) == ("stretch", "", ("cat", "dog"))
    again = CliRunner().invoke(app, ["import", str(tmp_path / "m.keras"), *words])
    assert again.exit_code == 2 and "a model called 'pets' already" in again.output
