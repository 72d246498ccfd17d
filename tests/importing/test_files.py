"""What is refused before Keras sees it: a corpus of files that hold more, or less, than a model for pictures."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from vision_app.errors import InputError
from vision_app.importing.allowed import check_description
from vision_app.importing.files import MEMBERS, check_file, read_description


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one good model, as good.keras and good.h5."""
    from keras import Input, Sequential, layers

    folder = tmp_path_factory.mktemp("models")
    first = [
        Input((8, 8, 1)),
        layers.Conv2D(2, 3, activation="relu"),
        layers.Flatten(),
        layers.Dense(3, activation="softmax"),
    ]
    model = Sequential(first)
    model.compile("adam", "categorical_crossentropy")
    model.save(folder / "good.keras")
    model.save(folder / "good.h5")
    return folder


def rewrite(models: Path, path: Path, change: Callable[[dict[str, bytes]], Any]) -> Path:
    """Write the good model with other members."""
    with zipfile.ZipFile(models / "good.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def with_layer(layer: dict[str, Any]) -> Callable[[dict[str, bytes]], None]:
    """Return a change that puts one more layer into the description."""

    def change(members: dict[str, bytes]) -> None:
        description = json.loads(members["config.json"])
        description["config"]["layers"].insert(1, layer)
        members["config.json"] = json.dumps(description).encode()

    return change


def with_dense(**fields: Any) -> Callable[[dict[str, bytes]], None]:
    """Return a change of the last layer's settings."""

    def change(members: dict[str, bytes]) -> None:
        description = json.loads(members["config.json"])
        description["config"]["layers"][-1]["config"].update(fields)
        members["config.json"] = json.dumps(description).encode()

    return change


def check(path: Path) -> Any:
    check_file(path)
    description = read_description(path)
    check_description(description)
    return description


def layer(name: str, module: str | None = "keras.layers", **fields: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": {"name": "x"}, "registered_name": None, **fields}


EXEC = {"module": "builtins", "class_name": "function", "config": "exec", "registered_name": "function"}
GADGETS = {
    "lambda": (with_layer(layer("Lambda", config={"function": {"class_name": "__lambda__", "config": {}}})), "'Lambda'"),
    "python function": (with_dense(activation=EXEC), "the function 'exec'"),
    "saved model": (with_layer(layer("TFSMLayer", config={"filepath": "/tmp/x"})), "'TFSMLayer'"),
    "lookup from a file": (with_layer(layer("StringLookup", config={"vocabulary": "/etc/passwd"})), "'StringLookup'"),
    "torch module": (with_layer(layer("TorchModuleWrapper")), "'TorchModuleWrapper'"),
    "custom class": (with_layer(layer("Dense", registered_name="Custom>Dense")), "'Custom>Dense'"),
    "class of another module": (with_layer(layer("Dense", module="os")), "'Dense'"),
    "unsafe switch": (with_layer(layer("function", module="keras.config", config="enable_unsafe_deserialization")), "'enable_u"),
    "wrapper": (with_layer(layer("TimeDistributed", config={"layer": layer("Lambda")})), "'TimeDistributed'|'Lambda'"),
    "huge layer": (with_dense(units=300_000_000), "units' is 300,000,000, far beyond"),
    "nested deep": (lambda members: members.update({"config.json": b"[" * 3000 + b"]" * 3000}), "cannot be read"),
    "no model": (lambda members: members.update({"config.json": b'{"class_name": "Dense"}'}), "Sequential or Functional.*'Dense'"),
    "no json": (lambda members: members.update({"config.json": b"\xff\xfe{"}), "cannot be read"),
    "slip": (lambda members: members.update({"../../evil.py": b"x"}), r"holds '\.\./\.\./evil\.py'"),
    "absolute": (lambda members: members.update({"/etc/cron.d/evil": b"x"}), "holds '/etc/cron"),
    "assets": (lambda members: members.update({"assets/vocabulary.txt": b"x"}), "holds 'assets/"),
    "no weights": (lambda members: members.pop("model.weights.h5"), r"has no model\.weights\.h5"),
    "bomb": (lambda members: members.update({"model.weights.h5": bytes(40_000_000)}), "unpacks to 40 MB"),
    "weights that are none": (lambda members: members.update({"model.weights.h5": b"weights"}), "is damaged"),
}  # fmt: skip


def test_a_good_model_passes(models: Path) -> None:
    for name in ("good.keras", "good.h5"):
        assert check(models / name)["class_name"] == "Sequential"


@pytest.mark.parametrize("gadget", GADGETS)
def test_archives_with_anything_else_are_refused(models: Path, tmp_path: Path, gadget: str) -> None:
    change, message = GADGETS[gadget]
    path = rewrite(models, tmp_path / "bad.keras", change)
    with pytest.raises(InputError, match=message):
        check(path)
    assert [item.name for item in tmp_path.iterdir()] == ["bad.keras"]


def test_a_member_that_comes_twice_is_refused(models: Path, tmp_path: Path) -> None:
    path = rewrite(models, tmp_path / "twice.keras", lambda members: None)
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("config.json", b"{}")
    with pytest.raises(InputError, match=r"holds 'config\.json', which"):
        check(path)


def hdf5(path: Path, fill: Callable[[h5py.File], Any]) -> bytes:
    with h5py.File(path, "w") as file:
        fill(file)
    return path.read_bytes()


HDF5 = {
    "link to a file": lambda file: file.__setitem__("w", h5py.ExternalLink("/etc/hosts", "/")),
    "soft link": lambda file: file.__setitem__("w", h5py.SoftLink("/elsewhere")),
    "array in a file": lambda file: file.create_dataset("w", (5,), "u1", external=[("/etc/passwd", 0, 5)]),
    "virtual array": lambda file: file.create_virtual_dataset(
        "w", h5py.VirtualLayout((4,), "u1"), fillvalue=0
    ),
    "array without values": lambda file: file.create_dataset("w", (10**9,), "f4", chunks=(1024,)),
}  # fmt: skip


@pytest.mark.parametrize("kind", HDF5)
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_weights_from_elsewhere_or_from_nothing_are_refused(
    models: Path, tmp_path: Path, kind: str, suffix: str
) -> None:
    def fill(file: h5py.File) -> None:
        HDF5[kind](file.create_group("layers"))
        file.attrs["model_config"] = json.dumps(read_description(models / "good.h5"))

    content = hdf5(tmp_path / "weights.h5", fill)
    path = tmp_path / "weights.h5"
    if suffix == ".keras":
        path = rewrite(models, tmp_path / "bad.keras", lambda members: members.update({"model.weights.h5": content}))
    with pytest.raises(InputError, match=r"point to another place|say they have 4,000 MB"):
        check(path)


def test_a_group_that_holds_itself_is_looked_at_once(tmp_path: Path) -> None:
    def fill(file: h5py.File) -> None:
        group = file.create_group("a")
        group["again"] = group

    hdf5(tmp_path / "loop.h5", fill)
    with pytest.raises(InputError, match="holds weights only"):
        check(tmp_path / "loop.h5")


def test_lambda_in_h5_is_refused(models: Path, tmp_path: Path) -> None:
    description = read_description(models / "good.h5")
    description["config"]["layers"].insert(
        1, {"class_name": "Lambda", "config": {"function": ["4wEAAA==", None, None]}}
    )
    hdf5(tmp_path / "bad.h5", lambda file: file.attrs.update({"model_config": json.dumps(description)}))
    with pytest.raises(InputError, match="'Lambda', which is none of Keras' own layers"):
        check(tmp_path / "bad.h5")


@pytest.mark.parametrize("name", ["good.keras", "good.h5"])
@pytest.mark.parametrize("keep", [0, 1, 100, 2000, -300, -1])
def test_cut_files_are_told(models: Path, tmp_path: Path, name: str, keep: int) -> None:
    path = tmp_path / name
    path.write_bytes((models / name).read_bytes()[:keep])
    with pytest.raises(InputError, match=f"{name} is damaged|cannot be read"):
        check(path)


def test_a_changed_bit_is_noticed_or_changes_nothing(models: Path, tmp_path: Path) -> None:
    content = bytearray((models / "good.keras").read_bytes())
    good, path, noticed = check(models / "good.keras"), tmp_path / "flip.keras", 0
    for position in np.random.default_rng(0).integers(0, len(content), 150):
        content[position] ^= 1 << (position % 8)
        path.write_bytes(content)
        content[position] ^= 1 << (position % 8)
        try:
            found = check(path)
        except InputError:
            noticed += 1
        else:
            with zipfile.ZipFile(path) as changed, zipfile.ZipFile(models / "good.keras") as whole:
                assert found == good
                assert all(changed.read(member) == whole.read(member) for member in MEMBERS - {"metadata.json"})
    assert noticed > 75


def test_other_files_are_told(models: Path, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"x")
    (tmp_path / "text.keras").write_text("no archive")
    with pytest.raises(InputError, match=r"Expected a model saved by Keras, \.keras or \.h5, got 'model\.pkl'"):
        check(tmp_path / "model.pkl")
    for missing in (tmp_path / "none.keras", tmp_path):
        with pytest.raises(InputError, match="There is no file at"):
            check(missing)
    with pytest.raises(InputError, match=r"text\.keras is damaged"):
        check(tmp_path / "text.keras")


def test_a_file_that_is_too_large_is_not_opened(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vision_app.importing.files.MAX_BYTES", 1000)
    with pytest.raises(InputError, match="at most 0 MB are loaded"):
        check_file(models / "good.keras")
