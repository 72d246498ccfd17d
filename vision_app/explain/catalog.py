"""The table of explainers, and the one call that uses it. To add one: a function in a file of its own and a row here."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from vision_app.data.download import Progress
from vision_app.errors import InputError
from vision_app.explain.gradcam import gradcam
from vision_app.explain.gradients import Differentiate, make_differentiator
from vision_app.lookup import find
from vision_app.models.catalog import find_model
from vision_app.runs import Run

if TYPE_CHECKING:
    from keras import Model


@dataclass(frozen=True)
class Explainer:
    """One method: from a layer's activations and gradients, both (height, width, filters), to a map (height, width)."""

    name: str
    title: str
    description: str
    paper: str
    compute: Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Explanation:
    """Where a network looked for one class.

    Args:
        heatmap: float32, shape (height, width) of the image that the network received, 0 to 1.
        label: the class that the map speaks for.
        class_index: its position.
        layer, method: what the map was made from, and how.
        is_empty: nothing in the layer speaks for the class, and the map is zero everywhere.
    """

    heatmap: np.ndarray
    label: str
    class_index: int
    layer: str
    method: str
    is_empty: bool


def explain(
    run: Run,
    image: np.ndarray,
    class_index: int | None = None,
    layer: str | None = None,
    method: str = "gradcam",
    progress: Progress | None = None,
) -> Explanation:
    """Explain what a model sees in an image.

    Args:
        run: a run or checkpoint.
        image: as the network receives it, 0..255, shape (size, size, channels).
        class_index: the class to explain; None takes the predicted one.
        layer: a name from `list_layers`; None takes the model's own choice.
        method: a row of EXPLAINERS.
        progress: called with a share and a sentence while the network is loaded the first time.

    Raises:
        InputError: an unknown method, layer or class, or a run without a model.
    """
    explainer = find(EXPLAINERS, method, "method")
    config = run.config()
    if progress:
        progress(0.1, "Loading the network: the first time takes some seconds")
    model = _load_model(run)
    layer = layer or default_layer(run)
    if not list_layers(run):
        raise InputError(
            f"{run.name} has no layer that knows places, so there is nothing to show; choose another model."
        )
    if layer not in list_layers(run):
        raise InputError(f"{run.name} has no layer '{layer}' to explain. Choose one of: {', '.join(list_layers(run))}.")
    with _LOCK:
        differentiate = _differentiator(run, run.model_file.stat().st_mtime_ns, layer)
        if class_index is None:
            class_index = int(np.argmax(model(image[None].astype(np.float32), training=False)[0]))
        if not 0 <= class_index < len(config.classes):
            raise InputError(f"Class {class_index} does not exist: {run.name} knows {len(config.classes)} classes.")
        found = differentiate(image[None], np.array([class_index]))
    coarse = explainer.compute(found.activations[0], found.gradients[0])
    heatmap = _enlarge(coarse, image.shape[0])
    return Explanation(heatmap, config.classes[class_index], class_index, layer, method, not heatmap.any())


def list_layers(run: Run) -> list[str]:
    """Return the layers that can be explained, in the order of the network.

    They have a spatial output, and all that the answer knows passes through them: beside a shortcut it does not.
    """
    _load_model(run)
    with _LOCK:
        return list(_layers(run, run.model_file.stat().st_mtime_ns))


def default_layer(run: Run) -> str:
    """Return the layer that the model's row names; of a model that was trained elsewhere, the one found then, or ""."""
    origin = run.origin()
    return origin["explained_layer"] if origin else find_model(run.config().model).cam_layer


def choose_layer(model: "Model") -> str:
    """Return the layer to explain of a model without a row: the last map as large as that of its last convolution, or ""."""
    names = explainable_layers(model)
    last = max(
        (index for index, name in enumerate(names) if "Conv" in type(model.get_layer(name)).__name__), default=-1
    )
    if last < 0:
        return names[-1] if names else ""
    sizes = [model.get_layer(name).output.shape[1:3] for name in names]
    return next(name for name, size in reversed(list(zip(names, sizes, strict=True))) if size == sizes[last])


def _load_model(run: Run) -> "Model":
    if not run.model_file.exists():
        raise InputError(f"{run.name} has no model yet: wait for its first epoch, or choose another.")
    with _LOCK:
        return _load(run, run.model_file.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _load(run: Run, _changed: int) -> "Model":
    import keras

    return keras.saving.load_model(run.model_file, compile=False)


@lru_cache(maxsize=16)
def _layers(run: Run, changed: int) -> tuple[str, ...]:
    return explainable_layers(_load(run, changed))


def explainable_layers(model: "Model") -> tuple[str, ...]:
    """Return the layers of a network that can be explained, in its order; see `list_layers`."""
    cuts = _find_cuts(model)
    return tuple(
        layer.name
        for layer in model.layers[1:]
        if len(getattr(layer.output, "shape", ())) == 4
        and min(layer.output.shape[1:3]) > 1
        and layer.name != "scaling"
        and layer.name in cuts
    )


def _find_cuts(model: "Model") -> set[str]:
    """Return the layers from whose activations alone the logits can be computed: beside a shortcut there is no such."""
    from keras import tree

    steps = model.operations[: model.operations.index(model.get_layer("logits")) + 1]
    position = {id(tensor): index for index, step in enumerate(steps) for tensor in tree.flatten(step.output)}
    read_until = [0] * len(steps)  # the last step that reads each one's output
    for index, step in enumerate(steps[1:], 1):
        for tensor in tree.flatten(step.input):
            read_until[position[id(tensor)]] = index
    open_until, cuts = 0, set()
    for index, step in enumerate(steps):
        if open_until <= index:  # nothing from before is read after it
            cuts.add(step.name)
        open_until = max(open_until, read_until[index])
    return cuts


@lru_cache(maxsize=16)
def _differentiator(run: Run, changed: int, layer: str) -> Differentiate:
    return make_differentiator(_load(run, changed), layer)


def _enlarge(coarse: np.ndarray, size: int) -> np.ndarray:
    """Scale a map to 0..1 and to the image's size, smoothly."""
    import cv2

    heatmap = cv2.resize(coarse, (size, size), interpolation=cv2.INTER_LINEAR)
    largest = heatmap.max()
    return heatmap / largest if largest > 0 else heatmap


_LOCK = threading.RLock()

EXPLAINERS: dict[str, Explainer] = {
    row.name: row
    for row in (
        Explainer(
            name="gradcam",
            title="Grad-CAM",
            description="Bright where the network found evidence for the class.",
            paper="Selvaraju et al.: Grad-CAM. arXiv:1610.02391, 2017",
            compute=gradcam,
        ),
    )
}
