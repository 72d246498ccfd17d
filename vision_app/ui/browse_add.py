"""Adding a dataset of one's own: a file that is uploaded, or a path on the machine that serves the page."""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from vision_app import places
from vision_app.data import registry
from vision_app.data.datasets import DATASETS, find_dataset
from vision_app.data.download import Progress, data_root
from vision_app.data.own import open_own
from vision_app.errors import InputError

KINDS = (".zip", ".npz")
PLACES = "A folder, zip, CSV (path,label) or .npz on this machine; it stays where it is. "
HELP = (
    "A zip of folders named after their classes, with or without train, val and test above them, or a .npz with "
    "x_train, y_train, x_test, y_test."
)


@dataclass(frozen=True)
class AddParts:
    """The widgets."""

    fold: gr.Accordion
    file: gr.File
    path: gr.Textbox
    title: gr.Textbox
    button: gr.Button
    status: gr.HTML


def build_adding() -> AddParts:
    """Lay out the widgets, folded away. A path is only asked for where the page is served to this machine alone."""
    with gr.Accordion("Add a dataset of your own", open=False, elem_id="browse-add") as fold, gr.Row():
        file = gr.File(label="A zip or .npz", file_types=list(KINDS), height=150, elem_id="browse-add-file")
        with gr.Column():
            path = gr.Textbox(
                label="Or where it is",
                info=f"{PLACES if places.are_open() else ''}A dataset of the Hugging Face Hub: hub:owner/name.",
                max_lines=1,
                elem_id="browse-add-path",
            )
            title = gr.Textbox(label="Name", info="Empty: the file's own.", max_lines=1, elem_id="browse-add-title")
            button = gr.Button("Add", variant="primary", elem_id="browse-add-button")
        status = gr.HTML(f'<p class="vw-note">{HELP}</p>', elem_id="browse-add-status")
    return AddParts(fold, file, path, title, button, status)


def add_dataset(file: str | None, path: str, title: str, progress: Progress | None = None) -> str:
    """Add a dataset and return its name.

    Args:
        file: an uploaded file, which is kept; None: the path counts.
        path: where the set is; it stays there.
        title: what a person calls it; empty: the name of the file.
        progress: called while a large folder is listed.

    Raises:
        InputError: neither is given, or it is no dataset; then nothing is kept.
    """
    if file:
        return _add_file(Path(file), title, progress)
    if not path.strip():
        raise InputError("Expected a file or a path, got neither; choose a zip of class folders, for example.")
    if path.strip().startswith("hub:"):
        found = open_own(path.strip(), progress)
        return registry.add(found.name, title.strip() or found.title, set(DATASETS)).name
    places.check(path.strip(), "upload a file instead")
    place = Path(path.strip()).expanduser().absolute()
    open_own(str(place), progress)
    return registry.add(place, title.strip() or place.stem, set(DATASETS)).name


def remove_dataset(name: str) -> None:
    """Forget an added dataset; an uploaded file goes with it, anything else stays where it is.

    Raises:
        InputError: it was not added.
    """
    place = find_dataset(name).place
    registry.remove(name)
    if place is not None and place.parent == _uploads():
        place.unlink(missing_ok=True)


def _add_file(file: Path, title: str, progress: Progress | None) -> str:
    if file.suffix.lower() not in KINDS:
        raise InputError(f"Expected a {' or '.join(KINDS)}, got {file.name[:80]}; zip the folder first.")
    kept = _uploads() / f"{secrets.token_hex(6)}{file.suffix.lower()}"
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(file, kept)
        open_own(str(kept), progress)
    except BaseException:
        kept.unlink(missing_ok=True)
        raise
    return registry.add(kept, title.strip() or file.stem, set(DATASETS)).name


def _uploads() -> Path:
    return data_root() / "uploads"
