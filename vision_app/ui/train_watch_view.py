"""What a run saw and answered after each of its epochs, as HTML: plain functions of the run directory."""

import functools
import html
from collections.abc import Sequence
from typing import Any
from zipfile import BadZipFile

from vision_app.evaluation.epochs import EpochResult, read_epochs
from vision_app.explain.strip import Glimpse, Strip, list_epochs, read_glimpse, read_strip
from vision_app.figures import Series, class_accuracy, colorbar, confusions, curves, overlay, picture_html
from vision_app.readable import percent
from vision_app.runs import Run

FIRST = 3  # classes that are given the benefit of the doubt
SHOWN_NAMES = 5
SMALL = 48  # pixels a side: of smaller pictures every pixel is shown
NOTE = (
    "The same validation images after every epoch. Beside each, Grad-CAM: bright where the network found evidence for the true "
    "class; its brightest point is always 1."
)


def traces(run: Run | None) -> tuple[Any, ...]:
    """Return what changes when there is something new to see; cheap."""
    if run is None:
        return ()
    folder = run.strip_folder.stat().st_mtime_ns if run.strip_folder.is_dir() else 0
    return run.name, _size(run), folder


def results_of(run: Run, done: int) -> list[EpochResult]:
    """Return how a run answered the validation images after each epoch up to `done`; read once while nothing is added."""
    return _read(run, _size(run), done)


def epochs_to_see(run: Run, done: int) -> list[int]:
    """Return the epochs up to `done` that something was written about, in their order; 0 is before training."""
    seen = {epoch for epoch in list_epochs(run) if epoch <= done}
    return sorted(seen | {result.epoch for result in results_of(run, done)})


def watch_html(run: Run, epoch: int) -> str:
    """Return everything about one epoch: what the network saw, and how it answered the validation images.

    Args:
        run: which wrote something about its epochs.
        epoch: of a long run, the nearest one that was kept is shown.
    """
    done = run.epochs_done()
    results, seen = results_of(run, done), list_epochs(run)
    shown = min(epochs_to_see(run, done), key=lambda other: abs(other - epoch))
    classes = run.config().classes
    parts = [_headline(shown, next((result for result in results if result.epoch == shown), None))]
    if seen:
        parts.append(_strip_html(run, min(seen, key=lambda other: abs(other - shown)), classes))
    if results:
        parts.append(_results_html(results, shown, classes))
    return f'<section class="vw-watch" aria-label="What it learns, epoch by epoch">{"".join(parts)}</section>'


def _headline(epoch: int, result: EpochResult | None) -> str:
    if result is None:
        return f'<p class="vw-said">{"Before training" if not epoch else f"After epoch {epoch}"}</p>'
    said = f"After epoch {epoch}: {percent(result.top_k[0])} of {result.count:,} validation images are right"
    further = ", ".join(f"the first {k}: {percent(share)}" for k, share in enumerate(result.top_k, 1) if k > 1)
    note = f'<p class="vw-note">True class among {further}.</p>' if further else ""
    return f'<p class="vw-said">{said}; macro F1 {percent(result.macro_f1)}.</p>{note}'


def _strip_html(run: Run, epoch: int, classes: Sequence[str]) -> str:
    try:
        strip, glimpse = read_strip(run), read_glimpse(run, epoch)
    except (OSError, EOFError, ValueError, KeyError, BadZipFile):
        return f'<p class="vw-note">The pictures of epoch {epoch} cannot be read: their file is damaged.</p>'
    tiles = "".join(_tile(strip, glimpse, index, classes) for index in range(len(strip.labels)))
    return (
        f'<div class="vw-strip">{tiles}</div><div class="vw-strip-foot">{colorbar("no evidence", "most evidence")}'
        f'<p class="vw-note">{NOTE}</p></div>'
    )


def _tile(strip: Strip, glimpse: Glimpse, index: int, classes: Sequence[str]) -> str:
    """Return one image, its map, and what the network took it for; right and wrong differ by sign and words."""
    image, heatmap, scores = strip.images[index], glimpse.maps[index] / 255, glimpse.probabilities[index]
    true, best = int(strip.labels[index]), int(scores.argmax())
    is_right, name = true == best, classes[true]
    share = f"{100 * float(scores[best]):.1f} %"
    said = f"{classes[best]}, {share}"
    empty = "" if heatmap.any() else f"; nothing speaks for {name}"
    told = f"Grad-CAM for class {name}: taken for {said}{empty}"
    look = "vw-crisp" if len(image) <= SMALL else ""
    pictures = (
        picture_html(image, f"Validation image of class {name}", look),
        picture_html(overlay(image, heatmap), told, look),
    )
    truth = f"right{empty}" if is_right else f"is {name}{empty}"
    return (
        f'<figure class="{"vw-right" if is_right else "vw-wrong"}" title="{html.escape(told)}"><div>{"".join(pictures)}</div>'
        f"<figcaption><b><span>{html.escape(classes[best])}</span>, {share}</b><span>{html.escape(truth)}</span></figcaption></figure>"
    )


def _results_html(results: list[EpochResult], epoch: int, classes: Sequence[str]) -> str:
    """Return the measures over all epochs, and what the chosen one (or the first after it) did by class."""
    result = min(results, key=lambda other: abs(other.epoch - epoch))
    occurring = {name: share for name, share, n in zip(classes, result.recall, result.support, strict=True) if n}
    never = [name for index, name in enumerate(classes) if result.support[index] and index not in result.answers()]
    silent = f'<p class="vw-note">{html.escape(_never_answered(never))}</p>' if never and result.is_whole() else ""
    which = (
        ""
        if result.epoch == epoch
        else f'<p class="vw-note">Answers are counted after epochs: below, after epoch {result.epoch}.</p>'
    )
    return (
        f'{which}{silent}<div class="vw-two vw-watch-two">{_lines(results, len(classes))}{class_accuracy(occurring)}</div>'
        f"{confusions(result.confusion().tolist(), classes, result.support)}"
    )


def _never_answered(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
    return f"No image was taken for {', '.join(names[:SHOWN_NAMES])}{more}."


def _lines(results: list[EpochResult], num_classes: int) -> str:
    epochs = [result.epoch for result in results]
    series = [Series("Macro F1", epochs, [result.macro_f1 for result in results], "validation", 0)]
    if num_classes > FIRST:
        shares = [result.top_k[FIRST - 1] for result in results]
        series.append(Series(f"True class among the first {FIRST}", epochs, shares, "validation", 1))
    best = max(results, key=lambda result: (result.macro_f1, -result.epoch))
    title = f"Highest macro F1: {percent(best.macro_f1)} at epoch {best.epoch}"
    return curves(series, title=title, percent=True, best=(best.epoch, best.macro_f1))


def _size(run: Run) -> int:
    return run.validation_file.stat().st_size if run.validation_file.exists() else 0


@functools.lru_cache(maxsize=4)
def _read(run: Run, _size: int, done: int) -> list[EpochResult]:
    return read_epochs(run, done)
