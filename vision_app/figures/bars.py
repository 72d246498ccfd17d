"""Horizontal bars: probabilities and counts of classes."""

import html
from collections.abc import Mapping

MAX_BARS = 30
SHOWN_OF_MANY = 20


def probability_bars(scores: Mapping[str, float], label: str | None = None) -> str:
    """Return the probabilities of all classes as bars, in label order; above 30 classes the 20 likeliest, best first.

    Args:
        scores: probability by class name.
        label: the predicted class, marked; default: the likeliest.
    """
    label = label if label is not None else max(scores, key=scores.__getitem__, default=None)
    ranked = sorted(scores, key=scores.__getitem__, reverse=True)
    names = list(scores) if len(scores) <= MAX_BARS else ranked[:SHOWN_OF_MANY]
    rows = "".join(_bar(name, scores[name], f"{100 * scores[name]:.1f} %", name == label) for name in names)
    note = ""
    if len(names) < len(scores):
        note = f'<p class="vw-note">The {len(names)} likeliest of {len(scores):,} classes.</p>'
    return f'<ul class="vw-bars" style="--vw-names:{_name_width(names)}px">{rows}</ul>{note}'


def class_histogram(counts: Mapping[str, int], title: str = "Images per class") -> str:
    """Return the number of images of each class as bars that scroll in their own box when there are many."""
    highest = max(counts.values(), default=0) or 1
    rows = "".join(_bar(name, count / highest, f"{count:,}", False) for name, count in counts.items())
    return (
        f'<figure class="vw-chart"><figcaption>{html.escape(title)}</figcaption>'
        f'<div class="vw-scroll" style="max-height:420px" tabindex="0" role="region" aria-label="{html.escape(title)}">'
        f'<ul class="vw-bars" style="--vw-names:{_name_width(counts)}px">{rows}</ul></div></figure>'
    )


def class_accuracy(shares: Mapping[str, float]) -> str:
    """Return the share of each class that is recognised as bars, in label order; above 30 classes the 20 weakest, weakest first.

    Args:
        shares: 0..1 by class name.
    """
    ranked = sorted(shares, key=shares.__getitem__)
    names = list(shares) if len(shares) <= MAX_BARS else ranked[:SHOWN_OF_MANY]
    rows = "".join(_bar(name, shares[name], f"{100 * shares[name]:.1f} %", False) for name in names)
    note = ""
    if len(names) < len(shares):
        note = f'<p class="vw-note">The {len(names)} weakest of {len(shares):,} classes.</p>'
    return (
        f'<figure class="vw-chart"><figcaption>{html.escape(_weakest(shares))}</figcaption>'
        f'<ul class="vw-bars" style="--vw-names:{_name_width(names)}px">{rows}</ul>{note}</figure>'
    )


def _weakest(shares: Mapping[str, float]) -> str:
    """Return the finding: "Accuracy by class: cat is the weakest, 42.9 %"."""
    lowest = min(shares.values(), default=0.0)
    names = [name for name, share in shares.items() if share == lowest]
    if len(names) == len(shares):
        return "Accuracy by class: all are alike"
    who = f"{names[0]} is" if len(names) == 1 else f"{names[0]} and {len(names) - 1} more are"
    return f"Accuracy by class: {who} the weakest, {100 * lowest:.1f}\N{NO-BREAK SPACE}%"


def _bar(name: str, share: float, value: str, top: bool) -> str:
    shown = html.escape(name)
    mark = ' class="vw-top"' if top else ""
    return (
        f'<li{mark}><span class="vw-name" title="{shown}">{shown}</span><span class="vw-track" aria-hidden="true">'
        f'<i class="vw-fill" style="width:{100 * min(1.0, max(0.0, share)):.2f}%"></i></span>'
        f'<span class="vw-value">{value}</span></li>'
    )


def _name_width(names: Mapping[str, object] | list[str]) -> int:
    """Pixels for the longest name, with its mark; longer ones are cut and told in full on hover."""
    return min(150, 24 + 8 * max((len(name) for name in names), default=1))
