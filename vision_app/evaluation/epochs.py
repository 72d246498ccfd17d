"""How a network answered the validation images after an epoch: a line of `validation.jsonl`, JSON in and out."""

from contextlib import suppress

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from vision_app.evaluation.metrics import class_scores, mean_f1
from vision_app.runs import Run

MAX_CELLS = 2500  # of a confusion matrix that are kept: all up to 50 classes, else the largest
MAX_K = 5


class EpochResult(BaseModel):
    """One epoch's answers to the validation images. Shares are 0..1, lists by class are in label order.

    Args:
        epoch: from 1.
        count: number of images.
        macro_f1: mean F1 of the classes that occur.
        top_k: share of images whose true class is among the k likeliest, for k = 1, 2, ... (5 at most).
        precision, recall, f1, support: of each class; recall is also called the accuracy of a class.
        cells: the confusion matrix without zeros: (true class, predicted class, number of images).
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    epoch: int
    count: int
    macro_f1: float
    top_k: tuple[float, ...]
    precision: tuple[float, ...]
    recall: tuple[float, ...]
    f1: tuple[float, ...]
    support: tuple[int, ...]
    cells: tuple[tuple[int, int, int], ...]

    def confusion(self) -> np.ndarray:
        """Return the confusion matrix, int64 (k, k), row = true class; beyond 50 classes rare mistakes may be missing."""
        counts = np.zeros((len(self.support),) * 2, np.int64)
        for true, predicted, number in self.cells:
            counts[true, predicted] = number
        return counts

    def answers(self) -> frozenset[int]:
        """Return the classes that some image was taken for, as far as `cells` tells."""
        return frozenset(predicted for _, predicted, _ in self.cells)

    def is_whole(self) -> bool:
        """Whether `cells` holds every pair of classes that occurred."""
        return sum(number for _, _, number in self.cells) == self.count


def summarize(epoch: int, confusion: np.ndarray, ranks: np.ndarray) -> EpochResult:
    """Return what an epoch's counts say.

    Args:
        epoch: from 1.
        confusion: counts, integers (k, k), row = true class.
        ranks: how often the true class was the likeliest, the second likeliest, ...: integers (k,).
    """
    scores = class_scores(confusion)
    shares = np.cumsum(ranks[:MAX_K]) / ranks.sum()
    return EpochResult(
        epoch=epoch,
        count=int(ranks.sum()),
        macro_f1=round(mean_f1(confusion), 6),
        top_k=_rounded(shares),
        precision=_rounded(scores.precision),
        recall=_rounded(scores.recall),
        f1=_rounded(scores.f1),
        support=tuple(scores.support.tolist()),
        cells=tuple(_cells(confusion)),
    )


def read_epochs(run: Run, done: int | None = None) -> list[EpochResult]:
    """Return what a run wrote about its epochs, in their order, without what is damaged; empty for one that wrote nothing.

    Args:
        run: whose.
        done: the last epoch that it has finished; None reads its history.
    """
    results = []
    for record in run.validation(run.epochs_done() if done is None else done).values():
        with suppress(ValidationError):
            results.append(EpochResult(**record))
    return results


def _cells(confusion: np.ndarray) -> list[tuple[int, int, int]]:
    """List the cells that are not zero, row by row; of very many only the largest."""
    rows, columns = np.nonzero(confusion)
    counts = confusion[rows, columns]
    kept = np.sort(np.argsort(-counts, kind="stable")[:MAX_CELLS])
    return list(zip(rows[kept].tolist(), columns[kept].tolist(), counts[kept].tolist(), strict=True))


def _rounded(shares: np.ndarray) -> tuple[float, ...]:
    return tuple(np.round(shares, 5).tolist())
