"""The command that trains several networks, one after the other, and says which is best on the validation images."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vision_app import readable
from vision_app.cli_data import REFERENCES
from vision_app.config import RunConfig
from vision_app.console import FAULT, Answer, AsJson, document, facts, parse_changes, say
from vision_app.errors import InputError
from vision_app.follow import Interruptions, follow, stored_accuracy
from vision_app.runs import Run, resolve

if TYPE_CHECKING:
    from vision_app.training.search import Planned, Tried


def search(
    dataset: Annotated[str | None, typer.Option(help=f"The images to learn from. {REFERENCES}")] = None,
    model: Annotated[str | None, typer.Option(metavar="MODEL,...", help="The networks to train.")] = None,
    grid: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=V1,V2,...", help="Values to try for a field; may be repeated."),
    ] = None,
    num_random: Annotated[
        int | None, typer.Option("--random", metavar="N", help="Try N combinations picked at random instead of all.")
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="How often each training image is seen.")] = None,
    seed: Annotated[int | None, typer.Option(help="Of every run, and of what is picked.")] = None,
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Set any other field in all runs; with --random also loguniform(A,B), uniform(A,B) or integers(A,B).",
        ),
    ] = None,
    like: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Start from the settings of a checkpoint or run.")
    ] = None,
    of: Annotated[
        str | None, typer.Option("--of", metavar="RUN", help="Only show the search that this run is part of.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="With --of: have its runs that ended early go on.")] = False,
    as_json: AsJson = False,
) -> Answer:
    """Train several networks and return the best on the validation images; Ctrl-C stops all of them."""
    from vision_app.training.search import find_search, rank, resume_all, start_search

    if of:
        runs = find_search(resolve(of))
        if not runs:
            raise InputError(f"{of} is part of no search; name a run that `search` has started.")
        if resume:
            with Interruptions() as interruptions:
                _follow_all(resume_all(runs), interruptions)
        return _answer(rank(runs), as_json)
    base = resolve(like).config() if like else None
    options = {"dataset": dataset, "model": model, "epochs": epochs, "seed": seed}
    planned = _plan(base, grid or [], num_random, changes or [], options)
    with Interruptions() as interruptions:
        runs = start_search(planned)
        _follow_all(runs, interruptions)
    return _answer(rank(runs), as_json)


def _follow_all(runs: list[Run], interruptions: Interruptions) -> None:
    """Show the progress of one run after the other until all have ended; the first interruption stops all of them."""
    from vision_app.training.search import rank, stop_all

    say(f"{len(runs)} runs, one after the other. Ctrl-C stops all of them and keeps the best of each.")
    for number, run in enumerate(runs, 1):
        if not interruptions.count:
            say(f"Run {number} of {len(runs)}, {run.name}: {_words(rank([run])[0].fields)}")
        follow(run, interruptions, lambda _: stop_all(runs))


def _plan(
    base: RunConfig | None, grid: list[str], num_random: int | None, changes: list[str], options: dict[str, Any]
) -> "list[Planned]":
    """Return the runs that the options describe."""
    from vision_app.training.choices import is_drawn, read_choices
    from vision_app.training.search import plan_search

    fixed = parse_changes(changes) | {field: value for field, value in options.items() if value is not None}
    start = base or RunConfig()
    dataset, models = fixed.pop("dataset", start.dataset), str(fixed.pop("model", start.model))
    drawn = {field: value for field, value in fixed.items() if isinstance(value, str) and is_drawn(value)}
    texts = ({"model": models} if "," in models else {}) | parse_texts(grid) | drawn
    choices = {field: read_choices(field, text) for field, text in texts.items()}
    fixed = {field: value for field, value in fixed.items() if field not in choices}
    return plan_search(dataset, models, choices, fixed, num_random, fixed.get("seed", 0), base)


def parse_texts(grid: list[str]) -> dict[str, str]:
    """Read `FIELD=V1,V2` texts, the values as they stand.

    Raises:
        InputError: one of them has no `=`, or a field is there twice.
    """
    texts: dict[str, str] = {}
    for item in grid:
        field, equals, values = (part.strip() for part in item.partition("="))
        if not equals or not field or not values:
            raise InputError(f"Expected --grid FIELD=V1,V2, got '{item}'; write for example --grid dropout=0.1,0.3.")
        if field in texts:
            raise InputError(f"The field '{field}' is in --grid twice; put all its values into one.")
        texts[field] = values
    return texts


def _answer(tried: "list[Tried]", as_json: bool) -> Answer:
    """Return the table of a search, the best run first, and what that one reaches on the test images."""
    best = tried[0] if tried[0].validation_accuracy is not None else None
    tested = stored_accuracy(resolve(best.run)) if best else None
    exit_code = 0 if best else FAULT
    if as_json:
        return document(
            {"best": best and best.run, "test_accuracy": tested, "runs": [asdict(run) for run in tried]}, exit_code
        )
    header = ["Validation accuracy", "Tried", "Best epoch", "Time", "State", "Run"]
    cells = [
        [
            readable.percent(run.validation_accuracy),
            _words(run.fields),
            readable.MISSING if run.best_epoch is None else run.best_epoch,
            readable.duration(run.seconds),
            run.state,
            run.run,
        ]
        for run in tried
    ]
    said = {"best": best and best.run, "test_accuracy": readable.percent(tested)}
    return Answer(f"{readable.table(header, cells)}\n\n{facts(said)}", exit_code)


def _words(fields: Any) -> str:
    return ", ".join(f"{field}={value}" for field, value in fields.items())
