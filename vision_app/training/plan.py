"""What a run will take, measured on a few of its own steps, and what fits into a given time.

`python -m vision_app.training.plan` reads a config on standard input and prints the plan: a process of its own, because building the
network takes a framework that the page does not load.
"""

import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from vision_app.config import RunConfig
from vision_app.errors import InputError
from vision_app.models.catalog import MODELS
from vision_app.processes import child_environment, end_with_parent
from vision_app.training.recipe import default_values

WARM_UP = 2
ENOUGH_SECONDS = 1.5
PATIENCE = 600  # seconds that the process may take; a large set is decoded in it
MOST_TIMES = 3  # a budget gives a run at most so many times its usual epochs
LONGEST_MINUTES = 7 * 24 * 60
CONVERSION = 0.5  # making the file that predictions are served from takes about so many times what starting does
SPARE = 0.9  # share of a budget that is planned for: machines are not equally fast all the time
FEWEST_A_CLASS = 10
NAMED = 3  # smaller networks, where even one epoch takes too long


class Plan(BaseModel):
    """What a run will take. Times in seconds.

    Args:
        parameters: of the network.
        num_train: training images, without those that are held out.
        num_held_out: of the same images, those to validate on.
        startup: until the first step, without reading the images.
        testing: when it has learned: making the file that predictions are served from, and answering the test images.
        per_epoch: training, validation, and writing down what came of it.
        per_epoch_fixed: the part of it that does not depend on how many images are learned from.
        per_fine_tune_epoch: the same with the last layers of a pretrained part in training; 0 without fine-tuning.
        memory_bytes: of the machine's memory, the most that the process which measured it has held.
        device: what it computed on.
    """

    model_config = ConfigDict(frozen=True)

    parameters: int
    num_train: int
    startup: float
    testing: float
    per_epoch: float
    per_epoch_fixed: float
    memory_bytes: int
    device: str
    per_fine_tune_epoch: float = 0.0
    num_held_out: int = 0

    def seconds(self, epochs: int, fine_tuned: int = 0, share: float = 1.0) -> float:
        """Return how long a run will take, until it is tested.

        Args:
            epochs: of all kinds.
            fine_tuned: of these, those that fine-tune.
            share: of the images that were measured.
        """
        learning = (epochs - fine_tuned) * self.epoch(share) + fine_tuned * self.epoch(share, fine_tunes=True)
        return self.startup + learning + self.testing

    def epoch(self, share: float = 1.0, fine_tunes: bool = False) -> float:
        """Return how long an epoch takes that learns from a share of the images that were measured."""
        whole = self.per_fine_tune_epoch if fine_tunes else self.per_epoch
        return self.per_epoch_fixed + (whole - self.per_epoch_fixed) * share

    def share(self, config: RunConfig) -> float:
        """Return the share of the images that were measured which a run uses."""
        measured = self.num_train + self.num_held_out
        return min(config.train_limit or measured, measured) / measured

    def expected(self, config: RunConfig) -> float:
        """Return how long a run will take, in seconds."""
        return self.seconds(config.epochs, config.fine_tune_epochs, self.share(config))


def plan_run(config: RunConfig) -> Plan:
    """Measure a few steps of a run in a process of its own; takes some seconds, and what it takes to decode the images.

    Raises:
        InputError: the run is impossible, with what its worker would say.
    """
    try:
        process = subprocess.run(
            [sys.executable, "-m", "vision_app.training.plan"],
            input=config.to_json(),
            capture_output=True,
            text=True,
            env=child_environment(),
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise InputError(
            f"A few steps of this run take more than {PATIENCE // 60} minutes here; take smaller pictures, batches, or a smaller network."
        ) from None
    try:
        found = json.loads(process.stdout.splitlines()[-1])
        return Plan(**found)
    except (IndexError, ValueError, TypeError):
        last = (process.stderr.strip().splitlines() or ["no further word"])[-1]
        raise InputError(f"The run cannot be measured: {last.removeprefix('Error: ')}") from None


def check_minutes(minutes: float, given: str) -> None:
    """Refuse what is no time to spend.

    Args:
        minutes: the number.
        given: as it was typed.

    Raises:
        InputError: it is not above 0, or longer than a week.
    """
    if not 0 < minutes <= LONGEST_MINUTES:
        raise InputError(f"Expected the time as minutes, such as 3 or 0.5, at most a week of them, got '{given[:40]}'.")


def fit_budget(config: RunConfig, plan: Plan, seconds: float) -> tuple[dict[str, Any], str]:
    """Choose epochs, and a subset of the images if it must be, so that a run ends in time.

    Returns:
        Fields to change, and a sentence that says so.

    Raises:
        InputError: not even the smallest run fits.
    """
    around = plan.seconds(1, share=0.0)  # starting, testing, and what one epoch takes whatever it learns from
    epochs, fine_tuned = _most_epochs(config, plan, SPARE * seconds)
    if epochs >= 1:
        more = "" if epochs < _limit(config) else "; more is not planned"
        return _changes(
            config, epochs, fine_tuned
        ), f"{epochs} epoch{'s' * (epochs != 1)} fit{'s' * (epochs == 1)} into this time{more}."
    images = int(plan.num_train * max(SPARE * seconds - around, 0) / (plan.per_epoch - plan.per_epoch_fixed))
    fewest = FEWEST_A_CLASS * len(config.classes)
    if images < fewest:
        raise InputError(
            f"Not even one epoch of {fewest:,} images fits into {seconds:.0f} s: starting and testing alone take {around:.0f} s. "
            f"Take more time, or a smaller network{_smaller(config)}."
        )
    said = f"One epoch of all {plan.num_train:,} images takes {plan.per_epoch:.0f} s, so it learns once from {images:,} of them."
    held_out = images * plan.num_held_out // plan.num_train
    return {**_changes(config, 1, 0), "train_limit": images + held_out}, said


def _changes(config: RunConfig, epochs: int, fine_tuned: int) -> dict[str, Any]:
    """Return the fields of a run of so many epochs; a warm-up that would fill it is shortened."""
    changes: dict[str, Any] = {"epochs": epochs}
    if config.fine_tune_epochs:
        changes["fine_tune_epochs"] = fine_tuned
    if config.warmup_epochs >= epochs - fine_tuned:
        changes["warmup_epochs"] = (epochs - fine_tuned) / 5
    return changes


def _smaller(config: RunConfig) -> str:
    """Return the smallest networks that take these pictures, in brackets; nothing where this one is the smallest."""
    own = MODELS[config.model].parameters
    fitting = (row for row in MODELS.values() if row.smallest <= config.input_size <= row.largest)
    names = [row.title for row in sorted(fitting, key=lambda row: row.parameters) if row.parameters < own][:NAMED]
    return f" ({', '.join(names)})" if names else ""


def _most_epochs(config: RunConfig, plan: Plan, seconds: float) -> tuple[int, int]:
    """Return how many epochs fit, and how many of them fine-tune: as many as the config says, or its share of a short run."""
    fitting, wanted = (0, 0), config.fine_tune_epochs
    for epochs in range(1, _limit(config) + 1):
        fine_tuned = min(wanted, max(epochs // 3, epochs * wanted // config.epochs))
        if plan.seconds(epochs, fine_tuned) > seconds:
            break
        fitting = epochs, fine_tuned
    return fitting


def _limit(config: RunConfig) -> int:
    """Return the most epochs that are planned: what is usual, some times, unless the config says more."""
    usual = default_values(config.dataset, config.model, bool(config.weights))["epochs"]
    return max(config.epochs, MOST_TIMES * usual)


def measure(config: RunConfig) -> Plan:
    """Measure a few steps, in this process."""
    began = time.perf_counter()
    from vision_app.data.datasets import find_dataset
    from vision_app.data.ready import ready_training
    from vision_app.training.executions import steps_at_once
    from vision_app.training.feed import evaluation_batch, to_learn_from
    from vision_app.training.networks import begin_fine_tuning, make_models
    from vision_app.training.train import keras_device, make_batches

    reading = time.perf_counter()
    train_part, validation = ready_training(config)
    began += time.perf_counter() - reading  # the run itself finds them ready
    batches = make_batches(config, train_part)
    model, serving = make_models(config, train_part.images)

    def learn(steps: int) -> None:
        model.fit(to_learn_from(batches, steps), shuffle=False, verbose=0)

    def warm_up() -> None:
        model.steps_per_execution = steps_at_once(model, train_part.images, len(batches), config)
        learn(WARM_UP * model.steps_per_execution)

    warm_up()
    startup = time.perf_counter() - began
    step = _time(learn, model.steps_per_execution)
    size = min(evaluation_batch(config.input_size), len(validation))
    model.predict_on_batch(validation.images[:size])
    test = _time(lambda count: [model.predict_on_batch(validation.images[:size]) for _ in range(count)]) / size
    held_out = 0 if "validation" in find_dataset(config.dataset).counts else len(validation)
    fixed = _time_writing(config, model, serving, validation)
    if not held_out:
        fixed += test * len(validation)
    validating = test * held_out
    fine_tuning = 0.0
    if config.fine_tune_epochs:
        begin_fine_tuning(model, config)
        warm_up()
        fine_tuning = _time(learn, model.steps_per_execution)
        fine_tuning = round(fine_tuning * len(batches) + validating + fixed, 4)
    return Plan(
        parameters=serving.count_params(),
        num_train=len(train_part),
        num_held_out=held_out,
        startup=round(startup, 3),
        testing=round(CONVERSION * startup + test * find_dataset(config.dataset).num_test, 3),
        per_epoch=round(step * len(batches) + validating + fixed, 4),
        per_epoch_fixed=round(fixed, 4),
        memory_bytes=_most_memory(),
        device=keras_device(),
        per_fine_tune_epoch=fine_tuning,
    )


def _most_memory() -> int:
    """Return the most memory that this process has held, in bytes."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def _time_writing(config: RunConfig, model: Any, serving: Any, validation: Any) -> float:
    """Return the seconds that a run takes after an epoch to write the model, its state, and what it saw."""
    from vision_app.runs import Run
    from vision_app.training.callbacks import KeepBest
    from vision_app.training.state import SaveState, State
    from vision_app.training.strip import WriteStrip

    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder))
        strip = WriteStrip(run, config, validation)
        writers = KeepBest(run, serving, config.monitor), strip, SaveState(run, [], State(), time.perf_counter)
        for writer in writers:
            writer.set_model(model)
        strip.on_train_begin()  # which also gets ready
        began = time.perf_counter()
        writers[0].save()
        for writer in writers[1:]:
            writer.on_epoch_end(0)
        return time.perf_counter() - began


def _time(work: Callable[[int], object], multiple: int = 1) -> float:
    """Return the mean seconds of a step, over enough of them; `work` does so many steps, always a multiple of a number."""
    count = multiple
    while True:
        began = time.perf_counter()
        work(count)
        seconds = time.perf_counter() - began
        if seconds >= ENOUGH_SECONDS:
            return seconds / count
        count *= min(8, math.ceil(ENOUGH_SECONDS / seconds) + 1)


if __name__ == "__main__":
    end_with_parent()
    try:
        print(measure(RunConfig.parse(json.load(sys.stdin))).model_dump_json())
    except InputError as error:
        sys.exit(f"Error: {error}")
