"""What all commands of the command line share: one answer on standard output, everything else on standard error."""

import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from vision_app.config import parse_value
from vision_app.errors import InputError

BAD_INPUT, FAULT = 2, 1
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


@dataclass(frozen=True)
class Answer:
    """What a command prints on standard output, and its exit code."""

    text: str
    exit_code: int = 0


class Command(TyperCommand):
    """A command that returns an Answer; its errors are one line, and nobody else reaches its standard output."""

    def invoke(self, ctx: typer.Context) -> None:
        """Run the command, print its answer and exit with its code."""
        try:
            with redirect_stdout(sys.stderr):
                answer = super().invoke(ctx)
        except (typer.Exit, typer.Abort, typer.TyperException):
            raise
        except Exception as error:
            raise typer.Exit(_complain(error)) from error
        if answer.text:
            typer.echo(answer.text.rstrip("\n"))
        raise typer.Exit(answer.exit_code)


def say(text: str) -> None:
    """Print a line on standard error."""
    print(text, file=sys.stderr, flush=True)


def document(content: Any, exit_code: int = 0) -> Answer:
    """Return an answer that is one strict JSON document."""
    return Answer(json.dumps(content, indent=2, allow_nan=False), exit_code)


def facts(values: dict[str, Any]) -> str:
    """Return one aligned line for each value that is known."""
    width = max(map(len, values))
    return "\n".join(f"{key.replace('_', ' '):{width}}  {value}" for key, value in values.items() if value is not None)


def check_one_format(*chosen: bool) -> None:
    """Refuse more than one of --json, --csv and --md.

    Raises:
        InputError: several were asked for.
    """
    if sum(chosen) > 1:
        raise InputError("Expected one output format, got several; choose one of --json, --csv and --md.")


def check_folders(*files: Path | None) -> None:
    """Refuse a file to write whose folder is not there, before any long work is done for it.

    Raises:
        InputError: names the folder.
    """
    for file in files:
        if file and not file.absolute().parent.is_dir():
            raise InputError(f"Expected a file in a folder that exists, got '{file}'; make the folder first.")
        if file and file.is_dir():
            raise InputError(f"Expected the name of a file to write, got the folder '{file}'; add a name.")


def parse_changes(changes: Iterable[str]) -> dict[str, Any]:
    """Read `FIELD=VALUE` texts: numbers, true, false and none become what they mean, the rest stays text.

    Raises:
        InputError: one of them has no `=`.
    """
    fields = {}
    for change in changes:
        field, equals, value = change.partition("=")
        if not equals or not field.strip():
            raise InputError(f"Expected --set FIELD=VALUE, got '{change}'; write for example --set learning_rate=0.01.")
        fields[field.strip()] = parse_value(value)
    return fields


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[float, str], None]]:
    """Show a bar on standard error where that is a terminal; yields progress(share done, sentence)."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    console = Console(stderr=True)
    note = TextColumn("{task.fields[note]}", markup=False)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), note)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(label, total=1.0, note="")
        yield lambda share, sentence="": bar.update(task, completed=share, note=sentence)


def _complain(error: Exception) -> int:
    """Print one line about an error and return the exit code."""
    if os.environ.get("VISION_APP_DEBUG"):
        traceback.print_exception(error, file=sys.stderr)
    what = " ".join(str(error).split()) or "no reason given"
    if isinstance(error, InputError):
        say(f"Error: {what}")
        return BAD_INPUT
    say(f"Error: {type(error).__name__}: {what} (VISION_APP_DEBUG=1 shows where)")
    return FAULT
