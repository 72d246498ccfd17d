"""Likely label errors, and images that look like no class of the set."""

import numpy as np

from vision_app.health.evidence import Evidence
from vision_app.health.findings import Item
from vision_app.health.label_errors import find_label_errors
from vision_app.health.outliers import outlier_scores

OUTLIER = 3.0  # robust standard deviations above the median


def find_wrong_labels(evidence: Evidence) -> tuple[Item, ...]:
    """Return images whose label is probably wrong, each with the class that it should perhaps have."""
    look, items = evidence.look, []
    for positions, probabilities in evidence.out_of_sample:
        for index, score, suggested in find_label_errors(probabilities, look.labels[positions]):
            name = look.dataset.classes[suggested]
            given = look.dataset.classes[look.labels[positions[index]]]
            said = f"Labelled {given}, looks like {name}"
            items.append(look.item(positions[index], score, suggested_label=name, detail=said))
    return tuple(sorted(items, key=lambda item: -item.score))


def find_outliers(evidence: Evidence) -> tuple[Item, ...]:
    """Return images that are far from all others."""
    look = evidence.look
    scores = outlier_scores(evidence.features, look.labels[look.good])
    middle = np.median(scores)
    spread = 1.4826 * np.median(np.abs(scores - middle)) or 1.0
    away = (scores - middle) / spread
    order = np.argsort(-away, kind="stable")
    chosen = order[away[order] > OUTLIER]
    return tuple(look.item(look.good[i], away[i], detail="Far from every other image.") for i in chosen)
