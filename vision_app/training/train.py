"""The recipe: from a config to a trained model, read from top to bottom."""

import time
import traceback

import keras
import numpy as np

from vision_app.config import RunConfig
from vision_app.data.augment import make_augmenter
from vision_app.data.augment_mix import one_hot
from vision_app.data.datasets import find_dataset
from vision_app.data.pipeline import TrainingBatches
from vision_app.data.prepared import Prepared
from vision_app.data.preprocess import preprocess
from vision_app.data.ready import Ready, fingerprint, ready_split, ready_training
from vision_app.device import describe_cpu, describe_gpus, list_gpus
from vision_app.errors import InputError
from vision_app.evaluation.report import evaluate, split_id
from vision_app.export.tflite import convert
from vision_app.models.catalog import build_model, find_model
from vision_app.models.parts import Scaling
from vision_app.predict import make_servable
from vision_app.runs import Run, write_atomic
from vision_app.training.callbacks import (
    Asked,
    HistoryWriter,
    KeepBest,
    LearningRate,
    StartEpoch,
    Stopped,
    StopWhenAsked,
)
from vision_app.training.data_check import check_data
from vision_app.training.pretrained import find_weights
from vision_app.training.state import SaveState, State, forget_states, read_state

EVALUATION_BATCH = 500
INITIAL_IMAGES = 2000  # that a network which starts from images is shown


class _Feed(keras.utils.PyDataset):
    """Hands TrainingBatches to Keras."""

    def __init__(self, batches: TrainingBatches) -> None:
        super().__init__()
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        return self.batches.batch(index)


class _InOrder(keras.utils.PyDataset):
    """Hands images to Keras in their order, for validation and testing; with a number of classes, one-hot labels."""

    def __init__(self, part: Ready, num_classes: int = 0) -> None:
        super().__init__()
        self.part, self.num_classes = part, num_classes

    def __len__(self) -> int:
        return -(-len(self.part) // EVALUATION_BATCH)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = slice(index * EVALUATION_BATCH, (index + 1) * EVALUATION_BATCH)
        labels = self.part.labels[chosen]
        return self.part.images[chosen], one_hot(labels, self.num_classes) if self.num_classes else labels


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
    except Stopped as stop:
        return str(stop)
    state = read_state(run) or State()
    seen = fingerprint(train_part, validation)
    if state.epoch and config.fingerprint != seen:
        raise InputError("The data have changed since this run began, so it cannot go on; start it again as a new run.")
    config = config.updated(fingerprint=seen)
    write_atomic(run.path / "config.json", config.to_json())
    batches = make_batches(config, train_part)
    model, serving = make_models(config, train_part.images)
    if state.epoch:
        run.append_history(kind="resume", step=state.epoch * len(batches), epoch=state.epoch)
    run.update_status(
        message="", num_train=len(train_part), steps_per_epoch=len(batches), parameters=serving.count_params()
    )
    keeper = KeepBest(run, serving, config.monitor)
    clock = _Clock()
    callbacks = make_callbacks(run, config, batches, keeper, asked)
    ended = "completed"
    try:
        model.fit(
            _Feed(batches),
            shuffle=False,  # they are shuffled already, by the run's seed; Keras would draw from a state that nobody keeps
            validation_data=_InOrder(validation, len(config.classes) if mixes_labels(config) else 0),
            epochs=config.epochs,
            initial_epoch=state.epoch,
            verbose=0,
            callbacks=[*callbacks, SaveState(run, callbacks, state, clock)],
        )
    except Stopped as stop:
        ended = str(stop)
    run.update_status(seconds=round(state.seconds + clock(), 3))
    if not run.model_file.exists():
        keeper.save()
    if ended != "interrupted":
        run.update_status(message="Testing the best model")
        finish(run, serving, test, asked)
    if ended == "completed":
        forget_states(run)
    return ended


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


def make_models(config: RunConfig, images: Prepared) -> tuple[keras.Model, keras.Model]:
    """Build the network to train, which ends in logits, and the same with probabilities, in float32, to save.

    Args:
        images: training images, for the scaling and for networks that start from them.
    """
    shape, info = images.shape[1:], find_model(config.model)
    scaling = _measure(images) if config.normalization == "standardize" else Scaling()

    def build() -> keras.Model:
        return build_model(config.model, shape, len(config.classes), scaling, config.dropout, config.options)

    serving = trained = build()
    if config.mixed_precision:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        trained = build()
        keras.mixed_precision.set_global_policy("float32")
    if config.weights:
        info.load_pretrained(trained, find_weights(info, config.weights, config.options))
    if info.initialize:
        info.initialize(trained, images[:INITIAL_IMAGES])
    if config.l2:
        for layer in trained.layers:
            if getattr(layer, "kernel", None) is not None and layer.trainable:
                layer.kernel.regularizer = keras.regularizers.L2(config.l2)
    model = keras.Model(trained.inputs, trained.get_layer("logits").output)
    accuracy = keras.metrics.CategoricalAccuracy("accuracy") if mixes_labels(config) else "accuracy"
    model.compile(optimizer=make_optimizer(config), loss=make_loss(config), metrics=[accuracy])
    return model, serving


def make_optimizer(config: RunConfig) -> keras.optimizers.Optimizer:
    """Build the optimizer; SGD with momentum looks ahead (Nesterov)."""
    match config.optimizer:
        case "adam":
            return keras.optimizers.Adam(config.learning_rate)
        case "adamw":
            return keras.optimizers.AdamW(config.learning_rate)
        case "rmsprop":
            return keras.optimizers.RMSprop(config.learning_rate, momentum=config.momentum)
        case "sgd":
            return keras.optimizers.SGD(config.learning_rate, momentum=config.momentum, nesterov=config.momentum > 0)


def mixes_labels(config: RunConfig) -> bool:
    """Whether labels are shares of the classes (mixup); an answer is then right if it is the class of the larger share."""
    return config.augmentation.get("mixup", 0) != 0  # a negative strength means the default


def make_loss(config: RunConfig) -> keras.losses.Loss:
    """Build the cross-entropy of logits and labels, with label smoothing if asked for.

    Labels are integers, or shares of the classes where the augmentation mixes them.
    """
    if mixes_labels(config):
        return keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=config.label_smoothing)
    if not config.label_smoothing:
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    num_classes = len(config.classes)

    def smoothed(labels: keras.KerasTensor, logits: keras.KerasTensor) -> keras.KerasTensor:
        targets = keras.ops.one_hot(keras.ops.reshape(labels, (-1,)), num_classes)
        return keras.losses.categorical_crossentropy(
            targets, logits, from_logits=True, label_smoothing=config.label_smoothing
        )

    return smoothed


def make_callbacks(
    run: Run, config: RunConfig, batches: TrainingBatches, keeper: KeepBest, asked: Asked
) -> list[keras.callbacks.Callback]:
    """List what happens beside the training; stopping comes last, so that a last batch is written first."""
    callbacks: list[keras.callbacks.Callback] = [
        StartEpoch(batches),
        LearningRate(config, len(batches)),
        HistoryWriter(run, batches.batch_size, len(batches), config.epochs),
        keeper,
    ]
    if config.schedule == "plateau":
        callbacks.append(
            keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.3, patience=max(1, config.patience // 2))
        )
    if config.early_stopping:
        callbacks.append(
            keras.callbacks.EarlyStopping(config.monitor, patience=config.patience, min_delta=config.min_delta)
        )
    return [*callbacks, StopWhenAsked(asked)]


def finish(run: Run, serving: keras.Model, test: Ready, asked: Asked) -> None:
    """Test the best model on the test split, make the file that predictions are served from, and look at the data."""
    serving.load_weights(run.model_file)
    config, status = run.config(), run.status()
    has_tflite = make_tflite(run, serving)
    probabilities = serving.predict(_InOrder(test), verbose=0)
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


def _measure(images: Prepared) -> Scaling:
    """Return mean and deviation of the training pixels by channel, of an even sample of at most 5,000 images."""
    chosen = np.linspace(0, len(images) - 1, min(len(images), 5000)).astype(int)
    sums = squares = 0.0
    for part in np.array_split(
        chosen, -(-len(chosen) // 100)
    ):  # in parts: large images would fill the memory as floats
        pixels = images[part].astype(np.float64)
        sums, squares = sums + pixels.mean((1, 2)).sum(0), squares + (pixels**2).mean((1, 2)).sum(0)
    mean = sums / len(chosen)
    deviation = np.sqrt(np.maximum(squares / len(chosen) - mean**2, 0))
    if not deviation.all():
        raise InputError("The training images are all of one colour in some channel; there is nothing to standardise.")
    return Scaling(tuple(mean.tolist()), tuple(deviation.tolist()))
