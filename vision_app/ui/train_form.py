"""The form of the Train tab: dataset, network and every setting, with what is said about them before a run begins."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from vision_app.data.augment import AUGMENTATIONS
from vision_app.errors import InputError
from vision_app.ui import forms, train_view
from vision_app.ui.layout import QUIET, SEEN, UNQUEUED
from vision_app.ui.messages import alert, say_errors
from vision_app.ui.model_page import build_model_page
from vision_app.ui.preview import preview_html
from vision_app.ui.train_plan import drawn_schedule, estimate
from vision_app.ui.train_search_form import SearchParts, build_search

FITTED = ("epochs", "fine_tune_epochs", "warmup_epochs", "train_limit")  # what a time budget chooses, each time anew
SCHEDULED = ("epochs", "learning_rate", "schedule", "warmup_epochs", "fine_tune_epochs", "fine_tune_learning_rate")


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
    plan: gr.HTML  # what a run would take

    @property
    def forget(self) -> dict[str, Any]:
        """What an event needs to take away what was said of another run; in the browser, so that it takes no time."""
        return {"fn": None, "inputs": None, "outputs": self.plan, "js": "() => ''", **QUIET}

    @property
    def filled(self) -> list[Any]:
        """What changes when the form is filled: for `filled`."""
        names = (*forms.BASIC, *forms.ADVANCED, *forms.STRENGTHS)
        return [self.weights, self.facts, *(self.fields[name] for name in names)]


def build_form() -> FormParts:
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
    schedule = gr.HTML(drawn_schedule(first | values), elem_id="train-schedule")
    with gr.Accordion("Advanced", open=False):
        _build_knobs(fields, forms.ADVANCED, values, first["model"])
    _draw_schedule(fields, schedule)
    started = gr.State(values["weights"])
    form = FormParts(fields, facts, start, stop, stop_later, again, build_search(), started, plan)
    _fill_defaults(form)
    _build_preview(fields)
    fitted = gr.State({})  # by the last time budget: what it chose, and what stood there before
    measured = [plan, fields["mixed_precision"], *(fields[name] for name in FITTED), fitted]
    measure = estimator(fields, budget, tune, fitted)
    estimating.click(measure, {budget, tune, fitted, *fields.values()}, measured, **SEEN)
    gr.on([field.input for field in fields.values()], **form.forget)  # what was measured is of another run then
    return form


def _draw_schedule(fields: forms.Form, schedule: gr.HTML) -> None:
    """Show how the learning rate will change, as soon as something about it is chosen."""
    knobs = [fields[name] for name in ("dataset", "model", *SCHEDULED)]

    def draw(values: dict[gr.components.Component, Any]) -> str:
        return drawn_schedule({name: values[knob] for name, knob in fields.items()})

    # As the browser sends them: a number that is being typed anew is empty.
    drawing = {"inputs": set(fields.values()), "outputs": schedule, "preprocess": False, **UNQUEUED}
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
    drawing = {
        "fn": draw,
        "inputs": {is_open, seed, *knobs.values()},
        "outputs": shown,
        "preprocess": False,
        **UNQUEUED,
    }
    fold.expand(lambda: True, None, is_open, **UNQUEUED).then(**drawing)
    fold.collapse(lambda: False, None, is_open, **UNQUEUED)
    again.click(lambda seed: seed + 1, seed, seed, **UNQUEUED).then(**drawing)
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
    chosen.input(lambda names: [gr.Slider(visible=name in names) for name in AUGMENTATIONS], chosen, shown, **UNQUEUED)


def _fill_defaults(form: FormParts) -> None:
    """Show the defaults of a dataset and model as soon as one is chosen."""

    @say_errors("Cannot choose this")
    def defaults(dataset: str, model: str) -> list[Any]:
        return filled(dataset, model, forms.default_form(dataset, model))

    pair, size = [form.fields["dataset"], form.fields["model"]], form.fields["input_size"]

    @say_errors("Cannot start from these weights")
    def another_recipe(dataset: str, model: str, weights: str, before: str) -> Any:
        values = forms.refill(dataset, model, weights, before)
        return [gr.skip()] * len(form.filled) if values is None else filled(dataset, model, values)

    gr.on([item.input for item in pair], defaults, pair, form.filled, **UNQUEUED)
    weights = form.fields["weights"]
    begun = {"inputs": [*pair, weights, form.weights], "outputs": form.filled}
    gr.on([weights.blur, weights.submit], another_recipe, **begun, **UNQUEUED)
    size.input(train_view.facts, [*pair, size], form.facts, **UNQUEUED)


def filled(dataset: str, model: str, values: dict[str, Any]) -> list[Any]:
    """Return a form's values for `FormParts.filled`; knobs of augmentations that are not chosen are hidden."""
    strengths = [
        gr.Slider(value=values[field], visible=name in values["augmentation"])
        for field, name in forms.STRENGTHS.items()
    ]
    plain = (
        gr.update(value=values[name], visible=forms.is_meant(name, model)) for name in (*forms.BASIC, *forms.ADVANCED)
    )
    return [values["weights"], train_view.facts(dataset, model, values["input_size"]), *plain, *strengths]


def estimator(fields: forms.Form, budget: gr.Textbox, tune: gr.Checkbox, fitted: gr.State) -> Any:
    """Return the handler of Estimate: it measures a few steps of the run that the form describes."""

    @say_errors("Cannot estimate this run")
    def measure(values: dict[gr.components.Component, Any]) -> tuple[Any, ...]:
        sent = {name: values[component] for name, component in fields.items()}
        form = dict(sent)
        if values[budget]:
            form |= {name: before for name, (chosen, before) in values[fitted].items() if sent[name] == chosen}
        named = dict(form)
        config = forms.read_form(named.pop("dataset"), named.pop("model"), named)
        said, changes = estimate(config, values[budget] or "", bool(values[tune]))
        if "train_limit" in changes:
            changes["train_limit"] = str(changes["train_limit"])
        kept = {name: (changes[name], form[name]) for name in FITTED if name in changes}
        chosen = {name: changes.get(name, form[name]) for name in ("mixed_precision", *FITTED)}
        shown = (gr.skip() if value == sent[name] else value for name, value in chosen.items())
        return said, *shown, kept if values[budget] else values[fitted]

    return measure
