"""What is wrong with a dataset, in numbers for a run's report: `python -m vision_app.health.summary DATASET OUT`.

A process of its own, so that the training process carries none of it. What a full look has found is used where there is one; else
the checks that take seconds are made.
"""

import json
import sys
from pathlib import Path
from typing import Any

from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.images import FileImages
from vision_app.health.catalog import CHECKS
from vision_app.health.findings import HealthReport
from vision_app.health.jobs import read_report
from vision_app.health.report import check_health
from vision_app.processes import end_with_parent
from vision_app.runs import write_atomic

SLOW = ("near_duplicate", "conflicting_duplicate", "label_error", "outlier")
MOST_FILES = 20_000  # more would take minutes to decode for this alone


def summarize(dataset: str) -> dict[str, Any] | None:
    """Return how many of each kind were found, and which kinds were looked for; None for many files nobody looked at yet.

    Raises:
        InputError: the dataset cannot be read.
    """
    report = read_report(dataset) or _quick(dataset)
    if report is None:
        return None
    return {
        "checked": [kind for kind in CHECKS if kind not in report.skipped],
        "findings": {finding.kind: finding.count for finding in report.findings if finding.count},
        "seconds": report.seconds,
    }


def _quick(dataset: str) -> HealthReport | None:
    counts = find_dataset(dataset).counts
    if sum(counts.values()) > MOST_FILES and isinstance(load_split(dataset, "train")[0], FileImages):
        return None
    return check_health(dataset, SLOW)[0]


if __name__ == "__main__":
    end_with_parent()
    write_atomic(Path(sys.argv[2]), json.dumps(summarize(sys.argv[1])))
