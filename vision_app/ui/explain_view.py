"""What the Explain tab says and shows: plain functions of pictures, model, class and layer."""

import html
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vision_app.data.datasets import find_dataset
from vision_app.data.uploads import read_picture
from vision_app.errors import InputError
from vision_app.explain.catalog import EXPLAINERS, Explanation, default_layer, explain, list_layers
from vision_app.figures import colorbar, heatmap_image, overlay, picture_html
from vision_app.ui.classify_view import NO_MODEL, Answer, classify, find_model
from vision_app.ui.pictures import Source

PREDICTED = "Predicted class"
SMALLEST_FILE = 256  # pixels a side of a saved overlay, at least
_WARMING = threading.Lock()


@dataclass(frozen=True)
class Chosen:
    """Which kind of source is open (examples, upload or draw), and the picture chosen of each kind."""

    kind: str = "examples"
    sources: Mapping[str, Source] = field(default_factory=dict)

    def with_source(self, kind: str, source: Source) -> "Chosen":
        """Return the same with another picture of one kind."""
        return Chosen(self.kind, {**self.sources, kind: source})


@dataclass(frozen=True)
class Explained:
    """A picture's explanation, with everything that drawing it needs.

    Args:
        source: where the picture comes from; its name is told.
        answer: what the model says, and the image that it received.
    """

    source: Source
    answer: Answer
    explanation: Explanation


def is_ready() -> bool:
    """Whether the libraries that explanations need are already there."""
    return "keras" in sys.modules and not _WARMING.locked()


def warm_up() -> None:
    """Import Keras in the background, once, so that the first explanation comes sooner."""
    if "keras" not in sys.modules:
        threading.Thread(target=_import_keras, daemon=True, name="import-keras").start()


def _import_keras() -> None:
    with _WARMING:
        import keras  # noqa: F401


def class_choices(model: str | None) -> list[str]:
    """Return the classes to choose from, with the predicted one first."""
    return [PREDICTED, *(find_model(model).config().classes if model else ())]


def layer_choices(model: str | None, listed: bool = False) -> list[tuple[str, str]]:
    """Return the layers as (title, name), the model's own, "", first.

    Args:
        listed: with all layers that can be explained; that loads the network, which takes seconds the first time.
    """
    if not model:
        return []
    run = find_model(model)
    own = [(f"{default_layer(run) or 'none'} (the model's own)", "")]
    return own + [(name, name) for name in list_layers(run)] if listed else own


def method_choices() -> list[tuple[str, str]]:
    """Return the methods as (title, name)."""
    return [(row.title, row.name) for row in EXPLAINERS.values()]


def named(source: Source) -> Source:
    """Return a source whose name tells which picture it is; a dataset's images are only called by their class."""
    if source.dataset is None:
        return source
    return Source(
        f"{find_dataset(source.dataset).title} test image {source.index}", dataset=source.dataset, index=source.index
    )


def explain_picture(
    picture: np.ndarray,
    source: Source,
    model: str | None,
    class_name: str = "",
    layer: str = "",
    method: str = "gradcam",
) -> Explained:
    """Return where a model looked in a picture.

    Args:
        picture: uint8 RGB (height, width, 3).
        source: where it comes from; a dataset's own image is not normalised for a model of that dataset.
        model: a checkpoint or run.
        class_name: the class to explain; empty or PREDICTED: the predicted one.
        layer: one of the network's; empty: the model's own choice.
        method: a row of EXPLAINERS.

    Raises:
        InputError: an unknown model, class, layer or method.
    """
    answer = classify(picture, [model] if model else [], source.dataset)[0]
    run = find_model(answer.model)
    index = _class_index(run.config().classes, class_name or PREDICTED, answer)
    return Explained(named(source), answer, explain(run, answer.received, index, layer or None, method))


def _class_index(classes: tuple[str, ...], class_name: str, answer: Answer) -> int:
    label = answer.prediction.label if class_name == PREDICTED else class_name
    if label not in classes:
        known = ", ".join(classes[:20]) + (", ..." if len(classes) > 20 else "")
        raise InputError(f"{answer.model} has no class '{label}'. Choose one of: {known}.")
    return classes.index(label)


def explained_html(explained: Explained, opacity: float) -> str:
    """Return original, heat map and overlay, each as a large picture, with what they say in words.

    Args:
        opacity: of the heat map over the image, 0..1.
    """
    image, heatmap = explained.answer.received, explained.explanation.heatmap
    height, width = image.shape[:2]
    what = description(explained)
    pictures = (
        (image, f"{explained.source.name} as the network received it", f"Received, {width} × {height}"),
        (heatmap_image(heatmap), f"Heat map alone: {what}", "Heat map"),
        (overlay(image, heatmap, opacity), what, "Overlay"),
    )
    figures = "".join(
        f"<figure>{picture_html(pixels, alt, 'vw-crisp')}<figcaption>{caption}</figcaption></figure>"
        for pixels, alt, caption in pictures
    )
    empty = ""
    if explained.explanation.is_empty:
        empty = f'<p class="vw-alert" role="status"><span aria-hidden="true">!</span>{html.escape(emptiness(explained))}</p>'
    return (
        f'<article class="vw-explained"{_place(explained.source)}>{_headline(explained)}{empty}<div class="vw-maps">{figures}</div>'
        f"{colorbar('no evidence', 'most evidence')}{_note(explained)}</article>"
    )


def _place(source: Source) -> str:
    """Return attributes from which the address is written."""
    return f' data-dataset="{source.dataset}" data-image="{source.index}"' if source.dataset else ""


def description(explained: Explained) -> str:
    """Return what the overlay shows: "Grad-CAM of digit_7.png for class 7"."""
    explanation = explained.explanation
    empty = ": empty, nothing speaks for it" if explanation.is_empty else ""
    return f"{EXPLAINERS[explanation.method].title} of {explained.source.name} for class {explanation.label}{empty}"


def emptiness(explained: Explained) -> str:
    """Say that a map is empty and what to do."""
    explanation = explained.explanation
    return (
        f"The map is empty: nothing in layer {explanation.layer} speaks for class {explanation.label} in this picture. "
        f"Try {'' if explanation.label == explained.answer.prediction.label else 'the predicted class or '}another layer."
    )


def _headline(explained: Explained) -> str:
    prediction, label = explained.answer.prediction, explained.explanation.label
    share = f"{100 * prediction.scores[label]:.1f} %"
    predicted = prediction.label
    other = (
        f"<p>Predicted: {html.escape(predicted)}, {100 * prediction.scores[predicted]:.1f} %</p>"
        if predicted != label
        else ""
    )
    kind = "the predicted class" if predicted == label else "a class that was not predicted"
    return (
        f'<header role="status"><h3>{html.escape(explained.answer.model)}: evidence for {kind}</h3>'
        f"<p><strong>{html.escape(label)}</strong><span>, {share}</span></p>{other}</header>"
    )


def _note(explained: Explained) -> str:
    row = EXPLAINERS[explained.explanation.method]
    layer = html.escape(explained.explanation.layer)
    return (
        f'<p class="vw-note">{row.title} at layer {layer}. {row.description} The brightest point is always 1: '
        f"the map says where, not how much. {html.escape(row.paper)}.</p>"
    )


def overlay_picture(explained: Explained, opacity: float = 0.5) -> np.ndarray:
    """Return the overlay as uint8 RGB, each pixel enlarged to a square so that the file can be looked at."""
    pixels = overlay(explained.answer.received, explained.explanation.heatmap, opacity)
    times = -(-SMALLEST_FILE // pixels.shape[0])
    return pixels.repeat(times, 0).repeat(times, 1)


def explain_file(path: str, model: str, class_name: str, layer: str) -> tuple[np.ndarray, dict[str, Any]]:
    """Return the overlay of a picture file (height, width, 3) uint8, and what it says as plain JSON values."""
    explained = explain_picture(read_picture(Path(path)), Source(Path(path).name, path=path), model, class_name, layer)
    prediction, explanation = explained.answer.prediction, explained.explanation
    return overlay_picture(explained), {
        "model": explained.answer.model,
        "class": explanation.label,
        "probability": prediction.scores[explanation.label],
        "predicted": prediction.label,
        "scores": prediction.scores,
        "layer": explanation.layer,
        "method": explanation.method,
        "empty": explanation.is_empty,
        "description": description(explained),
    }


def empty_html(model: str | None) -> str:
    """Return what to do when there is no explanation yet."""
    lead, rest = "Choose a picture", "See which parts of it spoke for the answer."
    if not model:
        lead, rest = "No model yet", NO_MODEL
    return f'<div class="vw-empty"><strong>{lead}</strong><span>{rest}</span></div>'


def waiting_html() -> str:
    """Return what is going on before the first explanation."""
    return (
        '<div class="vw-empty" role="status"><strong>Starting TensorFlow and loading the network</strong>'
        "<span>Only the first time; it takes 5 to 10 seconds.</span></div>"
    )
