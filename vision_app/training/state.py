"""What resuming needs, in a run's `state/`: after every epoch weights, optimizer, random state, and what the callbacks remember.

One file an epoch, written whole or not at all; the last two are kept, so that a damaged one costs an epoch and not the run.
"""

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from vision_app.errors import InputError
from vision_app.runs import Run, commit

log = logging.getLogger(__name__)
KEPT = 2
# What each callback has to know again; Keras' own forget it when training begins.
REMEMBERED = {
    "HistoryWriter": ("step",),
    "SwapEMAWeights": ("_ema_weights_in_model",),
    "KeepBest": ("best",),
    "EarlyStopping": ("wait", "best"),
    "ReduceLROnPlateau": ("wait", "best", "cooldown_counter"),
}


@dataclass(frozen=True)
class State:
    """Where a run was after an epoch.

    Args:
        epoch: how many are done.
        seconds: that training took so far.
        memory: what the callbacks remember, by the name of their class.
        model, optimizer: their variables in order; a model's include the random state of its dropout.
        is_over: whether this epoch was the last one, as early stopping has it.
    """

    epoch: int = 0
    seconds: float = 0.0
    memory: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    model: tuple[np.ndarray, ...] = ()
    optimizer: tuple[np.ndarray, ...] = ()
    is_over: bool = False


class SaveState(keras.callbacks.Callback):
    """Writes the state after every epoch, and gives it back when a resumed run begins; the last of the callbacks.

    Args:
        run: whose.
        others: the callbacks whose memory is kept.
        begin: where the run goes on from.
        clock: seconds since this process began to train.
    """

    def __init__(self, run: Run, others: list[keras.callbacks.Callback], begin: State, clock: Any) -> None:
        super().__init__()
        self.run, self.begin, self.clock = run, begin, clock
        self.others = {type(other).__name__: other for other in others if type(other).__name__ in REMEMBERED}

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        if self.begin.epoch:  # not before: making ready, Keras may draw from the random state
            restore(self.model, self.begin)
        for name, values in self.begin.memory.items():
            for attribute, value in values.items() if name in self.others else ():
                setattr(self.others[name], attribute, value)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """See Keras."""
        memory = {
            name: {attribute: _plain(getattr(other, attribute)) for attribute in REMEMBERED[name]}
            for name, other in self.others.items()
        }
        state = State(
            epoch=epoch + 1,
            seconds=self.begin.seconds + self.clock(),
            is_over=bool(self.model.stop_training),
            memory=memory,
            model=tuple(_values(self.model.variables)),
            optimizer=tuple(_values(self.model.optimizer.variables)),
        )
        write_state(self.run, state)


def write_state(run: Run, state: State) -> None:
    """Keep a state, and only the last few."""
    folder = run.state_folder
    folder.mkdir(exist_ok=True)
    temporary, file = folder / ".saving.npz", folder / f"epoch-{state.epoch:06}.npz"
    facts = {"epoch": state.epoch, "seconds": round(state.seconds, 3), "over": state.is_over, "memory": state.memory}
    arrays = {f"model_{index}": values for index, values in enumerate(state.model)}
    arrays |= {f"optimizer_{index}": values for index, values in enumerate(state.optimizer)}
    try:
        np.savez(temporary, facts=np.array(json.dumps(facts)), **arrays)
        commit(temporary, file)
    finally:
        temporary.unlink(missing_ok=True)
    for old in list_states(run)[KEPT:]:
        old.unlink(missing_ok=True)


def read_state(run: Run) -> State | None:
    """Return the last state that can be read, or None for a run that has none.

    Raises:
        InputError: there are states, but not one of them can be read.
    """
    files = list_states(run)
    for file in files:
        try:
            with np.load(file, allow_pickle=False) as found:
                facts = json.loads(str(found["facts"]))
                model, optimizer = (
                    tuple(found[f"{kind}{index}"] for index in range(sum(name.startswith(kind) for name in found)))
                    for kind in ("model_", "optimizer_")
                )
                return State(
                    facts["epoch"], facts["seconds"], facts["memory"], model, optimizer, facts.get("over", False)
                )
        except Exception as error:  # a damaged archive raises every kind of error
            log.warning("%s cannot be read (%s); the epoch before it is used.", file.name, type(error).__name__)
    if files:
        raise InputError(f"What {run.name} saved to go on from is damaged; start it again as a new run.")
    return None


def list_states(run: Run) -> list[Path]:
    """Return the files of a run's states, the last one first."""
    return sorted(run.state_folder.glob("epoch-*.npz"), reverse=True)


def restore(model: keras.Model, state: State) -> None:
    """Put a state's weights, random state and optimizer into a compiled model.

    Raises:
        InputError: the state is of another network.
    """
    model.optimizer.build(model.trainable_variables)
    for variables, values in ((model.variables, state.model), (model.optimizer.variables, state.optimizer)):
        shapes = [tuple(variable.shape) for variable in variables], [value.shape for value in values]
        if shapes[0] != shapes[1]:
            raise InputError(
                "What this run saved belongs to another network or optimizer; start it again as a new run."
            )
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)


def forget_states(run: Run) -> None:
    """Delete the states of a run that is complete: there is nothing to go on with."""
    shutil.rmtree(run.state_folder, ignore_errors=True)


def _values(variables: list[keras.Variable]) -> list[np.ndarray]:
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def _plain(value: Any) -> Any:
    """Return a number as JSON knows it; Keras keeps None until there is a best value."""
    return value if value is None or isinstance(value, int) else float(value)
