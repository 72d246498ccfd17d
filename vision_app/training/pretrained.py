"""Where pretrained weights come from: a file that a person names, one in the data folder, or Keras' own download."""

from pathlib import Path

from vision_app.data.download import data_root
from vision_app.errors import InputError
from vision_app.models.catalog import ModelInfo


def find_weights(info: ModelInfo, wanted: str, options: dict[str, int | float | bool]) -> Path:
    """Return the file of pretrained weights.

    Args:
        info: the network.
        wanted: "imagenet", or the path of a weights file.
        options: the network's own, of which its width decides which file.

    Raises:
        InputError: there is no such file, and it cannot be downloaded.
    """
    if wanted != "imagenet":
        path = Path(wanted).expanduser()
        if not path.is_file():
            raise InputError(f"There is no weights file at {path}; use 'imagenet', a file, or none.")
        return path
    if "alpha" not in info.options:
        raise InputError(f"Weights for {info.title} cannot be downloaded here; name a file of them, or none.")
    width = int(options.get("alpha", 35)) / 100
    name = f"{info.name}_{width:g}_224_notop.weights.h5" if width != 1 else f"{info.name}_1.0_224_notop.weights.h5"
    path = data_root() / name
    return path if path.is_file() else _download(width, path)


def _download(width: float, path: Path) -> Path:
    """Let Keras download the weights, and keep them in the data folder."""
    from keras.applications import MobileNetV2

    try:
        model = MobileNetV2(input_shape=(224, 224, 3), alpha=width, include_top=False, weights="imagenet")
    except Exception as error:  # Keras and urllib raise many kinds when there is no network
        raise InputError(
            f"The ImageNet weights are not on this machine and cannot be downloaded. Connect to the internet, or put the "
            f"file {path.name} into {path.parent}; with weights set to none, the network learns from scratch."
        ) from error
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".part-{path.name}")
    model.save_weights(temporary)
    temporary.replace(path)
    return path
