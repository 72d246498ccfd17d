"""The table of what a model may expect to be done to pixel values before they reach it."""

from dataclasses import dataclass

from vision_app.models.parts import Scaling


@dataclass(frozen=True)
class PixelScaling:
    """One way of handing pixel values 0..255 to a model.

    Args:
        hint: how a person knows that the model was trained so.
        scaling: of one channel, or of three in the order red, green, blue.
        blue_first: whether the channels then come as blue, green, red.
    """

    name: str
    hint: str
    scaling: Scaling
    blue_first: bool = False


SCALINGS: dict[str, PixelScaling] = {
    row.name: row
    for row in (
        PixelScaling("raw", "0 to 255, as when nothing was done to the pictures", Scaling((0.0,), (1.0,))),
        PixelScaling("unit", "0 to 1, as when they were divided by 255", Scaling((0.0,), (255.0,))),
        PixelScaling(
            "symmetric", "-1 to 1, as by preprocess_input of MobileNet or Inception", Scaling((127.5,), (127.5,))
        ),
        PixelScaling(
            "imagenet",
            "ImageNet's mean and deviation, as in torchvision and by preprocess_input of DenseNet",
            Scaling((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
        ),
        PixelScaling(
            "caffe",
            "blue first and ImageNet's mean taken off, as by preprocess_input of VGG or ResNet50",
            Scaling((123.68, 116.779, 103.939), (1.0, 1.0, 1.0)),
            blue_first=True,
        ),
    )
}
