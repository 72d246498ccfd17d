"""The confusion matrix as a table that shades each row by its shares."""

from collections.abc import Sequence
from html import escape as _text

LEVELS = 10
MAX_CLASSES = 30  # more are not a table that somebody reads
SHOWN_PAIRS = 15
LONG_NAME = 4
CAPTION = "Rows: true class. Columns: predicted class. Shade: share of the row."


def confusion_matrix(confusion: Sequence[Sequence[int]], classes: Sequence[str], title: str | None = None) -> str:
    """Return counts with row = true class and column = predicted class; the shade is the share of the row.

    Args:
        confusion: counts, one row and one column a class.
        classes: names in the same order.
        title: default: the finding, which is the class pair confused most often.
    """
    title = title if title is not None else most_confused(confusion, classes)
    tall = ' class="vw-tall"' if any(len(name) > LONG_NAME for name in classes) else ""
    head = "".join(f'<th scope="col"{tall} title="{_text(name)}">{_text(_cut(name))}</th>' for name in classes)
    body = "".join(_row(i, row, classes) for i, row in enumerate(confusion))
    return (
        f'<figure class="vw-chart"><figcaption>{_text(title)}</figcaption>'
        f'<div class="vw-scroll vw-matrix-box" tabindex="0" role="region" aria-label="{_text(title)}">'
        f'<table class="vw-matrix"><caption>{CAPTION}</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table></div></figure>"
    )


def confusions(confusion: Sequence[Sequence[int]], classes: Sequence[str], support: Sequence[int]) -> str:
    """Return the confusion matrix, or above 30 classes the 15 pairs that are confused most often.

    Args:
        confusion: counts, one row and one column a class; row = true class.
        classes: names in the same order.
        support: number of images of each class.
    """
    if len(classes) <= MAX_CLASSES:
        return confusion_matrix(confusion, classes)
    pairs = [(count, i, j) for i, row in enumerate(confusion) for j, count in enumerate(row) if count and i != j]
    pairs.sort(key=lambda pair: (-pair[0], *pair[1:]))
    rows = "".join(
        f"<li><span>{_text(classes[i])} taken for {_text(classes[j])}:</span> <span>{count:,} of {support[i]:,}</span></li>"
        for count, i, j in pairs[:SHOWN_PAIRS]
    )
    title = f"The classes confused most often, of {len(classes):,}" if rows else most_confused(confusion, classes)
    return f'<figure class="vw-chart"><figcaption>{_text(title)}</figcaption><ol class="vw-pairs">{rows}</ol></figure>'


def most_confused(confusion: Sequence[Sequence[int]], classes: Sequence[str]) -> str:
    """Return the finding: "Most often confused: cat taken for dog, 96 of 1,000"."""
    worst = max(
        ((count, i, j) for i, row in enumerate(confusion) for j, count in enumerate(row) if i != j), default=(0, 0, 0)
    )
    count, i, j = worst
    if count == 0:
        return "No class was taken for another"
    return f"Most often confused: {classes[i]} taken for {classes[j]}, {count:,} of {sum(confusion[i]):,}"


def _row(i: int, row: Sequence[int], classes: Sequence[str]) -> str:
    total = sum(row)
    cells = "".join(_cell(i, j, count, total, classes) for j, count in enumerate(row))
    name = _text(classes[i])
    return f'<tr><th scope="row" title="{name}">{name}</th>{cells}</tr>'


def _cell(i: int, j: int, count: int, total: int, classes: Sequence[str]) -> str:
    level = 0 if not count else max(1, round(LEVELS * count / total))
    diagonal = " vw-diagonal" if i == j else ""
    if not count:
        return f'<td class="h0{diagonal}"></td>'
    told = _text(f"true {classes[i]}, predicted {classes[j]}: {count:,} of {total:,}")
    return f'<td class="h{level}{diagonal}" title="{told}">{count:,}</td>'


def _cut(name: str, length: int = 18) -> str:
    return name if len(name) <= length else name[: length - 1] + "\u2026"
