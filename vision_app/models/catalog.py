"""The table of networks. To add one: a build function in a file of its family and a row here."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vision_app.config import IMPORTED
from vision_app.errors import InputError
from vision_app.lookup import find
from vision_app.models import fast, inception, resnet, small, transfer, weights
from vision_app.models.parts import PLAIN, Scaling, Shape

if TYPE_CHECKING:
    from keras import KerasTensor, Model


@dataclass(frozen=True)
class ModelInfo:
    """One network: how to build it, what it takes, and what is known about it.

    Args:
        build: (input_shape, num_classes, **options) -> a functional Keras model.
        smallest: pixels a side that it can take at the least.
        default_size, channels: the input that `parameters` is counted at.
        photo_size: pixels a side that larger pictures are reduced to unless a run asks for more.
        parameters: trainable and frozen, at the default input and 10 classes, as its recipe starts it.
        cam_layer: the layer that Grad-CAM reads unless told otherwise.
        recipe: defaults of a run, by field name of RunConfig.
        options: what `build` takes beyond the common arguments: whole numbers, each with its lowest and highest value.
        load_pretrained: puts the weights in a file into the network, for a network that has such.
        pretrained_scaling: what those weights expect to be done to raw pixel values.
        backbone: the last layer of the part that those weights are for.
        enlarges_below: pixels a side below which it enlarges pictures inside, to keep a feature map of 4 x 4 or more.
        unfreeze: how many of that part's last layers fine-tuning trains, unless told otherwise.
        scratch_recipe: in place of the recipe where a run starts without such weights.
        initialize: sets weights from training images before training, where the network needs it.
        auxiliary: (model, num_classes) -> logits of further classifiers, which only help it learn from scratch.
    """

    name: str
    title: str
    description: str
    build: Callable[..., "Model"]
    smallest: int
    default_size: int
    channels: int
    parameters: int
    cam_layer: str
    paper: str
    recipe: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    initialize: Callable[["Model", np.ndarray], None] | None = None
    load_pretrained: Callable[["Model", Path], None] | None = None
    auxiliary: Callable[["Model", int], list["KerasTensor"]] | None = None
    pretrained_scaling: Scaling = PLAIN
    backbone: str = ""
    enlarges_below: int = 0
    unfreeze: int = 0
    scratch_recipe: Mapping[str, Any] | None = None
    largest: int = 256
    photo_size: int = 64

    @property
    def takes_dropout(self) -> bool:
        """Whether the network has dropout to set."""
        return "dropout" in inspect.signature(self.build).parameters

    @property
    def takes_batch_norm(self) -> bool:
        """Whether the network can be built with and without batch normalization."""
        return "batch_norm" in inspect.signature(self.build).parameters

    def check_batch_norm(self, wanted: bool | None) -> None:
        """Refuse to take batch normalization out of a network that does without none.

        Raises:
            InputError: this network cannot.
        """
        if wanted is not None and not self.takes_batch_norm:
            able = ", ".join(row.name for row in MODELS.values() if row.takes_batch_norm)
            raise InputError(f"{self.title} is built one way only: leave batch_norm empty, or choose one of {able}.")

    def check_dropout(self, wanted: float | None) -> None:
        """Refuse dropout in a network that has none.

        Raises:
            InputError: this network cannot.
        """
        if wanted and not self.takes_dropout:
            able = ", ".join(row.name for row in MODELS.values() if row.takes_dropout)
            raise InputError(f"{self.title} has no dropout: leave it empty, or choose one of {able}.")

    @property
    def starts_pretrained(self) -> bool:
        """Whether its recipe starts from pretrained weights."""
        return bool(self.recipe.get("weights"))

    def recipe_for(self, pretrained: bool) -> Mapping[str, Any]:
        """Return the recipe for a run that starts from pretrained weights, or from scratch."""
        if pretrained and not self.starts_pretrained and self.load_pretrained:
            return TRANSFER_RECIPE
        if pretrained or not self.starts_pretrained or self.scratch_recipe is None:
            return self.recipe
        return self.scratch_recipe

    def input_size_for(self, size: int) -> int:
        """Return the input size for pictures of `size` pixels: their own, less for photos, the default for too small ones."""
        size = min(size, max(self.photo_size, self.default_size))
        return size if size >= self.smallest else self.default_size

    def check_input(self, shape: Shape) -> None:
        """Refuse an input that the network cannot take.

        Raises:
            InputError: what it takes, what came, and what to do.
        """
        size, _, channels = shape
        if not self.smallest <= size <= self.largest:
            raise InputError(
                f"{self.title} takes pictures of {self.smallest} to {self.largest} pixels a side, got {size}; "
                f"set input_size to {self.default_size}, say."
            )
        if channels not in (1, 3):
            raise InputError(f"{self.title} takes 1 (grey) or 3 (colour) channels, got {channels}.")

    def check_options(self, options: Mapping[str, Any]) -> None:
        """Refuse an option that the network does not have, or a value that it cannot take.

        Raises:
            InputError: what it takes, and what came.
        """
        for name, value in options.items():
            if name not in self.options:
                raise InputError(f"{self.title} has no option '{name}'. Known: {', '.join(self.options) or 'none'}.")
            low, high = self.options[name]
            if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
                raise InputError(f"{name} must be a whole number from {low} to {high}, got {value!r}.")


def find_model(name: str) -> ModelInfo:
    """Return a row of MODELS.

    Raises:
        InputError: there is no such row; the message names the known ones.
    """
    if name == IMPORTED:
        raise InputError(
            "This model was trained elsewhere, so its settings are not known; choose a network of the list."
        )
    return find(MODELS, name, "model")


def build_model(
    name: str,
    shape: Shape,
    num_classes: int,
    scaling: Scaling | None = None,
    dropout: float | None = None,
    batch_norm: bool | None = None,
    options: Mapping[str, Any] | None = None,
    pretrained: bool = False,
) -> "Model":
    """Build a network of the table.

    Args:
        name: a row of MODELS.
        shape: (height, width, channels) of the input.
        num_classes: at least 2.
        scaling: what happens to raw pixel values first; None divides by 255, or does what pretrained weights expect.
        dropout: share of units switched off in training; None leaves the network's own.
        batch_norm: whether its batch normalization is there; None leaves the network's own.
        options: further options of this network.
        pretrained: whether pretrained weights will be put in; some networks then end differently.

    Raises:
        InputError: the network cannot take this input or option.
    """
    info = find_model(name)
    info.check_input(shape)
    if num_classes < 2:
        raise InputError(f"A classifier needs at least 2 classes, got {num_classes}.")
    info.check_options(options or {})
    chosen = dict(options or {})
    if dropout is not None and info.takes_dropout:
        chosen["dropout"] = dropout
    if batch_norm is not None:
        info.check_batch_norm(batch_norm)
        chosen["batch_norm"] = batch_norm
    if "pretrained" in inspect.signature(info.build).parameters:
        chosen["pretrained"] = pretrained
    usual = info.pretrained_scaling if pretrained else Scaling()
    return info.build(shape, num_classes, scaling=scaling or usual, **chosen)


# Where many rows agree: deep networks from scratch, and those that start from ImageNet.
DEEP_RECIPE = {
    "optimizer": "sgd",
    "schedule": "cosine",
    "warmup_epochs": 1,
    "normalization": "standardize",
    "epochs": 30,
}
LARGEST_PHOTO = 384  # pixels a side: fine structure, such as a material's, is seen better than at 224
TRANSFER_RECIPE = {
    "weights": "imagenet",
    "optimizer": "adam",
    "learning_rate": 1e-3,
    "batch_size": 32,
    "epochs": 15,
    "fine_tune_epochs": 5,
    "fine_tune_learning_rate": 1e-4,
}

MODELS: dict[str, ModelInfo] = {
    row.name: row
    for row in (
        ModelInfo(
            name="simple_cnn",
            title="Simple CNN",
            description="Two convolutions and a dense layer: quick, and strong on digits.",
            build=small.simple_cnn,
            smallest=10,
            default_size=28,
            channels=1,
            parameters=225_034,
            cam_layer="conv2",
            paper="Keras documentation: Simple MNIST convnet",
            recipe={"optimizer": "adam", "learning_rate": 1e-3, "batch_size": 64},
        ),
        ModelInfo(
            name="lenet5",
            title="LeNet-5",
            description="The network that read cheques in 1998; small and easy to follow.",
            build=small.lenet5,
            smallest=16,
            default_size=32,
            channels=1,
            parameters=61_706,
            cam_layer="c3",
            paper="LeCun et al.: Gradient-based learning applied to document recognition. 1998",
            recipe={"optimizer": "adam", "learning_rate": 1e-3, "batch_size": 64},
        ),
        ModelInfo(
            name="custom_cnn",
            title="Custom CNN",
            description="Five convolutions with batch norm and dropout: more accurate, slower.",
            build=small.custom_cnn,
            smallest=8,
            default_size=28,
            channels=1,
            parameters=289_002,
            cam_layer="norm5",
            paper="Ioffe, Szegedy: Batch Normalization. arXiv:1502.03167, 2015",
            recipe={"optimizer": "adam", "learning_rate": 1e-3, "batch_size": 64},
        ),
        ModelInfo(
            name="cifar_cnn",
            title="CIFAR CNN",
            description="Six convolutions with batch norm and dropout that grows with depth: the usual first network for colour photos.",
            build=small.cifar_cnn,
            smallest=16,
            default_size=32,
            channels=3,
            parameters=552_874,
            cam_layer="norm6",
            paper="Simonyan, Zisserman: Very Deep Convolutional Networks. arXiv:1409.1556, 2014 (pairs of 3 x 3 convolutions)",
            recipe={"optimizer": "adam", "learning_rate": 1e-3, "schedule": "cosine", "batch_size": 64, "epochs": 30},
        ),
        ModelInfo(
            name="resnet_small",
            title="ResNet, small",
            description="Residual blocks let a deeper network learn; a good all-rounder.",
            build=resnet.resnet_small,
            smallest=16,
            default_size=32,
            channels=3,
            parameters=1_231_850,
            cam_layer="group4",
            paper="He et al.: Deep Residual Learning for Image Recognition. arXiv:1512.03385, 2015",
            recipe={
                "optimizer": "sgd",
                "learning_rate": 0.1,
                "schedule": "cosine",
                "warmup_epochs": 0.5,
                "batch_size": 128,
                "l2": 5e-4,
                "normalization": "standardize",
            },
            options={"blocks_per_group": (1, 8)},
        ),
        ModelInfo(
            name="fast_cnn",
            title="Fast CNN",
            description="A whitening layer and wide convolutions: the best accuracy for its training time.",
            build=fast.fast_cnn,
            smallest=18,
            default_size=32,
            channels=3,
            parameters=1_973_930,
            cam_layer="group3",
            paper="Jordan: 94 % on CIFAR-10 in 3.29 seconds on a single GPU. arXiv:2404.00498, 2024",
            recipe={
                "optimizer": "sgd",
                "learning_rate": 0.5,
                "momentum": 0.85,
                "schedule": "triangular",
                "warmup_epochs": 2,
                "batch_size": 256,
                "l2": 5e-4,
                "label_smoothing": 0.1,
                "normalization": "standardize",
            },
            options={"width": (4, 512), "depth": (2, 3)},
            initialize=fast.begin,
        ),
        ModelInfo(
            name="resnet18",
            title="ResNet-18",
            description="Residual blocks as published, with a first layer that fits small pictures: accurate, and slow on a CPU.",
            build=resnet.resnet18,
            smallest=28,
            default_size=32,
            channels=3,
            parameters=11_183_562,
            cam_layer="group4",
            paper="He et al.: Deep Residual Learning for Image Recognition. arXiv:1512.03385, 2015",
            recipe={**DEEP_RECIPE, "learning_rate": 0.1, "batch_size": 128, "l2": 5e-4},
        ),
        ModelInfo(
            name="mobilenet_v2",
            title="MobileNetV2",
            description="Starts from what it learned on ImageNet: good on few photos, and light enough for a CPU.",
            build=transfer.mobilenet_v2,
            smallest=16,
            default_size=96,
            channels=3,
            parameters=1_071_210,
            photo_size=224,  # that its weights were learned at; logistic regression on its features of 320 photos: 74 %, at 96: 67 %
            cam_layer="out_relu",
            paper="Sandler et al.: MobileNetV2. arXiv:1801.04381, 2018",
            recipe=TRANSFER_RECIPE,
            options={"alpha": (35, 140)},
            load_pretrained=weights.load_mobilenet_v2,
            largest=LARGEST_PHOTO,
            pretrained_scaling=transfer.BOTH_SIGNS,
            backbone="out_relu",
            enlarges_below=transfer.SIDES[0],
            unfreeze=30,
            scratch_recipe={**DEEP_RECIPE, "learning_rate": 0.05, "batch_size": 64, "l2": 4e-5},
        ),
        ModelInfo(
            name="efficientnet_b0",
            title="EfficientNet-B0",
            description="Starts from ImageNet: the most accurate for its size, and slow on a CPU.",
            build=transfer.efficientnet_b0,
            smallest=16,
            default_size=128,
            channels=3,
            parameters=4_062_381,
            cam_layer="top_activation",
            paper="Tan, Le: EfficientNet. arXiv:1905.11946, 2019",
            recipe=TRANSFER_RECIPE,
            load_pretrained=weights.load_efficientnet_b0,
            largest=LARGEST_PHOTO,
            pretrained_scaling=transfer.STANDARDISED,
            backbone="top_activation",
            enlarges_below=transfer.SIDES[0],
            unfreeze=40,
            scratch_recipe={
                **DEEP_RECIPE,
                "optimizer": "adam",
                "learning_rate": 1e-3,
                "batch_size": 64,
                "l2": 1e-5,
                "label_smoothing": 0.1,
            },
        ),
        ModelInfo(
            name="densenet121",
            title="DenseNet-121",
            description="Starts from ImageNet: every layer sees all before it; slow on a CPU.",
            build=transfer.densenet121,
            smallest=16,
            default_size=128,
            channels=3,
            parameters=7_047_754,
            cam_layer="relu",
            paper="Huang et al.: Densely Connected Convolutional Networks. arXiv:1608.06993, 2016",
            recipe=TRANSFER_RECIPE,
            load_pretrained=weights.load_densenet121,
            largest=LARGEST_PHOTO,
            pretrained_scaling=transfer.STANDARDISED,
            backbone="relu",
            enlarges_below=transfer.SIDES[0],
            unfreeze=40,
            scratch_recipe={**DEEP_RECIPE, "learning_rate": 0.1, "batch_size": 64, "l2": 1e-4},
        ),
        ModelInfo(
            name="resnet50",
            title="ResNet-50",
            description="Starts from ImageNet: the network that others are measured against; slow on a CPU.",
            build=transfer.resnet50,
            smallest=16,
            default_size=128,
            channels=3,
            parameters=24_641_930,
            cam_layer="conv5_block3_out",
            paper="He et al.: Deep Residual Learning for Image Recognition. arXiv:1512.03385, 2015",
            recipe=TRANSFER_RECIPE,
            load_pretrained=weights.load_resnet50,
            largest=LARGEST_PHOTO,
            pretrained_scaling=transfer.CENTRED,
            backbone="conv5_block3_out",
            enlarges_below=transfer.SIDES[0],
            unfreeze=40,
            scratch_recipe={**DEEP_RECIPE, "learning_rate": 0.1, "batch_size": 128, "l2": 1e-4},
        ),
        ModelInfo(
            name="vgg16",
            title="VGG16",
            description="Starts from ImageNet: thirteen plain convolutions, easy to follow, and very slow on a CPU.",
            build=transfer.vgg16,
            smallest=16,
            default_size=96,
            channels=3,
            parameters=14_719_818,
            cam_layer="block5_conv3",
            paper="Simonyan, Zisserman: Very Deep Convolutional Networks. arXiv:1409.1556, 2014",
            recipe=TRANSFER_RECIPE,
            load_pretrained=weights.load_vgg16,
            largest=LARGEST_PHOTO,
            pretrained_scaling=transfer.CENTRED,
            backbone="block5_pool",
            enlarges_below=transfer.VGG_SIDES[0],
            unfreeze=4,
            scratch_recipe={**DEEP_RECIPE, "learning_rate": 0.01, "batch_size": 128, "l2": 1e-4},
        ),
        ModelInfo(
            name="vgg19",
            title="VGG19",
            description="Starts from ImageNet: sixteen plain convolutions; the heaviest here, better left to a graphics card.",
            build=transfer.vgg19,
            smallest=16,
            default_size=96,
            channels=3,
            parameters=20_029_514,
            cam_layer="block5_conv4",
            paper="Simonyan, Zisserman: Very Deep Convolutional Networks. arXiv:1409.1556, 2014",
            recipe=TRANSFER_RECIPE,
            load_pretrained=weights.load_vgg19,
            largest=LARGEST_PHOTO,
            pretrained_scaling=transfer.CENTRED,
            backbone="block5_pool",
            enlarges_below=transfer.VGG_SIDES[0],
            unfreeze=5,
            scratch_recipe={**DEEP_RECIPE, "learning_rate": 0.01, "batch_size": 128, "l2": 1e-4},
        ),
        ModelInfo(
            name="inception_v1",
            title="Inception v1",
            description="GoogLeNet looks at every place in four ways at once; for large photos, and slow on a CPU.",
            build=inception.inception_v1,
            smallest=28,
            default_size=112,
            channels=3,
            parameters=5_624_714,
            cam_layer="inception5b",
            paper="Szegedy et al.: Going Deeper with Convolutions. arXiv:1409.4842, 2014",
            recipe={
                "optimizer": "sgd",
                "learning_rate": 0.05,
                "schedule": "cosine",
                "warmup_epochs": 1,
                "batch_size": 64,
                "l2": 1e-4,
            },
            load_pretrained=inception.load_inception_v1,
            largest=LARGEST_PHOTO,
            pretrained_scaling=transfer.BOTH_SIGNS,
            backbone="inception5b",
            enlarges_below=inception.SMALLEST_INSIDE,
            unfreeze=40,
            auxiliary=inception.auxiliary_logits,
        ),
    )
}
