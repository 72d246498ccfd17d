"""What the Classify tab says and shows: plain functions of pictures and model names."""

import html
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vision_app.data.preprocess import preprocess
from vision_app.data.reading import read_picture
from vision_app.errors import InputError
from vision_app.figures import picture_html, probability_bars
from vision_app.predict import Prediction, load_classifier
from vision_app.runs import Run, list_models, resolve
from vision_app.ui.pictures import Source

MAX_MODELS = 6
# The models to begin with, best first, by where the picture comes from.
PREFERRED = {"draw": ("mnist", "digits"), "upload": ("cifar10", "shapes"), "webcam": ("cifar10", "shapes")}
# Our own example pictures tell by the start of their name what they show.
EXAMPLE_MODELS = {"digit": PREFERRED["draw"], "shape": ("shapes",), "fashion": ("fashion_mnist",)}
NO_MODEL = "Train one in the Train tab; digits is the quickest."
CLOSED_WORLD = '<p class="vw-note">The model knows only these classes, and always answers one of them.</p>'
EMPTY = {
    "draw": ("Draw a digit", "The answer appears here while you draw."),
    "upload": ("Choose a picture", "Any format; photos, scans and drawings alike. The answer appears here."),
    "webcam": ("Take a photo", "Hold the object, or a digit on paper, in the middle of the picture."),
    "examples": ("Click on a picture", "The answer appears here."),
}


@dataclass(frozen=True)
class Answer:
    """What one model says to one picture, and the image (size, size, channels) uint8 that it received."""

    model: str
    prediction: Prediction
    received: np.ndarray


@dataclass(frozen=True)
class Refusal:
    """Why one of several models cannot answer to a picture."""

    model: str
    reason: str


def model_names() -> list[str]:
    """Return the names of everything that can predict: shipped checkpoints, then runs, newest first."""
    return [run.name for run in list_models()]


def default_models(kind: str, names: Sequence[str]) -> list[str]:
    """Return the model to begin with for a kind of source (draw, upload, webcam), of those there are."""
    return [next((name for name in PREFERRED.get(kind, ()) if name in names), names[0])] if names else []


def switch_models(after: str, chosen: Sequence[str], automatic: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the models when the source changes: what the page chose gives way to the new source's, a person's choice stays.

    Args:
        after: the source that is opened.
        chosen: the models so far.
        automatic: the models that the page chose last.
        names: what there is.
    """
    known = [name for name in chosen if name in names]
    if known and (after not in PREFERRED or list(chosen) != list(automatic)):
        return known
    return default_models(after, names)


def models_for(source: Source, chosen: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the models for an example: those chosen if one of them knows its classes, else the one made for it."""
    if source.dataset is None:
        start = source.name.split(" ")[0].lower()
        fitting = [name for name in EXAMPLE_MODELS.get(start, PREFERRED["upload"]) if name in names]
    else:
        fitting = [run.name for run in list_models() if run.config().dataset == source.dataset]
    if not fitting or any(name in fitting for name in chosen):
        return list(chosen)
    return fitting[:1]


def find_model(name: str) -> Run:
    """Return a model by its plain name; the page does not open folders.

    Raises:
        InputError: there is none.
    """
    if Path(name).name != name:
        raise InputError(f"Expected the name of a model, got '{name}'. Known: {', '.join(model_names()) or 'none'}.")
    return resolve(name, paths=False)


def classify(picture: np.ndarray, models: Sequence[str], dataset: str | None = None) -> list[Answer | Refusal]:
    """Return what each model says; one that cannot answer does not stop the others.

    Args:
        picture: uint8 RGB (height, width, 3).
        models: names of checkpoints or runs.
        dataset: the dataset whose own test image this is; None: a picture from outside.

    Raises:
        InputError: no model, too many, or none that can answer.
    """
    if not models:
        raise InputError("Expected at least one model, got none; choose one under Models.")
    if len(models) > MAX_MODELS:
        raise InputError(f"Expected at most {MAX_MODELS} models side by side, got {len(models)}; remove some.")
    answers: list[Answer | Refusal] = []
    for name in dict.fromkeys(models):
        try:
            answers.append(_answer(picture, name, dataset))
        except InputError as error:
            answers.append(Refusal(name, str(error)))
    if all(isinstance(answer, Refusal) for answer in answers):
        raise InputError(answers[0].reason)
    return answers


def _answer(picture: np.ndarray, name: str, dataset: str | None) -> Answer:
    classifier = load_classifier(find_model(name))
    config = classifier.config
    if dataset == config.dataset:  # its own test image: as in the evaluation, with nothing to normalise
        received = preprocess(picture[None], config.input_size, config.channels, config.fit)[0]
    else:
        received = classifier.receive(picture)
    return Answer(name, classifier.predict_received(received), received)


def classify_file(path: str, models: Sequence[str]) -> list[dict]:
    """Return what each model says to a picture file, as plain JSON values: [{"model", "label", "scores"} or {"model", "error"}]."""
    answers = classify(read_picture(Path(path)), models)
    return [
        {"model": answer.model, "error": answer.reason}
        if isinstance(answer, Refusal)
        else {"model": answer.model, **answer.prediction.model_dump(mode="json")}
        for answer in answers
    ]


def answers_html(answers: Sequence[Answer | Refusal], truth: str | None = None) -> str:
    """Return the answers as HTML: a sentence when there is something to say, then one block a model.

    Args:
        answers: one a model.
        truth: the label that the dataset gives to this image; None: a picture from outside, which may be anything.
    """
    known = f"The dataset says {truth}. " if truth is not None else ""
    said = (known + verdict([answer for answer in answers if isinstance(answer, Answer)])).strip()
    blocks = "".join(
        _block(answer, truth is None) if isinstance(answer, Answer) else _refusal(answer) for answer in answers
    )
    sentence = f'<p class="vw-said" role="status">{html.escape(said)}</p>' if said else ""
    return f'<div class="vw-results">{sentence}{blocks}</div>'


def verdict(answers: Sequence[Answer]) -> str:
    """Return in words whether the models agree; empty for a single one."""
    if len(answers) < 2:
        return ""
    groups: dict[frozenset[str], list[Answer]] = {}
    for answer in answers:
        groups.setdefault(frozenset(answer.prediction.scores), []).append(answer)
    if len(groups) > 1:
        said = "These models know different classes, so their answers are about different things."
        return " ".join([said, *filter(None, (verdict(group) for group in groups.values()))])
    labels = Counter(answer.prediction.label for answer in answers)
    (top, votes), *rest = labels.most_common()
    if not rest:
        return f"{'Both' if len(answers) == 2 else f'All {len(answers)}'} models say {top}."
    if votes == 1:
        told = ", ".join(f"{answer.model} says {answer.prediction.label}" for answer in answers)
        return f"The models disagree: {told}."
    others = ", ".join(f"{a.model} says {a.prediction.label}" for a in answers if a.prediction.label != top)
    return f"The models disagree: {votes} of {len(answers)} say {top}, {others}."


def _refusal(refusal: Refusal) -> str:
    name, reason = html.escape(refusal.model), html.escape(refusal.reason)
    return (
        f'<article class="vw-result"><div class="vw-answer"><div><h3>{name}</h3></div></div><p>{reason}</p></article>'
    )


def _block(answer: Answer, from_outside: bool) -> str:
    label, scores = answer.prediction.label, answer.prediction.scores
    height, width, channels = answer.received.shape
    kind = "grey" if channels == 1 else "colour"
    alt = f"The image that {answer.model} received: {width} by {height} pixels, {kind}"
    return (
        f'<article class="vw-result"><div class="vw-answer"><div><h3>{html.escape(answer.model)}</h3>'
        f'<p role="status">{html.escape(label)}<small>, {100 * scores[label]:.1f} %</small></p></div>'
        f'<figure class="vw-received">{picture_html(answer.received, alt)}'
        f"<figcaption>What the network received: {width} × {height}, {kind}</figcaption></figure></div>"
        f"{probability_bars(scores, label)}{CLOSED_WORLD if from_outside else ''}</article>"
    )


def empty_html(kind: str, names: Sequence[str]) -> str:
    """Return what to do when there is no answer yet."""
    if not names:
        lead, rest = "No model yet", NO_MODEL
    else:
        lead, rest = EMPTY[kind]
    return f'<div class="vw-empty"><strong>{lead}</strong><span>{rest}</span></div>'


def preview_html(picture: np.ndarray, name: str, thumbnail: np.ndarray) -> str:
    """Return the chosen picture as people see it, with its name and size."""
    height, width = picture.shape[:2]
    shown = html.escape(name)
    return (
        f'<figure class="vw-preview">{picture_html(thumbnail, name)}'
        f"<figcaption><strong>{shown}</strong><br>{width:,} × {height:,} pixels</figcaption></figure>"
    )
