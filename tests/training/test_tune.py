"""Choosing the number format by measured seconds."""

import pytest

from vision_app.config import RunConfig
from vision_app.training import tune
from vision_app.training.plan import Plan
from vision_app.training.recipe import make_config


@pytest.mark.parametrize(("single", "mixed", "wanted"), [(2.0, 1.0, True), (1.0, 0.95, False), (1.0, 30.0, False)])
@pytest.mark.parametrize("before", [False, True])
def test_sixteen_bits_are_chosen_where_they_are_faster(
    single: float, mixed: float, wanted: bool, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(config: RunConfig) -> Plan:
        seconds = mixed if config.mixed_precision else single
        return Plan(
            parameters=1,
            num_train=1,
            startup=1,
            testing=1,
            per_epoch=seconds,
            per_epoch_fixed=0,
            memory_bytes=1,
            device="CPU",
        )

    monkeypatch.setattr(tune, "plan_run", measured)
    config = make_config("digits", "lenet5", {"mixed_precision": before, "epochs": 7})
    chosen, plan, said = tune.tune_precision(config)
    assert chosen == config.updated(mixed_precision=wanted)
    assert plan.per_epoch == (mixed if wanted else single)
    assert f"{single:.1f} s in 32 bits and {mixed:.1f} s in 16 bits" in said and ("is on" in said) == wanted
