"""The commands about datasets: what there is, how it is divided, and what is wrong with it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vision_app import readable
from vision_app.console import Answer, AsJson, document, facts, progress_bar

if TYPE_CHECKING:
    from vision_app.health.findings import Finding

PLACES = "path of a folder, zip, CSV or .npz, or hub:owner/name[@revision]."
REFERENCES = f"A name of the list, the {PLACES}"
DatasetArgument = Annotated[str, typer.Argument(metavar="DATASET", help=REFERENCES)]


def datasets(as_json: AsJson = False) -> Answer:
    """List the datasets."""
    from vision_app.data.datasets import list_datasets
    from vision_app.data.fetching import is_available

    rows = [
        {
            "name": row.name,
            "title": row.title,
            "classes": list(row.classes),
            "available": is_available(row),
            "splits": row.counts,
            "image_shape": row.image_shape,
            "licence": row.licence,
        }
        for row in list_datasets()
    ]
    if as_json:
        return document(rows)
    header = ["Name", "Title", "Classes", "Train", "Validation", "Test", "Available"]
    cells = [
        [
            row["name"],
            row["title"],
            len(row["classes"]),
            *(row["splits"].get(split, "") for split in ("train", "validation", "test")),
            "yes" if row["available"] else "no",
        ]
        for row in rows
    ]
    return Answer(readable.table(header, cells))


def split(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help=f"The {PLACES}")],
    train: Annotated[float, typer.Option(help="Share for training.")] = 0.7,
    validation: Annotated[float, typer.Option(help="Share for validation.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share for testing.")] = 0.15,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same division.")] = 0,
    smallest: Annotated[int, typer.Option("--min", min=1, help="Fewest images that a class must have.")] = 3,
    largest: Annotated[int | None, typer.Option("--max", min=1, help="Most images taken of a class.")] = None,
    together: Annotated[
        bool, typer.Option("--keep-together", help="Keep exact and near copies of an image on one side.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a division that is there already.")] = False,
    as_json: AsJson = False,
) -> Answer:
    """Divide a dataset into train, validation and test, stratified by class."""
    from vision_app.data.own import divide_own, open_own
    from vision_app.data.splits import SplitRule
    from vision_app.health.together import group_copies

    rule = SplitRule(train, validation, test, seed, smallest, largest)
    with progress_bar("Dividing") as progress:
        counts, file = divide_own(dataset, rule, force, progress, group_copies if together else None)
    found = {"dataset": open_own(dataset).name, "splits": counts, "seed": seed, "file": str(file)}
    return document(found) if as_json else Answer(facts({**found, "splits": _listed(counts)}))


def health(
    dataset: DatasetArgument,
    skip: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="Do not look for this; may be repeated.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Whose answers to the test split show wrong labels there.")
    ] = None,
    as_json: AsJson = False,
) -> Answer:
    """Say what is wrong with a dataset."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from vision_app.health.catalog import CHECKS
    from vision_app.health.report import check_health

    with progress_bar("Looking") as progress:
        report, _ = check_health(dataset, skip or (), model, progress)
    if as_json:
        return Answer(report.to_json())
    cells = [[CHECKS[found.kind].title, found.count, _examples(found)] for found in report.findings]
    return Answer(
        f"{report.dataset}, {report.seconds:.0f} s\n\n" + readable.table(["Finding", "Count", "First"], cells)
    )


def write(
    dataset: DatasetArgument,
    out: Annotated[Path, typer.Argument(metavar="OUT", help="A new folder, or a file that ends in .zip.")],
    augmentation: Annotated[
        str, typer.Option(help="Changes for copies of the training images, such as flip,rotation=10.")
    ] = "none",
    copies: Annotated[
        int, typer.Option(min=0, help="How many times as many training images, the originals included.")
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same changes.")] = 0,
    as_json: AsJson = False,
) -> Answer:
    """Write a dataset, with its corrections, as class folders or a zip; going on where it was interrupted."""
    from vision_app.config import RunConfig
    from vision_app.data.writing import write_dataset

    strengths = RunConfig.parse({"augmentation": augmentation}).augmentation
    with progress_bar("Writing") as progress:
        written = write_dataset(dataset, out, progress, augmentation=strengths, copies=copies, seed=seed)
    found = {
        "dataset": dataset,
        "path": str(written.path),
        "splits": written.splits,
        "written": written.num_written,
        "already_there": written.num_kept,
        "broken": written.num_broken,
        "excluded": written.num_excluded,
        "renamed_classes": written.folders,
    }
    if as_json:
        return document(found)
    renamed = ", ".join(f"{name} to {folder}" for name, folder in written.folders.items())
    return Answer(facts({**found, "splits": _listed(written.splits), "renamed_classes": renamed or None}))


def _examples(finding: "Finding") -> str:
    if finding.detail or not finding.items:
        return finding.detail[:100]
    return ", ".join(item.file or f"{item.split} {item.index}" for item in finding.items[:3])


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


DATA_COMMANDS = (datasets, health, split, write)
