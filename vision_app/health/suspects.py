"""Likely label errors, and images that look like no class of the set."""

import numpy as np

from vision_app.health.evidence import Evidence
from vision_app.health.findings import KEPT_ITEMS, Finding, Item
from vision_app.health.label_errors import find_label_errors
from vision_app.health.outliers import SUSPICIOUS, outlier_scores

TRUSTED = 0.75  # accuracy below which a model's doubts about labels say more of the model than of the labels


def find_wrong_labels(evidence: Evidence) -> Finding:
    """Find images whose label is probably wrong, each with the class that it should perhaps have.

    A model that is often wrong itself is not asked; the finding says so.
    """
    look, items, said = evidence.look, [], []
    for positions, probabilities in evidence.out_of_sample:
        labels = look.labels[positions]
        accuracy = float((probabilities.argmax(1) == labels).mean())
        if accuracy < TRUSTED:
            splits = ", ".join(look.parts[number].name for number in np.unique(look.splits[positions]))
            said.append(
                f"Not judged in {splits}: the classes could only be told apart in {100 * accuracy:.0f} % of cases."
            )
            continue
        for index, score, suggested in find_label_errors(probabilities, labels):
            items.append(_suspect(evidence, int(positions[index]), score, suggested))
    items.sort(key=lambda item: -item.score)
    return Finding(kind="label_error", count=len(items), items=tuple(items[:KEPT_ITEMS]), detail=" ".join(said))


def find_outliers(evidence: Evidence) -> tuple[Item, ...]:
    """Return images that are far from all others."""
    look = evidence.look
    thumbs, labels = look.thumbs[look.good], look.labels[look.good]
    scores = outlier_scores(evidence.description, labels, thumbs)
    order = np.argsort(-scores, kind="stable")
    chosen = order[scores[order] > SUSPICIOUS]
    return tuple(look.item(look.good[i], scores[i], detail="Far from every other image.") for i in chosen)


def _suspect(evidence: Evidence, position: int, score: float, suggested: int) -> Item:
    look = evidence.look
    name, given = look.dataset.classes[suggested], look.dataset.classes[look.labels[position]]
    return look.item(position, score, suggested_label=name, detail=f"Labelled {given}, looks like {name}")
