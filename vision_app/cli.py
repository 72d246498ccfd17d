"""The command line: the app's functions from a shell.

Heavy packages are imported inside the commands, so that the light ones answer at once.
"""

import os
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vision_app import readable
from vision_app.cli_data import DATA_COMMANDS, REFERENCES
from vision_app.cli_import import import_model
from vision_app.cli_models import models
from vision_app.cli_runs import RUN_COMMANDS
from vision_app.cli_search import search
from vision_app.cli_train import TRAIN_COMMANDS
from vision_app.console import (
    BAD_INPUT,
    Answer,
    AsJson,
    Command,
    check_folders,
    check_one_format,
    document,
    facts,
    progress_bar,
    say,
)
from vision_app.errors import InputError
from vision_app.runs import Run, list_checkpoints, list_runs, resolve

if TYPE_CHECKING:
    import numpy as np

    from vision_app.evaluation.report import EvaluationReport
    from vision_app.predict import Classifier


OVERLAY_PIXELS = 224
NOTE_LENGTH = 60  # characters that the list of runs has room for

app = typer.Typer(
    help="Vision Workbench: train, test and use image classifiers.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
for command in (*DATA_COMMANDS, *TRAIN_COMMANDS, *RUN_COMMANDS, search):
    app.command(cls=Command)(command)
app.command("import", cls=Command)(import_model)
app.command(cls=Command)(models)

ModelName = Annotated[
    str, typer.Argument(metavar="MODEL", help="A checkpoint's name, a run id, `latest`, or a folder.")
]
DatasetName = Annotated[
    str | None, typer.Option("--dataset", help=f"{REFERENCES} By default the one that the model learned from.")
]


@app.command(cls=Command)
def runs(as_json: AsJson = False) -> Answer:
    """List the training runs, newest first."""
    return _listing(list_runs(), "run", as_json)


@app.command(cls=Command)
def checkpoints(as_json: AsJson = False) -> Answer:
    """List the trained models that ship with the app."""
    return _listing(list_checkpoints(), "name", as_json)


@app.command(cls=Command)
def evaluate(
    model: ModelName,
    dataset: DatasetName = None,
    split: Annotated[str, typer.Option(help="test, validation or train.")] = "test",
    limit: Annotated[int | None, typer.Option(help="Use so many images, drawn at random with a fixed seed.")] = None,
    averaging: Annotated[
        bool, typer.Option("--averaging", help="Also average over shifted, and where it fits mirrored, copies; slower.")
    ] = False,
    as_json: AsJson = False,
) -> Answer:
    """Test a model on a dataset."""
    run = resolve(model)
    from vision_app.evaluate_run import evaluate_run

    with progress_bar("Evaluating") as progress:
        report = evaluate_run(run, dataset, split, limit, progress, averaging)
    return Answer(report.to_json()) if as_json else Answer(_report_text(report))


@app.command(cls=Command)
def predict(
    model: ModelName,
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Pictures.")],
    as_json: AsJson = False,
    as_csv: AsCsv = False,
) -> Answer:
    """Classify pictures. Exits 0 if any of them could be answered, else 2."""
    check_one_format(as_json, as_csv)
    run = resolve(model)
    from vision_app.predict import load_classifier

    classifier = load_classifier(run)
    results = [_predict_file(classifier, file) for file in files]
    for result in results:
        if "error" in result and not as_json:
            say(f"{result['file']}: {result['error']}")
    exit_code = 0 if any("label" in result for result in results) else BAD_INPUT
    if as_json:
        return document(results, exit_code)
    return Answer(_predictions_text(results, classifier.classes, as_csv), exit_code)


@app.command(cls=Command)
def explain(
    model: ModelName,
    file: Annotated[str, typer.Argument(metavar="FILE", help="A picture.")],
    out: Annotated[Path, typer.Option(metavar="PNG", help="Where the picture with the heat map over it goes.")],
    class_name: Annotated[
        str | None, typer.Option("--class", metavar="CLASS", help="By default the predicted one.")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="By default the model's own choice.")] = None,
    method: Annotated[str, typer.Option(help="How to explain.")] = "gradcam",
    array: Annotated[Path | None, typer.Option(metavar="NPY", help="Where the heat map itself goes.")] = None,
    as_json: AsJson = False,
) -> Answer:
    """Show where a model looked."""
    run = resolve(model)
    check_folders(out, array)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow talks at length about a GPU that is not there
    from vision_app.data.reading import read_picture
    from vision_app.explain.catalog import explain as explain_image
    from vision_app.predict import load_classifier

    classifier = load_classifier(run)
    class_index = None if class_name is None else find_class(classifier.classes, class_name)
    image = classifier.receive(read_picture(file))
    result = explain_image(run, image, class_index=class_index, layer=layer, method=method)
    _write_explanation(image, result.heatmap, out, array)
    if result.is_empty:
        say(f"Nothing in layer {result.layer} speaks for '{result.label}'; the heat map is zero everywhere.")
    found = {field: getattr(result, field) for field in ("label", "class_index", "layer", "method")}
    found = {"file": file, "model": run.name, **found, "out": str(out), "array": str(array) if array else None}
    return document(found) if as_json else Answer(facts(found))


@app.command(cls=Command)
def compare(
    names: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Checkpoints and runs.")],
    dataset: Annotated[
        str | None, typer.Option(help=f"Test all of them on this one; by default their stored results. {REFERENCES}")
    ] = None,
    as_json: AsJson = False,
    as_csv: AsCsv = False,
    as_markdown: Annotated[bool, typer.Option("--md", help="Print a Markdown table.")] = False,
) -> Answer:
    """Put models side by side; only those tested on the same images are ranked against each other."""
    check_one_format(as_json, as_csv, as_markdown)
    chosen = [resolve(name) for name in dict.fromkeys(names)]
    from vision_app.evaluate_run import evaluate_run, run_latency
    from vision_app.evaluation.compare import compare as rank
    from vision_app.evaluation.compare import comparison_rows

    with progress_bar("Testing") as progress:
        tested = (lambda run: evaluate_run(run, dataset, progress=progress)) if dataset else None
        comparison = rank(comparison_rows(chosen, run_latency, tested))
    if as_json:
        return Answer(comparison.to_json())
    if as_csv:
        return Answer(comparison.to_csv())
    return Answer(comparison.to_markdown() if as_markdown else readable.table(*comparison.to_cells()))


@app.command(cls=Command)
def serve(
    host: Annotated[str | None, typer.Option(help="0.0.0.0 lets other machines in; by default only this one.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="By default 7860; 0 takes any free one.")] = None,
) -> Answer:
    """Serve the app with its REST routes."""
    from vision_app.ui.server import serve as serve_app

    serve_app(host, port)
    return Answer("")


def find_class(classes: tuple[str, ...], wanted: str) -> int:
    """Return the position of a class, given its name or its position.

    Raises:
        InputError: the model has no such class.
    """
    if wanted in classes:
        return classes.index(wanted)
    if wanted.isdecimal() and int(wanted) < len(classes):
        return int(wanted)
    raise InputError(f"Unknown class '{wanted}'. Known: {', '.join(classes)}.")


def _listing(found: list[Run], key: str, as_json: bool) -> Answer:
    from vision_app.evaluation.compare import list_facts

    rows = list_facts(found, lambda run, error: say(f"Skipped {run.name}: {error}"))
    if as_json:
        return document(rows)
    cells = [
        [row[key], row["dataset"], row["model"], row["state"], readable.percent(row["test_accuracy"]), _mark(row)]
        for row in rows
    ]
    return Answer(readable.table([key.title(), "Dataset", "Model", "State", "Test accuracy", "Note"], cells))


def _mark(row: dict[str, Any]) -> str:
    """Return a run's star and the beginning of its note."""
    return textwrap.shorten(f"{'★ ' * row['star']}{row['note']}", NOTE_LENGTH, placeholder=" …")


def _report_text(report: "EvaluationReport") -> str:
    summary = {
        "model": report.model,
        "dataset": f"{report.dataset}, {report.split}, {report.count:,} images",
        "accuracy": readable.percent(report.accuracy),
        "macro_F1": readable.percent(report.macro_f1),
        "loss": readable.number(report.loss),
    }
    if report.averaged:
        summary[f"averaged over {report.averaged.views} views"] = readable.percent(report.averaged.accuracy)
    cells = [
        [
            entry.name,
            readable.percent(entry.precision),
            readable.percent(entry.recall),
            readable.percent(entry.f1),
            entry.support,
        ]
        for entry in report.per_class
    ]
    return facts(summary) + "\n\n" + readable.table(["Class", "Precision", "Recall", "F1", "Images"], cells)


def _predict_file(classifier: "Classifier", file: str) -> dict[str, Any]:
    from vision_app.data.reading import read_picture

    try:
        prediction = classifier.predict(read_picture(file))
    except (InputError, OSError) as error:
        return {"file": file, "error": " ".join(str(error).split())}
    return {"file": file, "label": prediction.label, "scores": prediction.scores}


def _predictions_text(results: list[dict[str, Any]], classes: Iterable[str], as_csv: bool) -> str:
    if as_csv:
        rows = [[row["file"], row.get("label"), row.get("error"), *_scores(row, classes)] for row in results]
        return readable.csv_table(["file", "label", "error", *classes], rows)
    answered = [row for row in results if "label" in row]
    cells = [[row["file"], row["label"], readable.percent(row["scores"][row["label"]])] for row in answered]
    return readable.table(["File", "Label", "Probability"], cells)


def _scores(row: dict[str, Any], classes: Iterable[str]) -> list[float | None]:
    return [row.get("scores", {}).get(name) for name in classes]


def _write_explanation(image: "np.ndarray", heatmap: "np.ndarray", out: Path, array: Path | None) -> None:
    """Write the heat map over the image that the network received, enlarged so that a person can see it."""
    import numpy as np
    from PIL import Image

    from vision_app.figures import overlay

    factor = -(-OVERLAY_PIXELS // len(image))
    large = image.repeat(factor, axis=0).repeat(factor, axis=1)
    try:
        Image.fromarray(overlay(large, heatmap)).save(out)
        if array:
            with array.open("wb") as file:
                np.save(file, heatmap)
    except ValueError as error:
        raise InputError(f"Expected --out to name a picture file, got '{out}'; end its name in .png.") from error
    except OSError as error:
        raise InputError(f"Cannot write '{error.filename or out}' ({error.strerror}); choose another place.") from error
