"""An epoch's summary, against scikit-learn and by hand."""

import numpy as np
import pytest
from sklearn import metrics

from tests.ui.stored_runs import epoch_line, write_history
from vision_app.evaluation.epochs import MAX_CELLS, EpochResult, read_epochs, summarize
from vision_app.runs import create_run
from vision_app.training.recipe import make_config


def counted(labels: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return confusion matrix and counts of ranks."""
    num_classes = scores.shape[1]
    ranks = (scores > scores[np.arange(len(labels)), labels][:, None]).sum(1)
    confusion = metrics.confusion_matrix(labels, scores.argmax(1), labels=range(num_classes))
    return confusion, np.bincount(ranks, minlength=num_classes)


@pytest.mark.parametrize("num_classes", [2, 7])
def test_agrees_with_scikit_learn(num_classes: int) -> None:
    generator = np.random.default_rng(num_classes)
    labels = generator.integers(0, num_classes, 300)
    scores = generator.normal(size=(300, num_classes)) + np.eye(num_classes)[labels]
    result = summarize(4, *counted(labels, scores))
    expected = metrics.precision_recall_fscore_support(labels, scores.argmax(1), zero_division=0)
    for found, wanted in zip((result.precision, result.recall, result.f1, result.support), expected, strict=True):
        assert found == pytest.approx(wanted, abs=1e-5)
    assert result.macro_f1 == pytest.approx(metrics.f1_score(labels, scores.argmax(1), average="macro"), abs=1e-5)
    assert (result.epoch, result.count, len(result.top_k)) == (4, 300, min(5, num_classes))
    if num_classes > 2:  # scikit-learn's function takes scores of two classes in another form
        for k, share in enumerate(result.top_k, 1):
            assert share == pytest.approx(metrics.top_k_accuracy_score(labels, scores, k=k), abs=1e-5)
    assert np.array_equal(result.confusion(), counted(labels, scores)[0])


def test_a_class_that_nobody_has_or_predicts_does_not_count() -> None:
    result = summarize(1, np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]]), np.array([7, 1, 0]))
    assert result.macro_f1 == pytest.approx((6 / 7 + 8 / 9) / 2, abs=1e-6)
    assert result.recall == (0.75, 1.0, 0.0) and result.support == (4, 4, 0)
    assert result.cells == ((0, 0, 3), (0, 1, 1), (1, 1, 4))


def test_of_very_many_cells_the_largest_are_kept() -> None:
    confusion = np.ones((100, 100), np.int64) + 50 * np.eye(100, dtype=np.int64)
    result = summarize(1, confusion, np.bincount([0], minlength=100))
    assert len(result.cells) == MAX_CELLS and np.array_equal(np.diag(result.confusion()), np.full(100, 51))
    assert result.support == (150,) * 100 and result.recall[0] == pytest.approx(51 / 150, abs=1e-5)
    assert len(result.model_dump_json()) < 60_000


def test_lines_of_epochs_that_were_done_again_or_not_finished_are_left_out() -> None:
    run = create_run(make_config("digits", "lenet5", {}))
    assert read_epochs(run) == []
    ranks, results = np.array([2, 0]), []
    for epoch, hits in ((1, 1), (2, 1), (2, 2), (3, 2)):
        results.append(summarize(epoch, np.array([[hits, 0], [0, 2]]), ranks))
    run.validation_file.write_text("".join(f"{result.model_dump_json()}\n" for result in results) + '{"epoch": 4, "co')
    write_history(run, [epoch_line(1, 1, 1), epoch_line(2, 1, 1)])
    assert read_epochs(run) == [results[0], results[2]]
    assert EpochResult.model_validate_json(results[0].model_dump_json()) == results[0]
