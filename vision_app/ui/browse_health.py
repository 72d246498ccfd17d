"""The health of the dataset that is shown: check it, look at what was found, correct it, undo that."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from vision_app.data.datasets import find_dataset
from vision_app.data.fetching import is_available
from vision_app.data.patch import (
    has_corrections,
    known_patch,
    parse_patch,
    patch_file,
    patch_text,
    read_patch,
    write_patch,
)
from vision_app.edits import Edit
from vision_app.errors import InputError
from vision_app.health import jobs
from vision_app.ui import health_view as view
from vision_app.ui.browse_choice import Choice, Place, item_at, items_of
from vision_app.ui.compare_layout import save_script
from vision_app.ui.messages import alert

TICK_SECONDS = 1.0
SAVE = save_script("application/json", "corrections.patch.json")
_CLICK = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (button) trigger("click", { act: button.dataset.act, kind: button.dataset.kind });
});
"""


@dataclass(frozen=True)
class HealthParts:
    """The widgets below the gallery, and those beside the enlarged picture."""

    start: gr.Button
    stop: gr.Button
    progress: gr.HTML
    report: gr.HTML
    patch: gr.HTML
    undo_all: gr.Button
    download: gr.Button
    upload: gr.UploadButton
    timer: gr.Timer

    @property
    def filled(self) -> list[Any]:
        """What changes with the dataset, and when a look ends."""
        return [self.start, self.stop, self.progress, self.report, self.timer, *self.corrected]

    @property
    def corrected(self) -> list[Any]:
        """What changes with the corrections."""
        return [self.patch, self.undo_all, self.download]


@dataclass(frozen=True)
class FixParts:
    """The buttons beside the enlarged picture."""

    row: gr.Row
    exclude: gr.Button
    accept: gr.Button
    label: gr.Dropdown
    move: gr.Dropdown
    undo: gr.Button

    @property
    def all(self) -> list[Any]:
        """Everything that changes with the picture."""
        return [self.row, self.exclude, self.accept, self.label, self.move, self.undo]


def build_health() -> HealthParts:
    """Lay out the section."""
    with gr.Row(elem_id="browse-health-head"):
        gr.HTML('<h3 class="vw-section">Health</h3>')
        start = gr.Button("Check this dataset", variant="primary", scale=0, min_width=190, elem_id="browse-check")
        stop = gr.Button("Stop", scale=0, min_width=90, visible=False, elem_id="browse-check-stop")
    progress = gr.HTML(elem_id="browse-check-progress")
    report = gr.HTML(view.NO_REPORT, js_on_load=_CLICK, apply_default_css=False, elem_id="browse-health", min_height=90)
    with gr.Row(elem_id="browse-corrections"):
        patch = gr.HTML(elem_id="browse-patch", min_height=40)
        undo_all = gr.Button("Undo all", size="md", scale=0, min_width=110, elem_id="browse-undo-all")
        download = gr.Button("Download corrections", size="md", scale=0, min_width=190, interactive=False)
        upload = gr.UploadButton("Apply a file", file_types=[".json"], size="md", scale=0, min_width=130)
    return HealthParts(
        start, stop, progress, report, patch, undo_all, download, upload, gr.Timer(TICK_SECONDS, active=False)
    )


def build_fixes() -> FixParts:
    """Lay out the buttons beside the enlarged picture; they show once a picture is chosen."""
    with gr.Row(visible=False, elem_id="browse-fixes") as row:
        accept = gr.Button("Accept", size="md", min_width=120, visible=False, elem_id="browse-accept")
        exclude = gr.Button("Leave out", size="md", min_width=110, elem_id="browse-exclude")
        undo = gr.Button("Undo", size="md", min_width=90, interactive=False, elem_id="browse-undo")
        label = gr.Dropdown([], label="Right class", min_width=150, elem_id="browse-relabel")
        move = gr.Dropdown([], label="Move to", min_width=120, elem_id="browse-move")
    return FixParts(row, exclude, accept, label, move, undo)


def filled(name: str) -> tuple[Any, ...]:
    """Return what the section says of a dataset now: values for `HealthParts.filled`."""
    going = jobs.progress_of(name)
    failed = jobs.error_of(name)
    said = view.progress_html(*going) if going else alert(failed)
    return (
        gr.Button(interactive=going is None and is_available(find_dataset(name))),
        gr.Button(visible=going is not None),
        said,
        view.report_html(jobs.read_report(name)),
        gr.Timer(active=going is not None),
        *corrected(name),
    )


def corrected(name: str) -> tuple[Any, ...]:
    """Return what the section says of a dataset's corrections: values for `HealthParts.corrected`."""
    dataset = find_dataset(name)
    can_be_used, can_be_undone = bool(known_patch(dataset)), has_corrections(patch_file(dataset))
    return view.patch_html(dataset), gr.Button(interactive=can_be_undone), gr.Button(interactive=can_be_used)


def patch_to_save(name: str) -> str:
    """Return the text of a dataset's corrections, for the browser to save."""
    dataset = find_dataset(name)
    return patch_text(dataset, read_patch(dataset))


def fixes(choice: Choice, place: Place | None) -> tuple[Any, ...]:
    """Return what can be done about one picture: values for `FixParts.all`."""
    if place is None:
        return gr.Row(visible=False), *[gr.skip()] * 5
    dataset = find_dataset(choice.dataset)
    own = [edit for edit in known_patch(dataset) if (edit.split, edit.index) == place]
    item = item_at(choice, place)
    suggested = item.suggested_label if item else None
    return (
        gr.Row(visible=True),
        gr.Button(interactive=not any(edit.action == "exclude" for edit in own)),
        gr.Button(f"Accept {suggested}", visible=suggested is not None),
        gr.Dropdown(choices=list(dataset.classes), value=None),
        gr.Dropdown(choices=[(name.capitalize(), name) for name in dataset.counts if name != place.split], value=None),
        gr.Button(interactive=bool(own)),
    )


def correct(choice: Choice, place: Place, action: str, value: str | None = None) -> None:
    """Correct one picture.

    Args:
        action: "exclude", "relabel", "move", "accept" the suggested label, or "undo".
        value: the right class for "relabel", the other split for "move".

    Raises:
        InputError: there is nothing to accept, or the corrections cannot be written.
    """
    dataset = find_dataset(choice.dataset)
    kept = read_patch(dataset)
    why = choice.finding
    if action == "undo":
        write_patch(dataset, [edit for edit in kept if (edit.split, edit.index) != place])
        return
    if action == "accept":
        item = item_at(choice, place)
        if item is None or item.suggested_label is None:
            raise InputError("There is no suggested class for this picture; choose the right one.")
        action, value = "relabel", item.suggested_label
    given = {"relabel": {"label": value}, "move": {"to": value}}.get(action, {})
    edit = Edit(action=action, split=place.split, index=place.index, why=why, **given)
    write_patch(dataset, [*kept, edit])


def correct_all(choice: Choice) -> int:
    """Make the corrections that the chosen finding suggests, and return how many there are now."""
    dataset, report = find_dataset(choice.dataset), jobs.read_report(choice.dataset)
    finding = report.find(choice.finding) if report else None
    if finding is None:
        raise InputError("There is no such finding any more; check the dataset again.")
    edits = view.suggested_edits(finding, items_of(choice), read_patch(dataset))
    write_patch(dataset, edits)
    return len(edits)


def apply_file(name: str, path: str) -> None:
    """Take the corrections of a patch file beside those there are.

    Raises:
        InputError: the file is none, or does not fit the dataset.
    """
    dataset = find_dataset(name)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("Expected a file of corrections, as Download gives it; cannot read this one.") from error
    write_patch(dataset, [*read_patch(dataset), *parse_patch(text, dataset, Path(path).name)])
