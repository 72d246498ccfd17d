"""Small convolutional networks for small pictures."""

from typing import TYPE_CHECKING

from vision_app.models.parts import Scaling, Shape, batch_normalization, classifier, image_input

if TYPE_CHECKING:
    from keras import Model


def simple_cnn(shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float = 0.5) -> "Model":
    """Two convolutions and a dense layer: the Keras introduction's "simple convnet"."""
    from keras import layers

    image, x = image_input(shape, scaling)
    x = layers.Conv2D(32, 3, activation="relu", name="conv1")(x)
    x = layers.MaxPooling2D(name="pool1")(x)
    x = layers.Conv2D(64, 3, activation="relu", name="conv2")(x)
    x = layers.MaxPooling2D(name="pool2")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(128, activation="relu", name="dense1")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    return classifier(image, x, num_classes, "simple_cnn")


def lenet5(shape: Shape, num_classes: int, scaling: Scaling = Scaling()) -> "Model":
    """LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998), with full connections and a softmax end."""
    from keras import layers

    image, x = image_input(shape, scaling)
    x = layers.Conv2D(6, 5, activation="tanh", name="c1")(x)
    x = layers.AveragePooling2D(2, name="s2")(x)
    x = layers.Conv2D(16, 5, activation="tanh", name="c3")(x)
    x = layers.AveragePooling2D(2, name="s4")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(120, activation="tanh", name="c5")(x)
    x = layers.Dense(84, activation="tanh", name="f6")(x)
    return classifier(image, x, num_classes, "lenet5")


def custom_cnn(
    shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float = 0.4, batch_norm: bool = True
) -> "Model":
    """Five convolutions (32, 32, 64, 64, 128) with LeakyReLU, batch norm, pooling and dropout, then Dense 128."""
    from keras import layers

    image, x = image_input(shape, scaling)
    for number, (filters, pool) in enumerate([(32, False), (32, True), (64, False), (64, True), (128, True)], 1):
        x = layers.Conv2D(filters, 3, padding="same", name=f"conv{number}")(x)
        x = layers.LeakyReLU(0.1, name=f"leaky{number}")(x)
        x = batch_normalization(f"norm{number}", batch_norm)(x)
        if pool:
            x = layers.MaxPooling2D(name=f"pool{number}")(x)
            x = layers.Dropout(dropout, name=f"dropout{number}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(128, name="dense1")(x)
    x = layers.LeakyReLU(0.1, name="leaky6")(x)
    x = layers.Dropout(dropout, name="dropout6")(x)
    return classifier(image, x, num_classes, "custom_cnn")


def cifar_cnn(
    shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float = 0.5, batch_norm: bool = True
) -> "Model":
    """Six convolutions (32, 32, 64, 64, 128, 128) with batch norm, pooled in pairs, then Dense 128 with batch norm.

    A pattern of many published CIFAR-10 scripts, after VGG. Dropout grows with depth: 0.4, 0.6 and 0.8 of the given share after
    the pairs (0.2, 0.3, 0.4 by default), all of it before the end.
    """
    from keras import layers

    image, x = image_input(shape, scaling)
    for pair, (filters, part) in enumerate([(32, 0.4), (64, 0.6), (128, 0.8)], 1):
        for number in (2 * pair - 1, 2 * pair):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{number}")(x)
            x = batch_normalization(f"norm{number}", batch_norm)(x)
        x = layers.MaxPooling2D(name=f"pool{pair}")(x)
        x = layers.Dropout(part * dropout, name=f"dropout{pair}")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(128, activation="relu", name="dense1")(x)
    x = batch_normalization("norm7", batch_norm)(x)
    x = layers.Dropout(dropout, name="dropout4")(x)
    return classifier(image, x, num_classes, "cifar_cnn")
