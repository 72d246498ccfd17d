"""What the Train tab says before a run starts."""

import gradio as gr
import pytest

from vision_app.errors import InputError
from vision_app.runs import create_run
from vision_app.training import tune
from vision_app.training.plan import Plan
from vision_app.training.recipe import make_config
from vision_app.training.schedules import rate_at
from vision_app.ui import forms, train_form, train_plan
from vision_app.ui.train_plan import drawn_schedule, estimate, schedule_html

PLAN = Plan(
    parameters=61706,
    num_train=1000,
    startup=4.0,
    testing=2.0,
    per_epoch=30.0,
    per_epoch_fixed=0.0,
    memory_bytes=1_250_000_000,
    device="CPU, 2 cores",
)


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_plan, "plan_run", lambda config: PLAN)


def test_time_size_and_memory_are_said() -> None:
    said, changes = estimate(make_config("digits", "lenet5", {"epochs": 4}), "")
    assert changes == {} and "About 2 min 06 s on CPU, 2 cores; 30.0 s an epoch of 1,000 images" in said
    assert "62 k parameters" in said.replace("61.7 k", "62 k") and "1.2 GB of memory" in said.replace(
        "1.3 GB", "1.2 GB"
    )


def test_a_budget_changes_the_form_and_says_so() -> None:
    said, changes = estimate(make_config("digits", "lenet5", {"epochs": 4}), "1,5")
    assert changes == {"epochs": 2} and "2 epochs fit into this time" in said and "About 1 min 06 s" in said
    said, changes = estimate(make_config("digits", "lenet5", {}), "0.5")
    assert (
        changes == {"epochs": 1, "train_limit": 700}
        and "700 of them" in said
        and "21.0 s an epoch of 700 images" in said
    )


def measure_form(form: dict, **changes: object) -> dict:
    """Press Estimate on a form, given by the names of its fields, and return it as it then is, with what it remembers."""
    form = {"budget": "", "tune": False, "fitted": {}} | form | changes
    fields = {name: name for name in form if name not in ("budget", "tune", "fitted")}  # in place of the components
    _, *values = train_form.estimator(fields, "budget", "tune", "fitted")(form)
    names = ("mixed_precision", *train_form.FITTED, "fitted")
    return form | {name: value for name, value in zip(names, values, strict=True) if value != gr.skip()}


def test_a_longer_time_takes_all_the_images_again_that_a_shorter_one_left_out() -> None:
    form = forms.default_form("digits", "lenet5") | {"dataset": "digits", "model": "lenet5"}
    short = measure_form(form, budget="0.5")
    assert (short["epochs"], short["train_limit"]) == (1, "700")
    long = measure_form(short, budget="3")
    assert (long["epochs"], long["train_limit"], long["fitted"]) == (5, "", {"epochs": (5, 20)})
    assert measure_form(short, budget="3", train_limit="500")["train_limit"] == "500"
    assert measure_form(short, budget="")["train_limit"] == "700"


def test_a_longer_time_gives_warm_up_and_fine_tuning_back() -> None:
    form = forms.default_form("digits", "fast_cnn") | {"dataset": "digits", "model": "fast_cnn", "warmup_epochs": 3}
    short = measure_form(form, budget="1.5")
    assert short["epochs"] == 2 and short["warmup_epochs"] == 2 / 5
    assert measure_form(short, budget="1")["warmup_epochs"] == 1 / 5
    long = measure_form(measure_form(short, budget="1"), budget="5")
    assert long["epochs"] > 3 and long["warmup_epochs"] == 3
    assert measure_form(short, budget="5", warmup_epochs=1)["warmup_epochs"] == 1


def test_the_faster_number_format_is_measured_and_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    halved = PLAN.model_copy(update={"per_epoch": 15.0})
    monkeypatch.setattr(tune, "plan_run", lambda config: halved if config.mixed_precision else PLAN)
    said, changes = estimate(make_config("digits", "lenet5", {"epochs": 4}), "1.5", tune=True)
    assert changes == {"mixed_precision": True, "epochs": 5}
    assert "30.0 s in 32 bits and 15.0 s in 16 bits" in said and "About 1 min 21 s" in said


def test_what_stands_in_the_way_of_measuring_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    config = make_config("digits", "lenet5", {"epochs": 4})
    create_run(config).update_status(state="running")
    assert "Another run is training meanwhile" in estimate(config, "")[0]
    monkeypatch.setattr(train_plan, "is_available", lambda data: False)
    with pytest.raises(InputError, match="Digits 8 x 8 is not on this machine yet; download it in the Browse tab"):
        estimate(config, "")


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({"schedule": "cosine", "learning_rate": 0.5}, "Learning rate: cosine, at most 0.5"),
        ({"schedule": "constant"}, "Learning rate: constant, 0.001"),
        ({"schedule": "cosine", "epochs": None}, None),
        ({"schedule": "cosine", "learning_rate": -1}, None),
    ],
)
def test_the_schedule_follows_the_form(changes: dict, title: str | None) -> None:
    values = forms.default_form("digits", "lenet5") | {"dataset": "digits", "model": "lenet5"} | changes
    picture = drawn_schedule(values)
    assert title in picture if title else picture == ""


@pytest.mark.parametrize("text", ["soon", "-1", "nan", "1e9"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="Expected the time as minutes"):
        estimate(make_config("digits", "lenet5", {}), text)


@pytest.mark.parametrize("schedule", ["cosine", "triangular", "step", "exponential", "plateau"])
def test_the_schedule_is_drawn(schedule: str) -> None:
    config = make_config("digits", "lenet5", {"schedule": schedule, "epochs": 5, "learning_rate": 0.25})
    picture = schedule_html(config)
    highest = max(rate_at(config, step, 24) for step in range(120))
    assert "<svg" in picture and (f"at most {highest:.2g}" in picture) == (schedule != "plateau")
