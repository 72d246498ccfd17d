"""From a file to a run directory: the model is opened in a process of its own, and used only as that process rebuilt it."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vision_app.config import IMPORTED, RunConfig
from vision_app.data.datasets import find_dataset
from vision_app.errors import InputError
from vision_app.evaluate_run import evaluate_run
from vision_app.importing.child import BAD_MODEL, Request
from vision_app.importing.files import check_file
from vision_app.importing.scalings import SCALINGS
from vision_app.lookup import find
from vision_app.predict import load_classifier
from vision_app.processes import child_environment
from vision_app.runs import Run, Status, checkpoints_root, runs_root, write_atomic

PATIENCE = 180  # seconds
CLOSE = 1e-3


@dataclass(frozen=True)
class Source:
    """A model from elsewhere, and what its file does not say.

    Args:
        file: a .keras or .h5 file.
        classes: names in the order of the model's answers.
        name: of the run; empty: the file's.
        dataset: that it learned from, where the app knows it: it is tested on that, and outside pictures are made to look so.
        scaling: a row of SCALINGS; empty where the model scales the pixels itself.
        size: pixels a side, for a model that takes any.
        fit: how a picture that is not square becomes square.
    """

    file: Path
    classes: tuple[str, ...]
    name: str = ""
    dataset: str = ""
    scaling: str = ""
    size: int | None = None
    fit: str = "crop"


def import_model(source: Source) -> Run:
    """Make a run directory of a model that was trained elsewhere; it stands whole in the folder of the runs, or not at all.

    Raises:
        InputError: the model cannot be used; the message says why and what to do.
    """
    check_file(source.file)
    if find_spec("tensorflow") is None:
        raise InputError("A model is imported with TensorFlow, which is not installed here; import it where it is.")
    classes, upload_style = _check_classes(source)
    target = _free_place(source.name or re.sub(r"[^\w-]+", "-", source.file.stem).strip("-") or "model")
    if source.scaling:
        find(SCALINGS, source.scaling, "scaling")
    runs_root().mkdir(parents=True, exist_ok=True)
    _forget_broken_off()
    with tempfile.TemporaryDirectory(dir=runs_root(), prefix=".importing-") as parent:
        folder = Path(parent) / target.name
        folder.mkdir()
        facts = _open(Request(str(source.file.absolute()), str(folder), len(classes), source.scaling, source.size))
        values = {
            "model": IMPORTED,
            "dataset": source.dataset,
            "classes": classes,
            "upload_style": upload_style,
            "fit": source.fit,
            "input_size": facts["input_size"],
            "channels": facts["channels"],
        }
        write_atomic(folder / "config.json", RunConfig.parse(values).to_json())
        origin = {"file": source.file.name, "scaling": facts["scaling"], "explained_layer": facts["explained_layer"]}
        now = time.time()
        run = Run(folder)
        write_atomic(run.imported_file, json.dumps(origin, indent=2))
        run.write_status(
            Status(
                state="completed",
                created=now,
                finished=now,
                parameters=facts["parameters"],
                message=f"Trained elsewhere; imported from {source.file.name}.",
            )
        )
        _check_served(run)
        if source.dataset:
            write_atomic(run.report_file, evaluate_run(run).to_json())
        folder.replace(target)
    return Run(target)


def read_classes(text: str) -> tuple[str, ...]:
    """Return class names from "a, b, c", or from a text file with one a line.

    Raises:
        InputError: the file cannot be read.
    """
    path = Path(text).expanduser()
    try:
        is_file = path.is_file()
    except OSError:  # too long for a file's name
        is_file = False
    if not is_file:
        return tuple(part.strip() for part in text.split(","))
    try:
        return tuple(filter(None, (line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines())))
    except (OSError, ValueError):
        raise InputError(f"{path} cannot be read; expected a text file with one class name a line.") from None


def _check_classes(source: Source) -> tuple[tuple[str, ...], str]:
    """Return the classes, and how outside pictures are made to look like those that the model learned from."""
    dataset = find_dataset(source.dataset) if source.dataset else None
    classes = source.classes or (dataset.classes if dataset else ())
    if len(classes) < 2 or not all(classes):
        raise InputError(
            f"A classifier needs at least 2 classes with a name each, got {list(classes)}; name them with --classes."
        )
    twice = [name for name in dict.fromkeys(classes) if classes.count(name) > 1]
    if twice:
        raise InputError(
            f"Expected every class once, got '{twice[0]}' {classes.count(twice[0])} times; rename the others."
        )
    if dataset and tuple(classes) != tuple(dataset.classes):
        raise InputError(
            f"'{source.dataset}' has the classes {', '.join(dataset.classes[:12])}; name the same in the same order, or leave "
            "--dataset out."
        )
    return tuple(classes), dataset.upload_style if dataset else "photo"


def _free_place(name: str) -> Path:
    if not re.fullmatch(r"[\w-][\w.-]{0,79}", name) or name == "latest":
        raise InputError(
            f"A name may have letters, digits, '-', '_' and '.', 80 at most, got '{name[:100]}'; choose another."
        )
    for root in (checkpoints_root(), runs_root()):
        if (root / name).exists():
            raise InputError(f"There is a model called '{name}' already; choose another name with --name.")
    return runs_root() / name


def _forget_broken_off() -> None:
    """Remove what imports that were killed have left behind."""
    for folder in runs_root().glob(".importing-*"):
        if time.time() - folder.stat().st_mtime > 10 * PATIENCE:
            shutil.rmtree(folder, ignore_errors=True)


def _open(request: Request) -> dict[str, Any]:
    """Have another process open the model, and return its facts."""
    environment = child_environment() | {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1"}
    command = [sys.executable, "-m", "vision_app.importing.child", request.to_json()]
    name = Path(request.file).name
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(f"{name} could not be loaded within {PATIENCE} seconds; use a smaller model.") from None
    if done.returncode == BAD_MODEL:
        raise InputError(done.stderr.strip().splitlines()[-1])
    if done.returncode < 0 or "bad_alloc" in done.stderr:
        raise InputError(
            f"The process that loaded {name} was ended by the system: the model is damaged or far too large."
        )
    if done.returncode:
        raise RuntimeError(f"Importing {name} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def _check_served(run: Run) -> None:
    """Make the file that predictions are served from, and see that it answers as the model does."""
    import numpy as np

    try:
        classifier = load_classifier(run)
    except RuntimeError as error:
        raise InputError(
            "The model has a layer that cannot be converted for serving; it cannot be used here."
        ) from error
    with np.load(run.path / "probe.npz") as probe:
        answers = classifier.probabilities(probe["pictures"])
        difference = np.abs(answers - probe["probabilities"]).max()
    if not difference < CLOSE:
        raise InputError("The model answers otherwise once it is converted for serving; it cannot be used here.")
    (run.path / "probe.npz").unlink()
