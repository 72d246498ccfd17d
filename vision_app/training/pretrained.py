"""Where pretrained weights come from: a file that a person names, one in the data folder, or a download into it."""

from collections.abc import Mapping
from pathlib import Path

from vision_app import places
from vision_app.config import RunConfig
from vision_app.data.download import Progress, RemoteFile, data_root, fetch
from vision_app.errors import InputError
from vision_app.models.catalog import ModelInfo, find_model
from vision_app.models.weights import WIDTHS

KERAS = "https://storage.googleapis.com/tensorflow/keras-applications"
_LAYOUT = "weights_tf_dim_ordering_tf_kernels"


def _published(folder: str, name: str, digest: str, num_bytes: int) -> RemoteFile:
    return RemoteFile(name, f"{folder}/{name}", digest, num_bytes)


# Weights learned on ImageNet, by name of the network: without the top, as keras.applications loads them.
PUBLISHED: dict[str, RemoteFile] = {
    "vgg16": _published(
        f"{KERAS}/vgg16", f"vgg16_{_LAYOUT}_notop.h5", "md5:6d6bbae143d832006294945121d1f1fc", 58_889_256
    ),
    "vgg19": _published(
        f"{KERAS}/vgg19", f"vgg19_{_LAYOUT}_notop.h5", "md5:253f8cb515780f3b799900260a226db6", 80_134_624
    ),
    "resnet50": _published(
        f"{KERAS}/resnet", f"resnet50_{_LAYOUT}_notop.h5", "md5:4d473c1dd8becc155b73f8504c6f6626", 94_765_736
    ),
    "densenet121": _published(
        f"{KERAS}/densenet", f"densenet121_{_LAYOUT}_notop.h5", "md5:30ee3e1110167f948a6b9946edeeb738", 29_084_464
    ),
    "efficientnet_b0": _published(
        "https://storage.googleapis.com/keras-applications",
        "efficientnetb0_notop.h5",
        "md5:50bc09e76180e00e4465e1a485ddc09d",
        16_705_208,
    ),
    # torchvision's, whole; the first letters of its digest stand in its name.
    "inception_v1": _published("https://download.pytorch.org/models", "googlenet-1378be20.pth", "sha256:1378be20", 0),
}


def published_file(info: ModelInfo, options: Mapping[str, int | float | bool]) -> RemoteFile:
    """Return where a network's weights learned on ImageNet are published; its width can decide which file."""
    if info.name != "mobilenet_v2":
        return PUBLISHED[info.name]
    width = float(options.get("alpha", 35)) / 100
    return _published(f"{KERAS}/mobilenet_v2", f"mobilenet_v2_{_LAYOUT}_{width}_224_no_top.h5", "", 0)


def check_weights(info: ModelInfo, config: RunConfig) -> None:
    """Refuse weights that cannot be had, before anything is started.

    Raises:
        InputError: the network has no such weights, there is no such file, or it must not be named: see `places`.
    """
    if not config.weights:
        return
    if info.load_pretrained is None:
        raise InputError(f"{info.title} has no pretrained weights; leave weights empty.")
    if config.weights != "imagenet":
        _check_file(config.weights)
    elif config.options.get("alpha", WIDTHS[0]) not in WIDTHS:
        raise InputError(f"Pretrained weights exist for alpha {', '.join(map(str, WIDTHS))}; choose one of them.")


def _check_file(wanted: str) -> Path:
    places.check(wanted, "set the weights to 'imagenet' or none")
    path = Path(wanted).expanduser()
    if not path.is_file():
        raise InputError(f"There is no weights file at {path}; use 'imagenet', a file, or none.")
    return path


def pretrained_file(config: RunConfig, progress: Progress | None = None) -> Path | None:
    """Return the file of pretrained weights that a run starts from, or None for one that starts from scratch.

    Raises:
        InputError: there is no such file, and it cannot be downloaded.
    """
    if not config.weights:
        return None
    return find_weights(find_model(config.model), config.weights, config.options, progress)


def find_weights(
    info: ModelInfo, wanted: str, options: Mapping[str, int | float | bool], progress: Progress | None = None
) -> Path:
    """Return the file of pretrained weights.

    Args:
        info: the network.
        wanted: "imagenet", or the path of a weights file.
        options: the network's own, of which its width decides which file.
        progress: called while it is downloaded, with the share done and a sentence.

    Raises:
        InputError: there is no such file, and it cannot be downloaded.
    """
    if wanted != "imagenet":
        return _check_file(wanted)
    remote = published_file(info, options)
    names = (remote.path, _saved_name(info, options))
    found = [data_root() / name for name in names if (data_root() / name).is_file()]
    return found[0] if found else _download(remote, progress)


def _saved_name(info: ModelInfo, options: Mapping[str, int | float | bool]) -> str:
    """Return the name of the same weights as Keras' `save_weights` writes them."""
    width = f"_{options.get('alpha', 35) / 100}" if "alpha" in info.options else ""
    return f"{info.name}{width}_224_notop.weights.h5"


def _download(remote: RemoteFile, progress: Progress | None) -> Path:
    try:
        return fetch(remote, progress)
    except InputError as error:
        raise InputError(
            f"The ImageNet weights are not on this machine and cannot be downloaded. Connect to the internet, or put the "
            f"file {remote.path} into {data_root()}; with weights set to none, the network learns from scratch."
        ) from error
