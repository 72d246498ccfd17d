"""The commands that look after runs: star, note, delete, restore."""

from typing import Annotated, Any

import typer

from vision_app import keeping
from vision_app.console import Answer, AsJson, document, facts
from vision_app.keeping import Mark
from vision_app.runs import Run, resolve

RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run id, or `latest`.")]


def star(
    run: RunName,
    off: Annotated[bool, typer.Option("--off", help="Take the star away.")] = False,
    as_json: AsJson = False,
) -> Answer:
    """Give a run a star: starred runs stand first in the page."""
    found = resolve(run)
    return _marked(found, keeping.set_star(found, not off), as_json)


def note(
    run: RunName,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to remember about it; '' removes the note.")],
    as_json: AsJson = False,
) -> Answer:
    """Write a note beside a run."""
    found = resolve(run)
    return _marked(found, keeping.set_note(found, text), as_json)


def delete(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Run ids, or `latest`.")], as_json: AsJson = False
) -> Answer:
    """Delete runs; `restore` brings them back for a week."""
    found = [resolve(name) for name in runs]
    keeping.delete(found)
    names = list(dict.fromkeys(run.name for run in found))
    if as_json:
        return document([{"run": name} for name in names])
    return Answer(f"Deleted for good in a week, until then back with: restore {' '.join(names)}")


def restore(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Ids of deleted runs.")], as_json: AsJson = False
) -> Answer:
    """Bring deleted runs back."""
    found = [keeping.restore(name) for name in dict.fromkeys(runs)]
    if as_json:
        return document([{"run": run.name} for run in found])
    return Answer("\n".join(f"{run.name} is back." for run in found))


def _marked(run: Run, mark: Mark, as_json: bool) -> Answer:
    found: dict[str, Any] = {"run": run.name, **mark.model_dump()}
    if as_json:
        return document(found)
    return Answer(facts({"run": run.name, "star": "yes" if mark.star else "no", "note": mark.note or None}))


RUN_COMMANDS = (star, note, delete, restore)
