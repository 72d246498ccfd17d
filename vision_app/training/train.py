"""The recipe: from a config to a trained model, read from top to bottom."""

import time
import traceback

import keras
import numpy as np

from vision_app.config import RunConfig
from vision_app.data.augment import make_augmenter
from vision_app.data.datasets import find_dataset
from vision_app.data.pipeline import TrainingBatches
from vision_app.data.preprocess import preprocess
from vision_app.data.ready import Ready, fingerprint, ready_split, ready_training
from vision_app.device import describe_cpu, describe_gpus, list_gpus
from vision_app.errors import InputError
from vision_app.evaluation.report import evaluate, split_id
from vision_app.export.tflite import convert
from vision_app.predict import make_servable
from vision_app.runs import Run, write_atomic
from vision_app.training.callbacks import (
    Asked,
    EndWhenInterrupted,
    HistoryWriter,
    KeepBest,
    LearningRate,
    StartEpoch,
    StopAfterEpoch,
    Stopped,
    StopWhenAsked,
)
from vision_app.training.data_check import check_data
from vision_app.training.executions import steps_at_once
from vision_app.training.feed import to_answer, to_learn_from
from vision_app.training.networks import begin_fine_tuning, make_models, mixes_labels
from vision_app.training.pretrained import pretrained_file
from vision_app.training.state import SaveState, State, forget_states, read_state
from vision_app.training.strip import WriteStrip
from vision_app.training.watch import Counts, WriteCounts


class _Clock:
    """Says how many seconds ago it was made."""

    def __init__(self) -> None:
        self.began = time.perf_counter()

    def __call__(self) -> float:
        return time.perf_counter() - self.began


def train(run: Run, asked: Asked) -> str:
    """Train a run to its end, from where it was interrupted if it was, and return the state it ended in.

    Args:
        run: a run directory with its config.
        asked: looked at after every batch.

    Raises:
        InputError, TrainingFailed: with a message for a person.
    """
    config = run.config()
    keras.utils.set_random_seed(config.seed)
    run.update_status(message="Loading the images", device=keras_device())
    try:
        messages = DownloadMessages(run, asked)
        train_part, validation = ready_training(config, messages)
        test = ready_split(config, config.dataset, "test", messages)  # now: somebody may divide the set anew meanwhile
        state = read_state(run) or State()
        weights = None if state.epoch else pretrained_file(config, messages)
    except Stopped as stop:
        return str(stop)
    seen = fingerprint(train_part, validation)
    if state.epoch and config.fingerprint != seen:
        raise InputError("The data have changed since this run began, so it cannot go on; start it again as a new run.")
    config = config.updated(fingerprint=seen)
    write_atomic(run.path / "config.json", config.to_json())
    batches = make_batches(config, train_part)
    counts = Counts(len(config.classes))
    model, serving = make_models(config, train_part.images, counts, weights=weights)
    if run.history():
        run.append_history(kind="resume", step=state.epoch * len(batches), epoch=state.epoch)
    run.update_status(
        message="", num_train=len(train_part), steps_per_epoch=len(batches), parameters=serving.count_params()
    )
    keeper = KeepBest(run, serving, config.monitor)
    clock = _Clock()
    watching = WriteCounts(run, counts), WriteStrip(run, config, validation)
    ended = "completed"
    try:
        for begin, end in stages(config):
            if begin:
                begin_fine_tuning(model, config, counts)
            if state.epoch > end:
                continue
            model.steps_per_execution = steps_at_once(model, train_part.images, len(batches), config)
            callbacks = make_callbacks(run, config, batches, keeper, asked, *watching, stage=(begin, end))
            going_on = state_at(begin, len(batches), state)
            model.fit(
                to_learn_from(batches),
                shuffle=False,  # they are shuffled already, by the run's seed; Keras' own state nobody keeps
                validation_data=to_answer(validation, len(config.classes) if mixes_labels(config) else 0),
                epochs=end,
                initial_epoch=end if state.is_over else max(begin, state.epoch),
                verbose=0,
                callbacks=[*callbacks, SaveState(run, callbacks, going_on, clock), StopAfterEpoch(run, config.epochs)],
            )
    except Stopped as stop:
        ended = str(stop)
    run.update_status(seconds=round(state.seconds + clock(), 3))
    if not run.model_file.exists():
        keeper.save()
    if ended != "interrupted":
        run.update_status(message="Testing the best model")
        try:
            finish(run, serving, test, asked)
        except Stopped as stop:
            ended = str(stop)
    if ended == "completed":
        forget_states(run)
    return ended


def stages(config: RunConfig) -> list[tuple[int, int]]:
    """Return the epochs at which each stage of a run begins and ends: one stage, or two with fine-tuning."""
    if not config.fine_tune_epochs:
        return [(0, config.epochs)]
    return [(0, config.fine_tune_from), (config.fine_tune_from, config.epochs)]


def state_at(begin: int, steps_per_epoch: int, state: State) -> State:
    """Return what a stage begins from: the state that was saved, or, where it belongs to the stage before, a fresh one.

    A second stage has another optimizer; of what callbacks know, it only takes over how many steps are done.
    """
    if not begin or state.epoch > begin:
        return state
    return State(seconds=state.seconds, memory={"HistoryWriter": {"step": begin * steps_per_epoch}})


def keras_device() -> str:
    """Return what Keras computes on here: "CPU, 2 cores" or the GPU's name."""
    if keras.backend.backend() == "torch":  # Keras cannot list its devices
        return describe_cpu() if keras.ops.zeros(1).device.type == "cpu" else describe_gpus(list_gpus())
    gpus = [device for device in keras.distribution.list_devices() if "cpu" not in device.lower()]
    return describe_gpus(list_gpus() or gpus) if gpus else describe_cpu()


class DownloadMessages:
    """Writes how far a download is into the run's status, once a second, and ends it when the run is asked to end."""

    def __init__(self, run: Run, asked: Asked) -> None:
        self.run, self.asked, self.said_at = run, asked, 0.0

    def __call__(self, _share: float, sentence: str) -> None:
        """Say it, unless something was said a moment ago.

        Raises:
            Stopped: the run is asked to end.
        """
        if self.asked.wanted:
            raise Stopped(self.asked.wanted)
        if time.monotonic() - self.said_at > 1:
            self.said_at = time.monotonic()
            self.run.update_status(message=sentence)


def make_batches(config: RunConfig, part: Ready) -> TrainingBatches:
    """Return the training batches, with the run's random changes and generated images."""
    draw = find_dataset(config.dataset).synthesize

    def synthesize(labels: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return preprocess(draw(labels, generator), config.input_size, config.channels, config.fit)

    return TrainingBatches(
        part.images,
        part.labels,
        config.batch_size,
        config.seed,
        make_augmenter(config.augmentation),
        config.synthetic,
        synthesize if draw else None,
        len(config.classes),
    )


def make_callbacks(
    run: Run,
    config: RunConfig,
    batches: TrainingBatches,
    keeper: KeepBest,
    asked: Asked,
    *watching: keras.callbacks.Callback,
    stage: tuple[int, int],
) -> list[keras.callbacks.Callback]:
    """List what happens beside a stage of training; stopping comes last, so that a last batch is written first.

    Only the last stage is stopped early: the one before it would take its epochs along.
    """
    rates = LearningRate(config, len(batches), *stage)
    callbacks: list[keras.callbacks.Callback] = [
        StartEpoch(batches),
        rates,
        HistoryWriter(run, rates, batches.batch_size, len(batches), config.epochs),
        *([keras.callbacks.SwapEMAWeights(swap_on_epoch=True)] if config.ema else []),  # so that the average is kept
        keeper,
        *watching,
    ]
    if config.schedule == "plateau":
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.3, patience=max(1, config.patience // 2))
        )
    if config.early_stopping and stage[1] == config.epochs:
        callbacks.append(
            keras.callbacks.EarlyStopping(config.monitor, patience=config.patience, min_delta=config.min_delta)
        )
    return [*callbacks, StopWhenAsked(asked)]


def finish(run: Run, serving: keras.Model, test: Ready, asked: Asked) -> None:
    """Test the best model on the test split, make the file that predictions are served from, and look at the data.

    Raises:
        Stopped: the app shuts down, and the test is not over.
    """
    serving.load_weights(run.model_file)
    config, status = run.config(), run.status()
    has_tflite = make_tflite(run, serving)
    probabilities = serving.predict(to_answer(test), verbose=0, callbacks=[EndWhenInterrupted(asked)])
    report = evaluate(
        probabilities,
        test.labels,
        config.classes,
        model=run.name,
        dataset=config.dataset,
        split="test",
        split_id=split_id(config.dataset, "test", test.originals, test.labels),
        parameters=status.parameters,
        file_bytes=(run.tflite_file if has_tflite else run.model_file).stat().st_size,
        training_seconds=status.seconds,
    )
    write_atomic(run.path / "report.json", report.to_json())
    if not has_tflite:
        run.tflite_file.unlink(missing_ok=True)  # of an earlier epoch, made in this moment for somebody
    run.update_status(message="Looking at the data")
    write_atomic(run.path / "report.json", report.with_health(check_data(run, asked)).to_json())


def make_tflite(run: Run, serving: keras.Model) -> bool:
    """Write model.tflite if this machine can; else the page makes it, so it is no reason to lose the run."""
    run.tflite_file.unlink(missing_ok=True)  # of an earlier epoch, made for somebody who could not wait
    if keras.backend.backend() != "tensorflow":
        return False
    try:
        make_servable(run, lambda: convert(serving))
    except Exception:
        traceback.print_exc()
    return run.tflite_file.exists()
