"""Networks of keras.applications, built flat: raw pixels, their scaling, the network without its top, and a head of ours.

They were made for photos of 224 pixels. Small pictures are enlarged inside, a whole number of times, so that the last feature
map is at least 4 x 4: those below 64 pixels in VGG, which halves four times before it, those below 96 in the others.
"""

from typing import TYPE_CHECKING

from vision_app.models.parts import Scaling, Shape, classifier, colour_input

if TYPE_CHECKING:
    from keras import KerasTensor, Model

HIDDEN = 512
VGG_HIDDEN = 4096
# Pixels a side: from which a picture is left as it is, and to how many a smaller one is enlarged at least. At 96, which
# MobileNetV2 was published for too, the map is 3 x 3.
VGG_SIDES, SIDES = (64, 64), (96, 128)

# What pretrained weights expect: centred (VGG, ResNet), -1..1 (MobileNet), or standardised with ImageNet's statistics.
CENTRED = Scaling((123.68, 116.779, 103.939), (1.0, 1.0, 1.0))
BOTH_SIGNS = Scaling((127.5,), (127.5,))
STANDARDISED = Scaling((123.675, 116.28, 103.53), (58.395, 57.12, 57.375))


def vgg16(
    shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float | None = None, pretrained: bool = False
) -> "Model":
    """VGG16 (Simonyan, Zisserman 2014): thirteen 3 x 3 convolutions in five groups.

    From scratch it ends as in the paper, in two dense layers of 4,096 with dropout 0.5, and starts from He's weights (2015);
    pretrained, the mean of each feature map is all that the last layer sees.
    """
    return _vgg("VGG16", shape, num_classes, scaling, dropout, pretrained)


def vgg19(
    shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float | None = None, pretrained: bool = False
) -> "Model":
    """VGG19 (Simonyan, Zisserman 2014): as `vgg16`, with sixteen convolutions."""
    return _vgg("VGG19", shape, num_classes, scaling, dropout, pretrained)


def resnet50(
    shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float | None = None, pretrained: bool = False
) -> "Model":
    """ResNet-50 (He, Zhang, Ren, Sun 2015), with a dense layer of 512 and dropout 0.5 before the end if it is pretrained."""
    image, x = colour_input(shape, scaling, _times(shape, SIDES))
    x = _backbone("ResNet50", x)
    x = _hidden(x, 0.5 if dropout is None else dropout) if pretrained else _mean(x, dropout or 0.0)
    return classifier(image, x, num_classes, "resnet50")


def mobilenet_v2(
    shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float = 0.6, alpha: int = 35
) -> "Model":
    """MobileNetV2 (Sandler et al. 2018) of width `alpha` percent, a dense layer of 512, and dropout."""
    image, x = colour_input(shape, scaling, _times(shape, SIDES))
    x = _backbone("MobileNetV2", x, alpha=alpha / 100)
    return classifier(image, _hidden(x, dropout), num_classes, "mobilenet_v2")


def efficientnet_b0(shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float = 0.2) -> "Model":
    """EfficientNet-B0 (Tan, Le 2019): inverted residual blocks that weigh their channels."""
    from keras import layers

    image, x = colour_input(shape, scaling, _times(shape, SIDES))
    x = _backbone("EfficientNetB0", x)
    model = classifier(image, _mean(x, dropout), num_classes, "efficientnet_b0")
    for layer in model.layers:
        if isinstance(layer, layers.Rescaling) and layer.name not in ("scaling", "channel_scaling"):
            layer.scale = 1.0  # it would divide by 255 what has been scaled already
        elif isinstance(layer, layers.Normalization):
            layer.name = "imagenet_statistics"  # Keras numbers it anew in every network, but weights are found by name
    return model


def densenet121(shape: Shape, num_classes: int, scaling: Scaling = Scaling(), dropout: float = 0.0) -> "Model":
    """DenseNet-121 (Huang, Liu, van der Maaten, Weinberger 2016): each layer sees what all before it in its block have found."""
    image, x = colour_input(shape, scaling, _times(shape, SIDES))
    return classifier(image, _mean(_backbone("DenseNet121", x), dropout), num_classes, "densenet121")


def _vgg(
    function: str, shape: Shape, num_classes: int, scaling: Scaling, dropout: float | None, pretrained: bool
) -> "Model":
    from keras import layers

    image, x = colour_input(shape, scaling, _times(shape, VGG_SIDES))
    x = _backbone(function, x)
    if pretrained:
        return classifier(image, _mean(x, dropout or 0.0), num_classes, function.lower())
    x = layers.Flatten(name="flatten")(x)
    for number in (1, 2):
        x = layers.Dense(VGG_HIDDEN, activation="relu", kernel_initializer="he_normal", name=f"dense{number}")(x)
        x = layers.Dropout(0.5 if dropout is None else dropout, name=f"dropout{number}")(x)
    model = classifier(image, x, num_classes, function.lower())
    _start_as_he(model)
    return model


def _start_as_he(model: "Model") -> None:
    """Draw the weights of the convolutions from He's distribution: so many without batch norm need it to learn."""
    from keras import initializers, layers

    for layer in model.layers:
        if isinstance(layer, layers.Conv2D):
            layer.kernel.assign(initializers.HeNormal()(layer.kernel.shape))


def _times(shape: Shape, sides: tuple[int, int]) -> int:
    """Return how many times a picture is enlarged."""
    enough, target = sides
    return -(-target // shape[0]) if shape[0] < enough else 1


def _backbone(function: str, x: "KerasTensor", **options: float) -> "KerasTensor":
    from keras import applications

    return getattr(applications, function)(input_tensor=x, include_top=False, weights=None, **options).output


def _mean(features: "KerasTensor", dropout: float) -> "KerasTensor":
    from keras import layers

    return layers.Dropout(dropout, name="dropout")(layers.GlobalAveragePooling2D(name="average")(features))


def _hidden(features: "KerasTensor", dropout: float) -> "KerasTensor":
    from keras import layers

    x = layers.GlobalAveragePooling2D(name="average")(features)
    x = layers.Dense(HIDDEN, activation="relu", name="dense")(x)
    return layers.Dropout(dropout, name="dropout")(x)
