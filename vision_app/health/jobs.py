"""Looking at a dataset in a process of its own, which writes how far it is and, at the end, the report."""

import hashlib
import json
import os
import subprocess
import sys
import time
import traceback
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from vision_app.data.datasets import find_dataset
from vision_app.data.download import Progress, data_root
from vision_app.data.sources.npz import DAMAGES
from vision_app.errors import InputError
from vision_app.health.embedding import Embedding, embed
from vision_app.health.evidence import Evidence
from vision_app.health.findings import HealthReport
from vision_app.processes import child_environment, created, is_alive
from vision_app.runs import write_atomic

SAY_EVERY = 0.5
STARTING_SECONDS = 30


def report_file(dataset: str) -> Path:
    """Return where a dataset's report is kept."""
    digest = hashlib.sha256(dataset.encode(errors="surrogateescape")).hexdigest()[:12]
    return data_root() / "health" / f"{Path(dataset).stem[:40]}-{digest}.json"


def read_report(dataset: str) -> HealthReport | None:
    """Return the last report on a dataset, or None; one that no longer fits the dataset is forgotten."""
    file = report_file(dataset)
    try:
        report = _parse(file, file.stat().st_mtime_ns)
    except (OSError, ValueError):
        return None
    row = find_dataset(dataset)
    return report if (report.counts, report.identity) == (row.counts, row.identity) else None


def map_file(dataset: str) -> Path:
    """Return where the vectors and maps of a dataset's images are kept."""
    return report_file(dataset).with_suffix(".npz")


def read_map(dataset: str) -> Embedding | None:
    """Return the vectors and maps of the last look, or None; like the report they are forgotten when the dataset changes."""
    file = map_file(dataset)
    if read_report(dataset) is None:
        return None
    try:
        found = _load(file, file.stat().st_mtime_ns)
    except (OSError, *DAMAGES):
        return None
    counts = find_dataset(dataset).counts
    ends = (found.indices[found.parts == part].max(initial=-1) for part in range(len(found.splits)))
    fits = all(end < counts.get(split, 0) for split, end in zip(found.splits, ends, strict=True))
    return found if fits else None


@lru_cache(maxsize=8)
def _parse(file: Path, _changed: int) -> HealthReport:
    report = HealthReport.model_validate_json(file.read_bytes())
    items = (item for finding in report.findings for item in finding.items)
    if any(item.index >= report.counts.get(item.split, 0) for item in items):
        raise ValueError("a report on other images")
    return report


@lru_cache(maxsize=2)
def _load(file: Path, _changed: int) -> Embedding:
    return Embedding.load(file)


def start(dataset: str) -> None:
    """Begin to look at a dataset, unless somebody already does.

    Raises:
        InputError: unknown dataset.
    """
    find_dataset(dataset)
    if progress_of(dataset) is not None:
        return
    file = report_file(dataset)
    file.parent.mkdir(parents=True, exist_ok=True)
    _write_status(dataset, share=0.0, words="Starting")
    with file.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "vision_app.health.jobs", dataset],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=child_environment(),
        )
    _CHILDREN[:] = [child for child in _CHILDREN if child.poll() is None]  # collects those that have ended
    _CHILDREN.append(process)


def stop(dataset: str) -> None:
    """End a look that is going on; what is prepared on the disk stays and is used the next time."""
    status = _status(dataset)
    if status and status.get("pid") and progress_of(dataset) is not None:
        psutil.Process(status["pid"]).terminate()
    _status_file(dataset).unlink(missing_ok=True)


def progress_of(dataset: str) -> tuple[float, str] | None:
    """Return the share done and a sentence of a look that is going on, or None."""
    status = _status(dataset)
    if status is None or status.get("error"):
        return None
    if status.get("pid") is None:
        return (0.0, status["words"]) if time.time() - status["time"] < STARTING_SECONDS else None
    return (status["share"], status["words"]) if is_alive(status["pid"], status["started"]) else None


def error_of(dataset: str) -> str:
    """Return why the last look failed, or nothing."""
    status = _status(dataset)
    if status is None or progress_of(dataset) is not None:
        return ""
    return status.get("error") or "Looking at the dataset ended without a word; start it again."


def main(dataset: str) -> int:
    """Look at a dataset and write the report; return the exit code."""
    from vision_app.health.report import check_health

    report_file(dataset).parent.mkdir(parents=True, exist_ok=True)
    me, said_at = psutil.Process(), 0.0
    who = {"pid": me.pid, "started": created(me)}

    def say(share: float, words: str) -> None:
        nonlocal said_at
        if time.monotonic() - said_at > SAY_EVERY:
            said_at = time.monotonic()
            _write_status(dataset, share=share, words=words, **who)

    try:
        report, evidence = check_health(dataset, progress=say)
        _draw(dataset, evidence, say)
        write_atomic(report_file(dataset), report.to_json())  # last: with it the page shows both
    except InputError as error:
        _write_status(dataset, share=1.0, words="", error=str(error), **who)
        return 2
    except MemoryError:
        _write_status(dataset, share=1.0, words="", error="Out of memory while looking at the dataset.", **who)
        return 1
    _status_file(dataset).unlink(missing_ok=True)
    return 0


def forget(dataset: str) -> None:
    """End a look that is going on, and delete what was found."""
    stop(dataset)
    for file in (report_file(dataset), map_file(dataset), report_file(dataset).with_suffix(".log")):
        file.unlink(missing_ok=True)


def _draw(dataset: str, evidence: Evidence, say: Progress) -> None:
    """Write the map; without one the report is still worth having."""
    map_file(dataset).unlink(missing_ok=True)
    if not len(evidence.look.good):
        return
    try:
        embed(evidence, say).save(map_file(dataset))
    except Exception:  # scikit-learn and UMAP raise many kinds
        traceback.print_exc()


def _status_file(dataset: str) -> Path:
    return report_file(dataset).with_suffix(".status.json")


def _write_status(dataset: str, **values: Any) -> None:
    write_atomic(_status_file(dataset), json.dumps({"time": time.time(), **values}))


def _status(dataset: str) -> dict[str, Any] | None:
    try:
        found = json.loads(_status_file(dataset).read_text(encoding="utf-8"))
        kinds = {"time": float, "share": float, "words": str} | (
            {"pid": int, "started": str} if found.get("pid") is not None else {}
        )
        return {**found, **{name: kind(found[name]) for name, kind in kinds.items()}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


_CHILDREN: list["subprocess.Popen[bytes]"] = []  # kept, so that ended ones can be collected

if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.exit(main(sys.argv[1]))
