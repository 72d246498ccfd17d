"""The commands about datasets: what there is, how it is divided, and what is wrong with it."""

from pathlib import Path
from typing import Annotated

import typer

from vision_app import readable
from vision_app.console import Answer, AsJson, document, facts, progress_bar

DatasetArgument = Annotated[
    str, typer.Argument(metavar="DATASET", help="A name of the list, or the path of a folder, zip, CSV or .npz.")
]


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
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="The path of a folder, zip, CSV or .npz.")],
    train: Annotated[float, typer.Option(help="Share for training.")] = 0.7,
    validation: Annotated[float, typer.Option(help="Share for validation.")] = 0.15,
    test: Annotated[float, typer.Option(help="Share for testing.")] = 0.15,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same division.")] = 0,
    smallest: Annotated[int, typer.Option("--min", min=1, help="Fewest images that a class must have.")] = 3,
    largest: Annotated[int | None, typer.Option("--max", min=1, help="Most images taken of a class.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a division that is there already.")] = False,
    as_json: AsJson = False,
) -> Answer:
    """Divide a dataset into train, validation and test, stratified by class."""
    from vision_app.data.own import divide_own
    from vision_app.data.splits import SplitRule

    rule = SplitRule(train, validation, test, seed, smallest, largest)
    with progress_bar("Dividing") as progress:
        counts, file = divide_own(dataset, rule, force, progress)
    found = {"dataset": str(Path(dataset).expanduser().absolute()), "splits": counts, "seed": seed, "file": str(file)}
    return document(found) if as_json else Answer(facts({**found, "splits": _listed(counts)}))


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


DATA_COMMANDS = (datasets, split)
