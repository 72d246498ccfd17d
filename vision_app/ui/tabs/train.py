"""The Train tab: a form that starts a training process, and a view of what such processes have written."""

import logging
from dataclasses import dataclass
from typing import Any

import gradio as gr

from vision_app import keeping
from vision_app.data.augment import AUGMENTATIONS
from vision_app.errors import InputError
from vision_app.evaluation.compare import list_facts
from vision_app.runs import list_runs
from vision_app.training import jobs
from vision_app.training.recipe import make_config
from vision_app.ui import forms, train_keep, train_overlay, train_runs, train_search, train_view, train_watch
from vision_app.ui.layout import QUIET, SEEN, Page, address, remember
from vision_app.ui.messages import alert, say_errors
from vision_app.ui.model_page import build_model_page
from vision_app.ui.preview import preview_html
from vision_app.ui.train_plan import drawn_schedule, estimate
from vision_app.ui.train_search_form import SearchParts, build_search, searcher
from vision_app.ui.train_settings import settings_html
from vision_app.ui.train_table import runs_html

log = logging.getLogger(__name__)
TICK_SECONDS = 0.5
MAX_SMOOTHING = 0.99
ESTIMATED = ("epochs", "fine_tune_epochs", "warmup_epochs", "mixed_precision")  # fields that an estimate may change
SCHEDULED = ("epochs", "learning_rate", "schedule", "warmup_epochs", "fine_tune_epochs", "fine_tune_learning_rate")
# Ticks only read a few small files: they need no queue, and must not wait in one.
READING = {**QUIET, "queue": False}
NOTE_HINT = "What to remember about this run; kept as soon as you leave the field"
_CLICK = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("[data-act]");
  if (button) trigger("click", { run: button.dataset.run, act: button.dataset.act });
});
"""


@dataclass(frozen=True)
class FormParts:
    """The form, what is said about the choice, and the buttons."""

    fields: forms.Form
    facts: gr.HTML
    start: gr.Button
    stop: gr.Button
    stop_later: gr.Button
    again: gr.Button
    several: SearchParts
    weights: gr.State  # that the form was filled for

    @property
    def filled(self) -> list[Any]:
        """What changes when the form is filled: for `_filled`."""
        names = (*forms.BASIC, *forms.ADVANCED, *forms.STRENGTHS)
        return [self.weights, self.facts, *(self.fields[name] for name in names)]


def build(page: Page) -> None:
    """Fill the tab."""
    # A component and not a State, so that the address can follow it in the browser.
    chosen, seen = gr.Textbox("", visible="hidden", elem_id="train-run"), gr.State(())
    beside = gr.Textbox("", visible="hidden", elem_id="train-beside")  # runs that are drawn in the same plots: "a,b"
    stopping = gr.State(())  # names of runs that this page has asked to end
    clickable = {"js_on_load": _CLICK, "apply_default_css": False}
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=300):
            form = _build_form()
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
    form.several.start.click(searcher(form.several, fields), **several, **SEEN).success(_tick, view, shown, **READING)
    chosen.change(None, chosen, None, js=remember("run"))
    read = gr.State(("", ""))
    chosen.change(_show_note, chosen, [note, read], **READING)
    gr.on([note.blur, note.submit], _save_note, [read, note], read, **READING).then(_tick, view, shown, **READING)
    begun.success(_tick, view, shown, **READING)
    asked = stop.click(_note_stop, [chosen, stopping], [stopping, stop], **READING)
    asked.then(_stop, chosen, None, **QUIET).then(_tick, view, shown, **READING)
    form.stop_later.click(_stop_later, chosen, None, **READING).then(_tick, view, shown, **READING)
    resumed = again.click(_resume, [chosen, stopping], [stopping, again, notice], **QUIET)
    resumed.then(_tick, view, shown, **READING)
    copy.click(_copy, chosen, [fields["dataset"], fields["model"], *form.filled], **QUIET)
    for clicked in (head, table, deleted, searched):
        acted = clicked.click(_act, [chosen, beside], [chosen, beside, notice, head], **READING)
        acted.then(_tick, view, shown, **READING)
    gr.on([log_axis.change, smoothing.change], _tick, view, shown, trigger_mode="always_last", **READING)
    beside.change(None, beside, None, js=remember("beside"))
    timer.tick(_tick, view, shown, **READING)
    opened = page.tab.select(_open, [chosen, beside], [chosen, beside, notice, timer, fields["dataset"]], **READING)
    opened.then(None, chosen, None, js=remember("run")).then(_tick, view, shown, **READING)
    _build_endpoints()


def _build_form() -> FormParts:
    """Build dataset, model, the buttons, the usual knobs, and the advanced ones folded away."""
    first = {"dataset": "digits", "model": "simple_cnn"}
    values = forms.default_form(**first)
    fields: forms.Form = {}
    with gr.Row():
        for name, choices in (("dataset", forms.dataset_choices()), ("model", forms.model_choices())):
            fields[name] = gr.Dropdown(
                choices, value=first[name], label=name.title(), elem_id=f"train-{name}", min_width=260
            )
    facts = gr.HTML(train_view.facts(**first, input_size=None), elem_id="train-facts", min_height=64)
    build_model_page(fields["model"])
    with gr.Row():
        start = gr.Button("Start", variant="primary", elem_id="train-start", min_width=120)
        stop = gr.Button("Stop", interactive=False, elem_id="train-stop", min_width=120)
        again = gr.Button("Resume", visible=False, elem_id="train-resume", min_width=120)
    stop_later = gr.Button("Stop after this epoch", interactive=False, size="md", elem_id="train-stop-later")
    budget, tune, estimating, plan = _build_estimate()
    with gr.Group():
        _build_knobs(fields, forms.BASIC, values, first["model"])
        _build_strengths(fields, values)
    schedule = gr.HTML(elem_id="train-schedule")
    with gr.Accordion("Advanced", open=False):
        _build_knobs(fields, forms.ADVANCED, values, first["model"])
    _draw_schedule(fields, schedule)
    form = FormParts(fields, facts, start, stop, stop_later, again, build_search(), gr.State(values["weights"]))
    _fill_defaults(form)
    _build_preview(fields)
    limits = gr.State(("", ""))  # how many images a time budget chose, and what stood there before
    measured = [plan, *(fields[name] for name in ESTIMATED), fields["train_limit"], limits]
    measure = _estimator(fields, budget, tune, limits)
    estimating.click(measure, {budget, tune, limits, *fields.values()}, measured, **SEEN)
    # What was measured is of another run then.
    gr.on([fields["dataset"].input, fields["model"].input], lambda: "", None, plan, **READING)
    return form


def _draw_schedule(fields: forms.Form, schedule: gr.HTML) -> None:
    """Show how the learning rate will change, as soon as something about it is chosen."""
    knobs = [fields[name] for name in ("dataset", "model", *SCHEDULED)]

    def draw(values: dict[gr.components.Component, Any]) -> str:
        return drawn_schedule({name: values[knob] for name, knob in fields.items()})

    # As the browser sends them: a number that is being typed anew is empty.
    drawing = {"inputs": set(fields.values()), "outputs": schedule, "preprocess": False, **READING}
    gr.on([knob.change for knob in knobs], draw, trigger_mode="always_last", **drawing)


def _build_estimate() -> tuple[gr.Textbox, gr.Checkbox, gr.Button, gr.HTML]:
    """Build what says how long a run will take, and fits it into a given time."""
    with gr.Row(equal_height=False, elem_id="train-before"):
        budget = gr.Textbox(
            label="Minutes",
            placeholder="any",
            max_lines=1,
            min_width=140,
            elem_id="train-minutes",
        )
        button = gr.Button("Estimate", min_width=120, elem_id="train-estimate")
    tune = gr.Checkbox(False, label="Measure 16 bits too, and take what is faster", elem_id="train-tune")
    return budget, tune, button, gr.HTML(elem_id="train-plan")


def _build_preview(fields: forms.Form) -> None:
    """Show, when it is unfolded, what the network will receive; it follows the knobs."""
    with gr.Accordion("What the network will receive", open=False, elem_id="train-preview-fold") as fold:
        shown = gr.HTML(elem_id="train-preview", min_height=240)
        again = gr.Button("Other draws", size="md", elem_id="train-preview-again")
    seed, is_open = gr.State(0), gr.State(False)
    names = ("dataset", "augmentation", "input_size", "channels", "fit", *forms.STRENGTHS)
    knobs = {name: fields[name] for name in names}

    def draw(values: dict[gr.components.Component, Any]) -> Any:
        return _preview(values[is_open], values[seed], {name: values[knob] for name, knob in knobs.items()})

    # As the browser sends them: a slider whose number is being typed anew is empty, which Gradio's own check cannot take.
    drawing = {"fn": draw, "inputs": {is_open, seed, *knobs.values()}, "outputs": shown, "preprocess": False, **READING}
    fold.expand(lambda: True, None, is_open, **READING).then(**drawing)
    fold.collapse(lambda: False, None, is_open, **READING)
    again.click(lambda seed: seed + 1, seed, seed, **READING).then(**drawing)
    gr.on([knob.change for knob in knobs.values()], trigger_mode="always_last", **drawing)


def _preview(is_open: bool, seed: int, knobs: dict[str, Any]) -> Any:
    """Draw the preview, unless it is folded away."""
    if not is_open:
        return gr.skip()
    dataset, size = knobs["dataset"], knobs["input_size"]
    try:
        strengths = forms.read_augmentation(dataset, knobs)
        return preview_html(dataset, strengths, int(size) if size else None, knobs["channels"], knobs["fit"], seed)
    except InputError as error:
        return alert(str(error))


def _build_knobs(fields: forms.Form, names: tuple[str, ...], values: dict[str, Any], model: str) -> None:
    """Build fields two in a row; long lists get a row of their own."""
    for pair in forms.pairs(names):
        with gr.Row():
            for name in pair:
                fields[name] = forms.build_field(name, values[name], model)


def _build_strengths(fields: forms.Form, values: dict[str, Any]) -> None:
    """Build a knob for the strength of each augmentation; those of the chosen ones show."""
    chosen = fields["augmentation"]
    for field, name in forms.STRENGTHS.items():
        fields[field] = forms.build_strength(AUGMENTATIONS[name], values[field], name in values["augmentation"])
    shown = [fields[field] for field in forms.STRENGTHS]
    chosen.input(lambda names: [gr.Slider(visible=name in names) for name in AUGMENTATIONS], chosen, shown, **READING)


def _fill_defaults(form: FormParts) -> None:
    """Show the defaults of a dataset and model as soon as one is chosen."""

    @say_errors("Cannot choose this")
    def defaults(dataset: str, model: str) -> list[Any]:
        return _filled(dataset, model, forms.default_form(dataset, model))

    pair, size = [form.fields["dataset"], form.fields["model"]], form.fields["input_size"]

    @say_errors("Cannot start from these weights")
    def another_recipe(dataset: str, model: str, weights: str, before: str) -> Any:
        values = forms.refill(dataset, model, weights, before)
        return [gr.skip()] * len(form.filled) if values is None else _filled(dataset, model, values)

    gr.on([item.input for item in pair], defaults, pair, form.filled, **READING)
    weights = form.fields["weights"]
    begun = {"inputs": [*pair, weights, form.weights], "outputs": form.filled}
    gr.on([weights.blur, weights.submit], another_recipe, **begun, **READING)
    size.input(train_view.facts, [*pair, size], form.facts, **READING)


def _filled(dataset: str, model: str, values: dict[str, Any]) -> list[Any]:
    """Return a form's values for `FormParts.filled`; knobs of augmentations that are not chosen are hidden."""
    strengths = [
        gr.Slider(value=values[field], visible=name in values["augmentation"])
        for field, name in forms.STRENGTHS.items()
    ]
    plain = (
        gr.update(value=values[name], visible=forms.is_meant(name, model)) for name in (*forms.BASIC, *forms.ADVANCED)
    )
    return [values["weights"], train_view.facts(dataset, model, values["input_size"]), *plain, *strengths]


@say_errors("Cannot copy these settings")
def _copy(name: str) -> list[Any]:
    """Fill the form with the settings of the chosen run."""
    run = train_runs.find_run(name)
    if run is None:
        raise InputError("Expected a run to copy from, got none; choose one in the table.")
    config = run.config()
    if config.dataset not in [known for _, known in forms.dataset_choices()]:
        raise InputError(f"The dataset of this run, {config.dataset}, is not on the list; add it in the Browse tab.")
    return [config.dataset, config.model, *_filled(config.dataset, config.model, forms.form_values(config))]


def _starter(fields: forms.Form) -> Any:
    """Return the handler of Start, which gets the form by component and passes it on by name."""

    @say_errors("Cannot start this run")
    def begin(values: dict[gr.components.Component, Any]) -> tuple[str, str]:
        named = {name: values[component] for name, component in fields.items()}
        config = forms.read_form(named.pop("dataset"), named.pop("model"), named)
        return jobs.start(config).name, ""

    return begin


def _estimator(fields: forms.Form, budget: gr.Textbox, tune: gr.Checkbox, limits: gr.State) -> Any:
    """Return the handler of Estimate: it measures a few steps of the run that the form describes."""

    @say_errors("Cannot estimate this run")
    def measure(values: dict[gr.components.Component, Any]) -> tuple[Any, ...]:
        named = {name: values[component] for name, component in fields.items()}
        chosen, before = values[limits]
        if values[budget] and named["train_limit"] == chosen:  # by the last budget: this one chooses anew
            named["train_limit"] = before
        limit = named["train_limit"]
        config = forms.read_form(named.pop("dataset"), named.pop("model"), named)
        said, changes = estimate(config, values[budget] or "", bool(values[tune]))
        new = str(changes.get("train_limit", limit))
        chosen = (changes.get(name, gr.skip()) for name in ESTIMATED)
        return said, *chosen, new, (new, limit) if values[budget] else values[limits]

    return measure


def _note_stop(name: str, stopping: tuple[str, ...]) -> tuple[tuple[str, ...], gr.Button]:
    """Show at once that Stop was pressed: the signal waits for a worker that is just starting."""
    return (*stopping, name), gr.Button(interactive=False)


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
def _resume(name: str, stopping: tuple[str, ...]) -> tuple[tuple[str, ...], gr.Button, str]:
    """Let the chosen run go on where it ended."""
    run = train_runs.find_run(name)
    if run is None:
        raise InputError("Expected a run to resume, got none; choose one in the table.")
    jobs.resume(run)
    return tuple(other for other in stopping if other != name), gr.Button(visible=False), ""


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
    name: str, beside: str, log_axis: bool, smoothing: float, stopping: tuple[str, ...], seen: tuple[Any, ...]
) -> tuple[Any, ...]:
    """Read what has been written since the last look; nothing new leaves the page alone."""
    asked, smoothing = name in stopping, min(MAX_SMOOTHING, max(0.0, smoothing or 0.0))
    now = train_runs.traces(name, log_axis, asked, smoothing, beside)
    if now == seen:
        return (gr.skip(),) * 10
    run = train_runs.find_run(name)
    together = train_overlay.drawn_together(name, beside)
    live = train_view.live_html(run, log_axis, asked, smoothing, together)
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
