"""The run directory: the one place that knows its files.

A run is a directory that a worker process writes and everybody else reads. A shipped checkpoint is the same directory
without log and state, so both are used in exactly the same way.
"""

import json
import os
import secrets
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Literal, TextIO

from pydantic import BaseModel, ConfigDict, ValidationError

from vision_app.config import RunConfig, describe
from vision_app.errors import InputError
from vision_app.processes import is_alive
from vision_app.records import read_records

State = Literal["queued", "running", "completed", "stopped", "failed", "interrupted"]
LIVE: tuple[State, ...] = ("queued", "running")
STARTING_SECONDS = 60  # a worker writes its process number as its first act
CHECKPOINT_FILES = (
    "config.json",
    "status.json",
    "history.jsonl",
    "model.keras",
    "model.tflite",
    "report.json",
    "imported.json",
)


class Status(BaseModel):
    """Where a run stands. Times are in seconds since 1970, durations in seconds."""

    model_config = ConfigDict(frozen=True)

    state: State
    launcher: str = "local"
    pid: int | None = None
    pid_started: str | float | None = None
    created: float
    asked: float | None = None  # when it was last asked to go on
    started: float | None = None
    finished: float | None = None
    seconds: float | None = None
    message: str = ""
    device: str = ""
    num_train: int | None = None
    steps_per_epoch: int | None = None
    parameters: int | None = None
    best_epoch: int | None = None
    best_value: float | None = None


@dataclass(frozen=True)
class Run:
    """One run directory, opened for reading; the worker also writes through it."""

    path: Path

    @property
    def name(self) -> str:
        """The run id or checkpoint name."""
        return self.path.name

    @property
    def is_checkpoint(self) -> bool:
        """Whether this ships with the app."""
        return self.path.parent == checkpoints_root()

    @property
    def model_file(self) -> Path:
        """The best model so far, as Keras saves it."""
        return self.path / "model.keras"

    @property
    def tflite_file(self) -> Path:
        """The same model for serving."""
        return self.path / "model.tflite"

    @property
    def history_file(self) -> Path:
        """One JSON document a line, appended only."""
        return self.path / "history.jsonl"

    @property
    def validation_file(self) -> Path:
        """How the validation images were answered after each epoch, one JSON document a line, appended only."""
        return self.path / "validation.jsonl"

    @property
    def strip_folder(self) -> Path:
        """A few validation images, and what the network saw in them after each epoch."""
        return self.path / "strip"

    @property
    def imported_file(self) -> Path:
        """Where a model came from that was trained elsewhere, and the layer that is explained."""
        return self.path / "imported.json"

    @property
    def report_file(self) -> Path:
        """The evaluation report on the test split, written last."""
        return self.path / "report.json"

    @property
    def state_folder(self) -> Path:
        """What resuming needs, as the worker wrote it after the last epochs."""
        return self.path / "state"

    @property
    def last_epoch_file(self) -> Path:
        """Is there while a run has been asked to end after the epoch that it is in."""
        return self.state_folder / "stop-after-epoch"

    @property
    def log_file(self) -> Path:
        """What the worker printed."""
        return self.path / "log.txt"

    @property
    def notes_file(self) -> Path:
        """What a person has said about the run: see `keeping`."""
        return self.path / "notes.json"

    @property
    def search_file(self) -> Path:
        """Which search the run is part of: see `training.search`."""
        return self.path / "search.json"

    def config(self) -> RunConfig:
        """Return what determined the run."""
        return RunConfig.parse(self._json("config.json"))

    def status(self) -> Status:
        """Return where the run stands; a worker that died without saying so counts as interrupted."""
        status = self._status()
        if status.state in LIVE and not _is_alive(status):
            kept = "the best model so far is kept" if self.model_file.exists() else "it had saved no model yet"
            message = (
                f"The training process ended without a word, as it does when memory runs out or it is killed; {kept}."
            )
            return status.model_copy(update={"state": "interrupted", "message": message})
        return status

    def state(self) -> str:
        """Return the state, or "damaged" if the status cannot be read."""
        try:
            return self.status().state
        except InputError:
            return "damaged"

    def history(self) -> list[dict[str, Any]]:
        """Return the history's lines, without those that a resumed run did again and without a half-written last line."""
        lines: list[dict[str, Any]] = []
        for record in read_records(self.history_file):
            if record.get("kind") == "resume":
                lines = [line for line in lines if line["step"] < record["step"]]
            else:
                lines.append(record)
        return lines

    def epochs_done(self) -> int:
        """Return the last epoch that the history has finished; 0 is none."""
        return max((line["epoch"] for line in self.history() if line["kind"] == "epoch"), default=0)

    def validation(self, done: int) -> dict[int, dict[str, Any]]:
        """Return what was found on the validation images by epoch, up to epoch `done`; of one that was done again, the last."""
        found = {record.get("epoch"): record for record in read_records(self.validation_file)}
        return {epoch: found[epoch] for epoch in range(1, done + 1) if epoch in found}

    def origin(self) -> dict[str, Any] | None:
        """Return what is known of a model that was trained elsewhere, or None for one that was trained here."""
        return self._json(self.imported_file.name) if self.imported_file.exists() else None

    def report(self) -> dict[str, Any] | None:
        """Return the evaluation report on the test split, or None before there is one."""
        return self._json(self.report_file.name) if self.report_file.exists() else None

    def log_tail(self, lines: int = 20) -> str:
        """Return the end of what the worker printed."""
        if not self.log_file.exists():
            return ""
        with self.log_file.open("rb") as file:
            file.seek(max(0, self.log_file.stat().st_size - 20_000))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])

    def forget_half_files(self) -> None:
        """Delete what a worker that was killed had not finished: it would keep a full disk full."""
        beginnings = (".model.", ".saving.", ".epoch-", ".images.npz.", *(f".{name}." for name in CHECKPOINT_FILES))
        inside = [folder.iterdir() for folder in (self.state_folder, self.strip_folder) if folder.is_dir()]
        for file in (*self.path.iterdir(), *chain(*inside)):
            if file.name.startswith(beginnings):
                file.unlink(missing_ok=True)

    def append_history(self, **values: Any) -> None:
        """Add one line to the history."""
        with open_to_append(self.history_file) as file:
            file.write(json.dumps({**values, "time": round(time.time(), 3)}) + "\n")

    def write_status(self, status: Status) -> None:
        """Replace the status."""
        write_atomic(self.path / "status.json", status.model_dump_json(indent=2))

    def update_status(self, **changes: Any) -> Status:
        """Change some fields of the status."""
        status = Status(**{**self._json("status.json"), **changes})
        self.write_status(status)
        return status

    def _status(self) -> Status:
        """Return the status as it was written."""
        try:
            return Status(**self._json("status.json"))
        except ValidationError as error:
            raise InputError(f"The status.json of '{self.path.name}' is damaged: {describe(error)}") from None

    def _json(self, name: str) -> dict[str, Any]:
        try:
            values = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InputError(f"'{self.path.name}' is not a run: its {name} is missing.") from None
        except OSError as error:
            raise InputError(f"The {name} of '{self.path.name}' cannot be read: {error.strerror}.") from None
        except (ValueError, RecursionError):
            raise InputError(f"The {name} of '{self.path.name}' is damaged: it is not valid JSON.") from None
        if not isinstance(values, dict):
            raise InputError(f"The {name} of '{self.path.name}' is damaged: it is not a JSON object.")
        return values


def runs_root() -> Path:
    """Return the folder of the runs: VISION_APP_RUNS, or `runs` in the working directory."""
    return Path(os.environ.get("VISION_APP_RUNS") or "runs").absolute()


def checkpoints_root() -> Path:
    """Return the folder of the shipped models: VISION_APP_CHECKPOINTS, or `checkpoints` beside the package."""
    default = Path(__file__).absolute().parents[1] / "checkpoints"
    return Path(os.environ.get("VISION_APP_CHECKPOINTS") or default).absolute()


def create_run(config: RunConfig) -> Run:
    """Make a new run directory in state "queued" and return it."""
    root = runs_root()
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"Cannot make the folder of the runs, {root} ({error.strerror}); set VISION_APP_RUNS."
        ) from None
    created = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(created))
    while True:
        run = Run(root / f"{stamp}-{_slug(config.dataset)}-{config.model}-{secrets.token_hex(2)}")
        with suppress(FileExistsError):  # another one of this second
            run.path.mkdir()
            break
    write_atomic(run.path / "config.json", config.to_json())
    run.write_status(Status(state="queued", created=created))
    return run


def list_runs() -> list[Run]:
    """Return all runs, newest first; those with a damaged status last."""
    return sorted(_runs_below(runs_root()), key=lambda run: (_created(run), run.name), reverse=True)


def list_training_runs() -> list[Run]:
    """Return the runs that were trained here, newest first."""
    return [run for run in list_runs() if not run.imported_file.exists()]


def list_checkpoints() -> list[Run]:
    """Return the shipped models by name."""
    return sorted(_runs_below(checkpoints_root()), key=lambda run: run.name)


def list_models() -> list[Run]:
    """Return everything that can predict: shipped checkpoints, then runs with a saved model, newest first."""
    return [run for run in [*list_checkpoints(), *list_runs()] if run.model_file.exists() and is_readable(run)]


def resolve(model: str, paths: bool = True) -> Run:
    """Return the run or checkpoint called `model`: a checkpoint's name, a run id, `latest`, or a path.

    Args:
        model: which one.
        paths: whether a path is taken.

    Raises:
        InputError: there is none.
    """
    if model == "latest":
        runs = list_training_runs()
        if not runs:
            raise InputError("There is no latest run yet: train one first, or name a checkpoint.")
        return runs[0]
    for root in (checkpoints_root(), runs_root()):
        if model and model != ".." and Path(model).name == model and os.path.isfile(root / model / "config.json"):
            return Run(root / model)
    # Unlike Path.is_file, no error for a name that is too long.
    if paths and os.path.isfile(Path(model) / "config.json"):
        return Run(Path(model).absolute())
    known = ", ".join(run.name for run in list_checkpoints()) or "none"
    raise InputError(f"Unknown model '{model}'. Expected a run id, `latest`, a run's folder or a checkpoint: {known}.")


def write_atomic(path: Path, data: bytes | str) -> None:
    """Replace a file so that a reader, or a crash at any moment, finds the old content or the new, never half."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        commit(Path(temporary), path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def open_to_append(path: Path) -> TextIO:
    """Open a file of one record a line; half a line, as a full disk leaves it, is ended first, so that it spoils no other."""
    with path.open("a+b") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
    return path.open("a", buffering=1, encoding="utf-8")


def commit(temporary: Path, path: Path) -> None:
    """Move a finished temporary file of the same folder to its place, after its bytes are on the disk."""
    with temporary.open("r+b") as file:  # Windows syncs only what is open for writing
        os.fsync(file.fileno())
    temporary.chmod(0o644)
    temporary.replace(path)


def _runs_below(root: Path) -> list[Run]:
    if not root.is_dir():
        return []
    return [
        Run(path) for path in root.iterdir() if (path / "config.json").is_file() and (path / "status.json").exists()
    ]


def is_readable(run: Run) -> bool:
    """Whether a run's settings and status can be read; a newer version may have written what this one does not know."""
    try:
        run.config()
        run._status()
    except InputError:
        return False
    return True


def _created(run: Run) -> float:
    try:
        return run._status().created
    except InputError:
        return 0.0


def _is_alive(status: Status) -> bool:
    """Whether the process that wrote the status lives, or may still be about to write its number."""
    if status.pid is None or status.pid_started is None:
        return time.time() - (status.asked or status.created) < STARTING_SECONDS
    return is_alive(status.pid, status.pid_started)


def _slug(text: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "_-" else "-" for letter in Path(text).name)[:40]
