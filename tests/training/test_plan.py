"""A run is measured before it starts, and fitted into a given time."""

import pytest

from vision_app.data.datasets import find_dataset
from vision_app.data.ready import ready_training
from vision_app.errors import InputError
from vision_app.training import plan as planning
from vision_app.training.plan import FEWEST_A_CLASS, MOST_TIMES, Plan, check_minutes, fit_budget, measure, plan_run
from vision_app.training.recipe import default_values, make_config

PLAN = Plan(
    parameters=61706,
    num_train=6000,
    startup=4.0,
    testing=2.0,
    per_epoch=30.0,
    per_epoch_fixed=0.0,
    memory_bytes=10**9,
    device="CPU, 2 cores",
)

DIGITS_EPOCHS = default_values("digits", "lenet5")["epochs"]


def test_a_plan_is_measured_in_a_process_of_its_own() -> None:
    config = make_config("digits", "lenet5", {"train_limit": 600})
    plan = plan_run(config)
    learned, held_out = ready_training(config)
    assert (plan.parameters, plan.num_train, plan.num_held_out) == (61706, len(learned), len(held_out))
    assert 0 < plan.per_epoch < 60 and 0 < plan.startup < 120 and plan.memory_bytes > 10**8
    assert plan.device.startswith("CPU") or "NVIDIA" in plan.device
    assert 0 < plan.per_epoch_fixed < plan.per_epoch and plan.testing > 0
    assert plan.seconds(7) == pytest.approx(plan.startup + 7 * plan.per_epoch + plan.testing)


def test_more_images_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_time_writing", lambda *_: 0.0)
    few, many = (measure(make_config("digits", "lenet5", {"train_limit": limit})) for limit in (200, 1400))
    assert many.per_epoch > 2 * few.per_epoch


def test_what_an_epoch_writes_takes_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_time_writing", lambda *_: 1000.0)
    assert 1000 < measure(make_config("digits", "lenet5", {"train_limit": 200})).per_epoch < 1010


def test_what_cannot_be_trained_cannot_be_planned() -> None:
    gone = make_config("digits", "lenet5", {}).updated(dataset="/no/such/set.zip")
    with pytest.raises(InputError, match=r"The run cannot be measured: There is no dataset at /no/such/set\.zip"):
        plan_run(gone)


@pytest.mark.parametrize(
    ("seconds", "epochs"),
    [(60, 1), (100, 2), (300, 8), (10**5, MOST_TIMES * DIGITS_EPOCHS)],  # 0.9 of the time, less 6 s, in epochs of 30 s
)
def test_epochs_are_chosen_to_fit(seconds: float, epochs: int) -> None:
    config = make_config("digits", "lenet5", {"epochs": 10})
    changes, said = fit_budget(config, PLAN, seconds)
    assert changes == {"epochs": epochs} and said.startswith(f"{epochs} epoch")
    assert PLAN.seconds(epochs) <= seconds


@pytest.mark.parametrize(("epochs", "most"), [(1, MOST_TIMES * DIGITS_EPOCHS), (200, 200)])
def test_a_long_time_does_not_lead_to_ever_more_epochs(epochs: int, most: int) -> None:
    config = make_config("digits", "lenet5", {"epochs": epochs})
    for _ in range(3):
        changes, said = fit_budget(config, PLAN, 10**6)
        config = config.updated(**changes)
    assert config.epochs == most and "more is not planned" in said


def test_the_test_images_take_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "_time", lambda *_: 100.0)  # a step, and an answer to all that validate
    monkeypatch.setattr(planning, "CONVERSION", 0.0)
    plan = measure(make_config("digits", "lenet5", {"train_limit": 1000}))
    assert plan.testing == pytest.approx(100 / plan.num_held_out * find_dataset("digits").num_test, abs=0.001)


def test_what_an_epoch_takes_in_any_case_leaves_less_for_learning() -> None:
    plan = PLAN.model_copy(update={"per_epoch_fixed": 6.0})
    changes, _ = fit_budget(make_config("digits", "lenet5", {}), plan, 20)
    assert changes == {"epochs": 1, "train_limit": 1500}  # 18 s, less 6 around it, less 6: 6 of 24 s
    few = make_config("digits", "lenet5", {"epochs": 1, **changes})
    assert plan.expected(few) == pytest.approx(18) and plan.epoch(plan.share(few)) == pytest.approx(12)


def test_a_run_that_cannot_be_measured_in_time_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "PATIENCE", 0.01)
    with pytest.raises(InputError, match="take smaller pictures, batches, or a smaller network"):
        plan_run(make_config("digits", "lenet5", {}))


def test_a_short_time_takes_a_subset() -> None:
    config = make_config("digits", "lenet5", {})
    changes, said = fit_budget(config, PLAN, 20)
    assert changes == {"epochs": 1, "train_limit": 2400}  # 12 of the 30 s that all 6,000 take
    assert "2,400 of them" in said


def test_a_subset_has_images_to_validate_on_besides() -> None:
    plan = PLAN.model_copy(update={"num_held_out": 600})
    changes, said = fit_budget(make_config("digits", "lenet5", {}), plan, 20)
    assert changes == {"epochs": 1, "train_limit": 2400 + 240} and "2,400 of them" in said
    few = make_config("digits", "lenet5", {"epochs": 1, **changes})
    assert plan.share(few) == pytest.approx(2640 / 6600)
    assert plan.expected(few) == pytest.approx(6 + 12)
    assert plan.share(few.updated(train_limit=9999)) == plan.share(few.updated(train_limit=None)) == 1


@pytest.mark.parametrize(
    ("wanted", "seconds", "epochs", "fine_tuned"),
    [
        ({"epochs": 15, "fine_tune_epochs": 5}, 500, 8, 2),  # 6 of 30 s and 2 of 90 s in 0.9 of the time less 6 s
        ({"epochs": 15, "fine_tune_epochs": 5}, 900, 16, 5),
        ({"epochs": 15, "fine_tune_epochs": 5}, 1200, 25, 5),
        ({"epochs": 6, "fine_tune_epochs": 3}, 250, 3, 1),
        ({"epochs": 6, "fine_tune_epochs": 3}, 500, 8, 3),
    ],
)
def test_fine_tuning_grows_with_the_time(
    wanted: dict, seconds: float, epochs: int, fine_tuned: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vision_app.training.recipe.check_weights", lambda *_: None)
    plan = PLAN.model_copy(update={"per_fine_tune_epoch": 90.0})
    config = make_config("digits", "mobilenet_v2", {"weights": "imagenet", **wanted})
    changes, _ = fit_budget(config, plan, seconds)
    assert (changes["epochs"], changes["fine_tune_epochs"]) == (epochs, fine_tuned)
    longer = {"epochs": epochs + 1, "fine_tune_epochs": min(wanted["fine_tune_epochs"], fine_tuned + 1)}
    assert plan.seconds(epochs, fine_tuned) <= 0.9 * seconds < plan.seconds(*longer.values())


@pytest.mark.parametrize("minutes", [0.0, -1.0, float("nan"), float("inf"), 1e6])
def test_what_is_no_time_is_refused(minutes: float) -> None:
    with pytest.raises(InputError, match="Expected the time as minutes"):
        check_minutes(minutes, str(minutes))


@pytest.mark.parametrize(("seconds", "epochs", "warmup"), [(40, 1, 0.2), (10**4, 40, 3)])
def test_a_warm_up_that_would_fill_the_time_is_shortened(seconds: float, epochs: int, warmup: float) -> None:
    config = make_config("digits", "fast_cnn", {"warmup_epochs": 3, "epochs": 40})
    changes, _ = fit_budget(config, PLAN, seconds)
    fitted = make_config("digits", "fast_cnn", {"warmup_epochs": 3, "epochs": 40} | changes)
    assert fitted.warmup_epochs == warmup and (fitted.epochs == epochs or seconds > 1000)


def test_smaller_networks_are_named_where_nothing_fits() -> None:
    with pytest.raises(InputError, match=r"or a smaller network \(LeNet-5, Simple CNN, .*\)\."):
        fit_budget(make_config("digits", "fast_cnn", {}), PLAN, 1)
    with pytest.raises(InputError, match=r"or a smaller network\.$"):
        fit_budget(make_config("digits", "lenet5", {}), PLAN, 1)


@pytest.mark.parametrize("seconds", [1, 6.9])
def test_no_time_at_all_is_told(seconds: float) -> None:
    config = make_config("digits", "lenet5", {})
    with pytest.raises(InputError, match=f"Not even one epoch of {10 * FEWEST_A_CLASS} images fits"):
        fit_budget(config, PLAN, seconds)
