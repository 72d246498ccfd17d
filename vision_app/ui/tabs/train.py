"""The Train tab: a form that starts a training process, and a view of what such processes have written."""

import logging
from typing import Any

import gradio as gr

from vision_app import keeping
from vision_app.data.registry import find_added_from
from vision_app.errors import InputError
from vision_app.evaluation.compare import list_facts
from vision_app.runs import list_runs
from vision_app.training import jobs
from vision_app.training.recipe import make_config
from vision_app.ui import forms, train_keep, train_overlay, train_runs, train_search, train_view, train_watch
from vision_app.ui.layout import QUIET, SEEN, UNQUEUED, Page, address, remember
from vision_app.ui.messages import alert, say_errors
from vision_app.ui.train_form import build_form, filled
from vision_app.ui.train_runs import Start
from vision_app.ui.train_search_form import searcher
from vision_app.ui.train_settings import settings_html
from vision_app.ui.train_table import runs_html

log = logging.getLogger(__name__)
TICK_SECONDS = 0.5
MAX_SMOOTHING = 0.99
NOTE_HINT = "What to remember about this run; kept as soon as you leave the field"
_CLICK = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) trigger("click", { run: button.dataset.run, act: button.dataset.act });
});
"""


def build(page: Page) -> None:
    """Fill the tab."""
    # A component and not a State, so that the address can follow it in the browser.
    chosen, seen = gr.Textbox("", visible="hidden", elem_id="train-run"), gr.State(())
    beside = gr.Textbox("", visible="hidden", elem_id="train-beside")  # runs that are drawn in the same plots: "a,b"
    stopping = gr.State(())  # runs that this page has asked to end, as they were started then
    clickable = {"js_on_load": _CLICK, "apply_default_css": False}
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=300):
            form = build_form()
        with gr.Column(scale=7, min_width=300):
            notice = gr.HTML(elem_id="train-notice", elem_classes="vw-live-notice")
            live = gr.HTML(train_view.live_html(None, False), elem_id="train-live", min_height=540)
            with gr.Row(elem_id="train-look"):
                log_axis = gr.Checkbox(False, label="Logarithmic loss axis", container=False, elem_id="train-log-axis")
                smoothing = gr.Slider(
                    0,
                    MAX_SMOOTHING,
                    0,
                    step=0.01,
                    label="Smoothing",
                    info="Evens out noise; pale: as measured.",
                    elem_id="train-smoothing",
                )
            searched = gr.HTML(elem_id="train-search", **clickable)
            timer = gr.Timer(TICK_SECONDS, active=False)
            train_watch.build(chosen, timer)
            # Apart from what changes with every look, so that it stays unfolded.
            settings = gr.HTML(elem_id="train-settings", elem_classes="vw-live-notice")
            note = gr.Textbox(label="Note", placeholder=NOTE_HINT, visible=False, max_lines=4, elem_id="train-note")
            copy = gr.Button("Copy its settings into the form", visible=False, size="md", elem_id="train-copy")
    head = gr.HTML(train_keep.head_html(), elem_id="train-runs-head", **clickable)
    table = gr.HTML(elem_id="train-runs", min_height=120, **clickable)
    deleted = gr.HTML(elem_id="train-deleted", elem_classes="vw-live-notice", **clickable)

    view = [chosen, beside, log_axis, smoothing, stopping, seen]
    fields, stop, again = form.fields, form.stop, form.again
    buttons = [stop, form.stop_later, again, copy]
    shown = [live, searched, settings, table, deleted, *buttons, seen]
    begun = form.start.click(_starter(fields), set(fields.values()), [chosen, notice], **QUIET)
    several = {"inputs": {*fields.values(), *form.several.inputs}, "outputs": [chosen, notice]}
    form.several.start.click(searcher(form.several, fields), **several, **SEEN).success(_tick, view, shown, **UNQUEUED)
    chosen.change(None, chosen, None, js=remember("run"))
    read = gr.State(("", ""))
    chosen.change(_show_note, chosen, [note, read], **UNQUEUED)
    gr.on([note.blur, note.submit], _save_note, [read, note], read, **UNQUEUED).then(_tick, view, shown, **UNQUEUED)
    begun.success(_tick, view, shown, **UNQUEUED)
    asked = stop.click(_note_stop, [chosen, stopping], [stopping, stop], **UNQUEUED)
    asked.then(_stop, chosen, None, **QUIET).then(_tick, view, shown, **UNQUEUED)
    form.stop_later.click(_stop_later, chosen, None, **UNQUEUED).then(_tick, view, shown, **UNQUEUED)
    resumed = again.click(_resume, chosen, [again, notice], **QUIET)
    resumed.then(_tick, view, shown, **UNQUEUED)
    copy.click(_copy, chosen, [fields["dataset"], fields["model"], *form.filled], **QUIET).then(**form.forget)
    for clicked in (head, table, deleted, searched):
        acted = clicked.click(_act, [chosen, beside], [chosen, beside, notice, head], **UNQUEUED)
        acted.then(_tick, view, shown, **UNQUEUED)
    gr.on([log_axis.change, smoothing.change], _tick, view, shown, trigger_mode="always_last", **UNQUEUED)
    beside.change(None, beside, None, js=remember("beside"))
    timer.tick(_tick, view, shown, **UNQUEUED)
    opened = page.tab.select(_open, [chosen, beside], [chosen, beside, notice, timer, fields["dataset"]], **UNQUEUED)
    opened.then(None, chosen, None, js=remember("run")).then(_tick, view, shown, **UNQUEUED)
    _build_endpoints()


@say_errors("Cannot copy these settings")
def _copy(name: str) -> list[Any]:
    """Fill the form with the settings of the chosen run."""
    run = train_runs.find_run(name)
    if run is None:
        raise InputError("Expected a run to copy from, got none; choose one in the table.")
    config = run.config()
    dataset, known = config.dataset, [name for _, name in forms.dataset_choices()]
    if dataset not in known and (added := find_added_from(dataset)):
        dataset = added.name  # the run was started with its path
    if dataset not in known:
        raise InputError(f"The dataset of this run, {dataset}, is not on the list; add it in the Browse tab.")
    return [dataset, config.model, *filled(dataset, config.model, forms.form_values(config))]


def _starter(fields: forms.Form) -> Any:
    """Return the handler of Start, which gets the form by component and passes it on by name."""

    @say_errors("Cannot start this run")
    def begin(values: dict[gr.components.Component, Any]) -> tuple[str, str]:
        named = {name: values[component] for name, component in fields.items()}
        config = forms.read_form(named.pop("dataset"), named.pop("model"), named)
        return jobs.start(config).name, ""

    return begin


def _note_stop(name: str, stopping: tuple[Start, ...]) -> tuple[tuple[Start, ...], gr.Button]:
    """Show at once that Stop was pressed: the signal waits for a worker that is just starting."""
    return (*stopping, train_runs.start_of(name)), gr.Button(interactive=False)


@say_errors("Cannot stop this run")
def _stop(name: str) -> None:
    """Ask the chosen run to end and keep its best model."""
    run = train_runs.find_run(name)
    if run is None:
        raise InputError("Expected a run to stop, got none; choose one in the table.")
    jobs.stop(run)


@say_errors("Cannot stop this run")
def _stop_later(name: str) -> None:
    """Ask the chosen run to end after the epoch that it is in."""
    jobs.stop_after_epoch(train_keep.known_run(name))


@say_errors("Cannot resume this run")
def _resume(name: str) -> tuple[gr.Button, str]:
    """Let the chosen run go on where it ended."""
    run = train_runs.find_run(name)
    if run is None:
        raise InputError("Expected a run to resume, got none; choose one in the table.")
    jobs.resume(run)
    return gr.Button(visible=False), ""


@say_errors("Cannot do this")
def _act(chosen: str, beside: str, event: gr.EventData) -> tuple[str, str, str, str]:
    """Do what was clicked on beside a run; return the chosen run, the ticked ones, no notice, and the table's heading."""
    clicked = event._data or {}
    act, name = str(clicked.get("act", "")), str(clicked.get("run", ""))
    if act == "star":
        train_keep.toggle_star(name)
    elif act == "delete":
        chosen, head = train_keep.delete(name, chosen)
        return chosen, beside, "", head
    elif act == "draw":
        beside = train_overlay.toggle_beside(beside, name)
    elif act == "show-search":
        beside = train_search.best_together(name)
    elif act == "stop-search":
        train_search.stop_search(name)
    elif act == "resume-search":
        train_search.resume_search(name)
    elif act == "restore":
        chosen = keeping.restore(name).name
    else:
        chosen = train_keep.known_run(name).name
    return chosen, beside, "", train_keep.head_html()


def _show_note(name: str) -> tuple[gr.Textbox, tuple[str, str]]:
    """Fill the field for the note when another run is chosen, and remember whose it is and what it said."""
    text = train_keep.note_of(name)
    return gr.Textbox(text, visible=bool(name)), (name, text)


@say_errors("Cannot keep this note")
def _save_note(read: tuple[str, str], text: str) -> tuple[str, str]:
    """Keep what was typed, for the run whose note was read; what nobody changed here is not written."""
    name, before = read
    if text != before:
        train_keep.save_note(name, text)
    return name, text


def _open(chosen: str, beside: str, request: gr.Request) -> tuple[str, str, str, gr.Timer, gr.Dropdown]:
    """Show the run of the address, or say that it is not there and show another; begin to look; list new datasets."""
    run, missing = train_runs.choose_run(chosen or address(request).get("run", ""))
    datasets = gr.Dropdown(choices=forms.dataset_choices())
    beside = ",".join(train_overlay.read_beside(beside or address(request).get("beside", "")))
    return (run.name if run else ""), beside, alert(missing), gr.Timer(active=True), datasets


def _tick(
    name: str, beside: str, log_axis: bool, smoothing: float, stopping: tuple[Start, ...], seen: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Read what has been written since the last look; nothing new leaves the page alone."""
    asked, smoothing = train_runs.start_of(name) in stopping, min(MAX_SMOOTHING, max(0.0, smoothing or 0.0))
    now = train_runs.traces(name, log_axis, asked, smoothing, beside)
    if now == seen:
        return (gr.skip(),) * 10
    run, together = train_runs.find_run(name), train_overlay.drawn_together(name, beside)
    try:
        live = train_view.live_html(run, log_axis, asked, smoothing, together)
    except InputError as error:  # a file of it is damaged, or of a newer version; the others are still to be seen
        live, run = alert(str(error)), None
    stop = gr.Button(interactive=train_runs.can_stop(run) and not asked)
    later = gr.Button(interactive=train_runs.can_stop_after_epoch(run) and not asked)
    again = gr.Button(visible=run is not None and jobs.can_resume(run))
    copy = gr.Button(visible=run is not None)
    settings = settings_html(run.config() if run else None)
    table = runs_html(name, train_overlay.read_beside(beside), [each.name for each in together])
    searched = train_search.search_html(run)
    return live, searched, settings, table, train_keep.deleted_html(), stop, later, again, copy, now


def _build_endpoints() -> None:
    """Add the public endpoints."""
    gr.api(train, api_name="train")
    gr.api(stop_run, api_name="stop")
    gr.api(runs, api_name="runs")


@say_errors("Cannot start this run")
def train(dataset: str, model: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """Start a training run and return at once.

    Args:
        dataset: name of a dataset, such as "digits".
        model: name of a network, such as "simple_cnn".
        settings: further fields of the config by name, such as {"epochs": 5}.

    Returns:
        {"run": its id, "state": "queued"}.
    """
    if not isinstance(settings, dict | None):
        raise InputError(
            f"Expected settings as fields with their values, got {settings!r}; send such as {{'epochs': 5}}."
        )
    return {"run": jobs.start(make_config(dataset, model, settings or {})).name, "state": "queued"}


@say_errors("Cannot stop this run")
def stop_run(run: str, after_epoch: bool = False) -> dict[str, Any]:
    """Ask a run to end and keep its best model.

    Args:
        run: the id of a run.
        after_epoch: let it finish the epoch that it is in.

    Returns:
        {"run": its id, "state": the state it is in now}.
    """
    found = train_runs.find_run(str(run))
    if found is None:
        raise InputError(f"Unknown run '{run}'. Expected the id of a run.")
    (jobs.stop_after_epoch if after_epoch else jobs.stop)(found)
    return {"run": run, "state": found.status().state}


@say_errors("Cannot list the runs")
def runs() -> list[dict[str, Any]]:
    """List the runs, newest first.

    Returns:
        One item a run: {"run", "dataset", "model", "state", "test_accuracy"}.
    """
    return list_facts(list_runs(), lambda run, error: log.warning("Left out: %r: %s", run.name, error))
