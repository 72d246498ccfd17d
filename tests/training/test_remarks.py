"""What is said about a curve, from histories written by hand."""

import numpy as np
import pytest

from tests.ui.stored_runs import batch_line, epoch_line
from vision_app.config import RunConfig
from vision_app.evaluation.epochs import EpochResult, summarize
from vision_app.training.recipe import make_config
from vision_app.training.remarks import judge, only_answer, overfitting_since

GUESSING = 2.303  # ln 10


@pytest.fixture
def config() -> RunConfig:
    return make_config("digits", "simple_cnn", {"learning_rate": 50})


def epochs_with(*losses: float, accuracy: float = 0.1, val_loss: float = GUESSING) -> list[dict]:
    return [epoch_line(number, loss, val_loss, accuracy) for number, loss in enumerate(losses, 1)]


def batches_with(*losses: float) -> list[dict]:
    return [batch_line(step, loss, 0.1) for step, loss in enumerate(losses)]


@pytest.mark.parametrize(
    ("losses", "since"),
    [
        ([(1.0, 1.0), (0.5, 0.6), (0.4, 0.5), (0.3, 0.48)], None),  # still falling
        ([(1.0, 1.0), (0.5, 0.5), (0.3, 0.8), (0.2, 0.9), (0.1, 1.0)], 2),
        ([(1.0, 1.0), (0.5, 0.5), (0.3, 0.51), (0.2, 0.5), (0.1, 0.51)], None),  # flat is not rising
        ([(1.0, 1.0), (0.5, 0.5), (0.6, 0.8), (0.7, 0.9), (0.8, 1.0)], None),  # training gets worse too
        ([(1.0, 0.5), (0.3, 0.8), (0.2, 0.9)], None),  # too early to say
    ],
)
def test_overfitting_is_a_clear_rise_while_training_still_improves(
    losses: list, since: int | None, config: RunConfig
) -> None:
    epochs = [epoch_line(number, *pair) for number, pair in enumerate(losses, 1)]
    assert overfitting_since(epochs) == since
    assert judge(config, epochs).words == (f"overfitting since epoch {since}" if since else "")


@pytest.mark.parametrize(
    "history",
    [
        batches_with(2.3, 9e4, 4e12, 4e11, 3e9, 2e9, 1e9),  # before the first epoch has ended
        epochs_with(4e12, 3e9, 8e5, 7e4, 6e3),  # falls all the time
        [*epochs_with(0.5, 0.05, 0.02, 3.1, accuracy=0.9), *batches_with(0.02, 3.0, 3.1, 3.2, 3.3, 3.4)],  # breaks down late
        [*epochs_with(4e5, 22, 21, 20), *batches_with(4e12, 20, 18, 24, 19, 22, 21)],  # ends in guessing
    ],
)  # fmt: skip
def test_a_loss_far_above_guessing_is_the_learning_rates_fault(history: list, config: RunConfig) -> None:
    verdict = judge(config, history)
    assert verdict.words == "training diverges"
    assert "learning rate of 50 is too high" in verdict.advice


def test_diverging_is_never_called_overfitting(config: RunConfig) -> None:
    history = [epoch_line(n, 10.0 ** (9 - n), val, 0.1) for n, val in enumerate((5e3, 4e2, 9e3, 1e4, 2e4), 1)]
    assert overfitting_since(history) == 2
    assert judge(config, history).words == "training diverges"


@pytest.mark.parametrize(
    "history",
    [
        [],
        batches_with(2.5, 2.4, 2.3),
        [*epochs_with(0.5, 0.2, 0.1, accuracy=0.9), *batches_with(2.3, 0.2, 0.2, 0.1, 40, 0.1)],  # one bad batch
        [*epochs_with(9e3, 0.4, 0.3, 0.2, accuracy=0.9), *batches_with(9e4, 0.4, 0.3, 0.2, 0.2, 0.1)],  # it recovered
    ],
)
def test_a_single_high_loss_is_no_divergence(history: list, config: RunConfig) -> None:
    assert judge(config, history).words == ""


def test_a_heavy_penalty_on_weights_is_no_divergence(config: RunConfig) -> None:
    history = batches_with(400, 390, 380, 370, 360, 350)
    assert judge(config, history).words == "training diverges"
    assert judge(config.updated(l2=0.1), history).words == ""


@pytest.mark.parametrize("first", [2.3, 20.0])
def test_not_learning_is_measured_at_guessing_and_not_at_the_first_epoch(first: float, config: RunConfig) -> None:
    verdict = judge(config, epochs_with(first, 2.31, 2.30, 2.30, accuracy=0.11))
    assert verdict.words == "no better than guessing"
    assert "another learning rate" in verdict.advice


@pytest.mark.parametrize(
    "epochs",
    [
        epochs_with(2.30, 2.30),  # too early to say
        epochs_with(2.30, 2.30, 2.31, accuracy=0.3),  # a third is right
        epochs_with(2.30, 2.20, 2.10),  # the loss falls
    ],
)
def test_a_slow_start_is_not_called_guessing(epochs: list, config: RunConfig) -> None:
    assert judge(config, epochs).words == ""


def answered(epoch: int, *columns: int, sizes: tuple[int, ...] = (90, 5, 5)) -> EpochResult:
    """Return an epoch after which all images of each class were taken for one class."""
    confusion = np.zeros((3, 3), np.int64)
    confusion[np.arange(3), columns] = sizes
    return summarize(epoch, confusion, np.array([confusion.trace(), sum(sizes) - confusion.trace(), 0]))


@pytest.mark.parametrize(
    ("results", "only"),
    [
        ([answered(n, 0, 0, 0) for n in (1, 2, 3)], 0),
        ([answered(1, 0, 1, 2), *(answered(n, 2, 2, 2) for n in (2, 3, 4))], 2),
        ([answered(n, 0, 0, 0) for n in (1, 2)], None),  # too early to say
        ([answered(n, n % 3, n % 3, n % 3) for n in (1, 2, 3)], None),  # still moves
        ([*(answered(n, 0, 0, 0) for n in (1, 2, 3)), answered(4, 0, 0, 2)], None),  # has begun to tell them apart
        ([answered(n, 0, 0, 0, sizes=(9, 0, 0)) for n in (1, 2, 3)], None),  # there is nothing else to answer
    ],
)
def test_one_answer_to_everything_is_no_learning_however_many_are_right(
    results: list[EpochResult], only: int | None, config: RunConfig
) -> None:
    assert only_answer(results) == only
    verdict = judge(config, epochs_with(0.9, 0.5, 0.4, accuracy=0.9), results)
    assert verdict.words == ("always the same answer" if only is not None else "")
    assert only is None or f"every validation image for {only}." in verdict.advice
