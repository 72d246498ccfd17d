"""Models tested a second time, averaging over shifted and mirrored copies of each image: off unless somebody asks."""

import html
from collections.abc import Sequence

from vision_app.data.download import Progress
from vision_app.errors import InputError
from vision_app.evaluate_run import evaluate_run
from vision_app.evaluation.report import EvaluationReport
from vision_app.readable import percent
from vision_app.runs import LIVE, Run
from vision_app.ui.run_names import dataset_title, short_names

WHAT = (
    "Each test image is also shown to the network shifted by a pixel and, if it learned from mirrored images, mirrored; the "
    "answers are averaged. That is often right more often, and several times slower. The figures above stay the plain ones."
)


def measure_averaged(runs: Sequence[Run], progress: Progress) -> dict[str, EvaluationReport]:
    """Test models on their own test splits, plainly and averaged, and return the reports by name.

    Raises:
        InputError: nothing is chosen, or a model is still training.
    """
    if not runs:
        raise InputError("No model is chosen; choose rows of the table above.")
    for run in runs:
        if run.state() in LIVE:
            raise InputError(f"{run.name} is still training; wait for its end, or leave it out.")
    reports = {}
    for done, run in enumerate(runs):

        def tell(share: float, words: str, done: int = done, name: str = run.name) -> None:
            progress((done + share) / len(runs), f"Testing {name}: {words}")

        reports[run.name] = evaluate_run(run, progress=tell, averaging=True)
    return reports


def averaged_html(reports: dict[str, EvaluationReport]) -> str:
    """Return a table: plain and averaged accuracy side by side, never the one without the other."""
    names = short_names(reports)
    titles = ("Model", "Test images", "Plain", "Averaged", "Copies")
    rows = []
    for name, report in reports.items():
        if (averaged := report.averaged) is None:
            continue
        shown = f"{report.count:,} of {dataset_title(report.dataset)}"
        cells = (names[name], shown, percent(report.accuracy), percent(averaged.accuracy), averaged.views)
        rows.append("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{title}</th>" for title in titles)
    return f'<div class="vw-scroll"><table class="vw-table"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
