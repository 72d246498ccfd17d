"""From a config to a network that is ready to be trained: built, scaled, with its optimizer and loss."""

from pathlib import Path

import keras
import numpy as np

from vision_app.config import RunConfig
from vision_app.data.prepared import Prepared
from vision_app.errors import InputError
from vision_app.export.fused import fuse, is_of_use
from vision_app.models.catalog import ModelInfo, build_model, find_model
from vision_app.models.parts import Scaling
from vision_app.training.auxiliary import Assisted
from vision_app.training.muon import Muon

ADAM_SHARE = 1 / 12  # of Muon's rate, for what it does not turn
INITIAL_IMAGES = 2000  # that a network which starts from images is shown


def make_models(
    config: RunConfig, images: Prepared, *counts: keras.metrics.Metric, weights: Path | None = None
) -> tuple[keras.Model, keras.Model]:
    """Build the network to train, which ends in logits, and the same with probabilities, in float32, to save.

    Args:
        images: training images, for the scaling and for networks that start from them.
        counts: what else Keras is to count of the answers.
        weights: pretrained ones to start from; None where others will be put in, or only the time is measured.
    """
    shape, info = images.shape[1:], find_model(config.model)
    scaling = _measure(images) if config.normalization == "standardize" else None
    pretrained = bool(config.weights)

    def build() -> keras.Model:
        chosen = {"dropout": config.dropout, "batch_norm": config.batch_norm, "pretrained": pretrained}
        return build_model(config.model, shape, len(config.classes), scaling, **chosen, options=config.options)

    serving = trained = build()
    if config.mixed_precision:
        keras.mixed_precision.set_global_policy("mixed_bfloat16")
        trained = build()
        keras.mixed_precision.set_global_policy("float32")
    if is_of_use():
        trained = fuse(trained)
    if weights:
        info.load_pretrained(trained, weights)
    if pretrained:
        freeze(trained, info)
    if info.initialize:
        info.initialize(trained, images[_sample(len(images), INITIAL_IMAGES)])
    model = _make_trainable(trained, config)
    _compile(model, config, counts)
    return model, serving


def begin_fine_tuning(model: keras.Model, config: RunConfig, *counts: keras.metrics.Metric) -> None:
    """Let the last layers of the pretrained part learn too; its batch norm keeps the statistics that it came with.

    Args:
        model: with the pretrained part frozen.
        config: says how many layers, of any kind, and at what rate.
        counts: what else Keras is to count of the answers.
    """
    info = find_model(config.model)
    for layer in backbone_layers(model, info)[-(config.fine_tune_layers or info.unfreeze) :]:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    _compile(model, config, counts)


def _compile(model: keras.Model, config: RunConfig, counts: tuple[keras.metrics.Metric, ...]) -> None:
    """Give a network its optimizer, its loss, and a penalty on the weights that it trains."""
    if config.l2:
        for layer in model.layers:
            if getattr(layer, "kernel", None) is not None and layer.trainable and _may_shrink(layer, config):
                layer.kernel.regularizer = keras.regularizers.L2(config.l2)
    accuracy = keras.metrics.CategoricalAccuracy("accuracy") if mixes_labels(config) else "accuracy"
    model.compile(optimizer=make_optimizer(config), loss=make_loss(config), metrics=[accuracy, *counts])


def _may_shrink(layer: keras.layers.Layer, config: RunConfig) -> bool:
    """Whether a penalty on a kernel's length means something: Muon keeps the length of all but the last layer's."""
    return config.optimizer != "muon" or layer.name == "logits"


def _make_trainable(network: keras.Model, config: RunConfig) -> keras.Model:
    """Return the network without its softmax; with further classifiers beside it where it has such and learns from scratch."""
    logits, info = network.get_layer("logits").output, find_model(config.model)
    if info.auxiliary is None or config.weights:
        return keras.Model(network.inputs, logits)
    return Assisted(network.inputs, logits, info.auxiliary(network, len(config.classes)))


def freeze(network: keras.Model, info: ModelInfo) -> None:
    """Keep what pretrained weights were put into as it is; its batch norm then also leaves its statistics alone."""
    for layer in backbone_layers(network, info):
        layer.trainable = False


def backbone_layers(network: keras.Model, info: ModelInfo) -> list[keras.layers.Layer]:
    """Return the layers that pretrained weights are for, in order, the input and its scaling included."""
    return network.layers[: network.layers.index(network.get_layer(info.backbone)) + 1]


def make_optimizer(config: RunConfig) -> keras.optimizers.Optimizer:
    """Build the optimizer; SGD with momentum looks ahead (Nesterov), and weights are averaged beside if asked for."""
    averaging = {"use_ema": True, "ema_momentum": config.ema} if config.ema else {}

    def kind(plain: type[keras.optimizers.Optimizer]) -> type[keras.optimizers.Optimizer]:
        return averages_from_the_start(plain) if config.ema else plain

    match config.optimizer:
        case "adam":
            return kind(keras.optimizers.Adam)(config.learning_rate, **averaging)
        case "adamw":
            return kind(keras.optimizers.AdamW)(config.learning_rate, **averaging)
        case "rmsprop":
            return kind(keras.optimizers.RMSprop)(config.learning_rate, momentum=config.momentum, **averaging)
        case "muon":
            return kind(Muon)(
                config.learning_rate,
                momentum=config.momentum,
                ns_steps=3,
                adam_lr_ratio=ADAM_SHARE,
                adam_beta_2=0.99,
                weight_decay=None,
                adam_weight_decay=None,
                **averaging,
            )
        case "sgd":
            nesterov = config.momentum > 0
            return kind(keras.optimizers.SGD)(
                config.learning_rate, momentum=config.momentum, nesterov=nesterov, **averaging
            )


def averages_from_the_start(kind: type[keras.optimizers.Optimizer]) -> type[keras.optimizers.Optimizer]:
    """Return a kind of optimizer whose average of the weights soon forgets those that it began with.

    Keras keeps the same share of the average in every step. With 0.999, two thirds of it would still be the untrained weights
    after 400 steps; here at most (1 + t) / (10 + t) is kept in step t, as TensorFlow's ExponentialMovingAverage does.
    """

    class Averaging(kind):
        @property
        def ema_momentum(self) -> keras.KerasTensor:
            """The share of the average that is kept in the step that is being done."""
            done = keras.ops.cast(self.iterations, "float32")
            return keras.ops.minimum(self._largest_share, (1 + done) / (10 + done))

        @ema_momentum.setter
        def ema_momentum(self, share: float) -> None:
            self._largest_share = share

    return Averaging


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


def _sample(num_images: int, most: int) -> np.ndarray:
    """Return the positions of at most so many images, evenly: those of a class may stand together."""
    return np.linspace(0, num_images - 1, min(num_images, most)).astype(int)


def _measure(images: Prepared) -> Scaling:
    """Return mean and deviation of the training pixels by channel, of an even sample of at most 5,000 images."""
    chosen = _sample(len(images), 5000)
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
