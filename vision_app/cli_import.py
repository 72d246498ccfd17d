"""The command that takes in a model from elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from vision_app.config import Fit
from vision_app.console import Answer, AsJson, document, facts, say
from vision_app.importing.scalings import SCALINGS

SCALING_HELP = (
    "The pixel values that the model learned from; look for it where its training read the pictures. "
    + "; ".join(f"{row.name}: {row.hint}" for row in SCALINGS.values())
    + ". Left out where the model's first layers scale the pixels."
)


def import_model(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A whole model saved by Keras, .keras or .h5.")],
    classes: Annotated[
        str,
        typer.Option(
            metavar="A,B,C",
            help="Class names in the order of the model's answers, or a text file with one a line. "
            "Left out, those of --dataset. Keras' own readers of folders sort them by name.",
        ),
    ] = "",
    name: Annotated[str, typer.Option(help="What to call it; by default as the file.")] = "",
    scaling: Annotated[str, typer.Option(help=SCALING_HELP)] = "",
    size: Annotated[
        int | None, typer.Option(help="Pixels a side, for a model that takes pictures of any size.")
    ] = None,
    fit: Annotated[Fit, typer.Option(help="How a picture that is not square becomes square.")] = "crop",
    dataset: Annotated[
        str, typer.Option(help="The dataset that it learned from, if the list has it: it is then tested on that.")
    ] = "",
    as_json: AsJson = False,
) -> Answer:
    """Take in a model that was trained elsewhere; it is then used like a trained run."""
    from vision_app.importing.importer import Source, import_model, read_classes

    say(f"Looking at {file.name}; this takes some seconds")
    run = import_model(Source(file, read_classes(classes) if classes else (), name, dataset, scaling, size, fit))
    config, status = run.config(), run.status()
    found = {
        "run": run.name,
        "classes": list(config.classes),
        "input_size": config.input_size,
        "channels": config.channels,
        "parameters": status.parameters,
    }
    return document(found) if as_json else Answer(facts(found | {"classes": ", ".join(config.classes)}))
