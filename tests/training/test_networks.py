"""From a config to a network: what the fields of a config change in it."""

import keras
import numpy as np
import pytest

from vision_app.errors import InputError
from vision_app.models.catalog import MODELS
from vision_app.runs import create_run
from vision_app.training import networks
from vision_app.training.callbacks import KeepBest
from vision_app.training.recipe import make_config
from vision_app.training.train import train


class GoingOn:
    wanted = None


@pytest.mark.parametrize("name", [name for name, row in MODELS.items() if row.takes_batch_norm])
def test_batch_normalization_can_be_left_out(name: str) -> None:
    info = MODELS[name]
    kinds = []
    for wanted in (None, True, False):
        network = info.build((info.smallest, info.smallest, 1), 3, **({} if wanted is None else {"batch_norm": wanted}))
        kinds.append(sum(isinstance(layer, keras.layers.BatchNormalization) for layer in network.layers))
        assert network.get_layer(info.cam_layer) is not None
    assert kinds[0] == kinds[1] > 0 and kinds[2] == 0


def test_a_network_that_is_built_one_way_only_says_so() -> None:
    with pytest.raises(
        InputError, match=r"LeNet-5 is built one way only: leave batch_norm empty, or choose one of .*cnn"
    ):
        make_config("digits", "lenet5", {"batch_norm": False})


def test_the_kept_model_is_the_average_of_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one step an epoch, the average after each epoch can be followed by hand: 2 of 11 parts are kept, then the share."""
    judged: list[list[np.ndarray]] = []
    monkeypatch.setattr(KeepBest, "on_epoch_end", lambda keeper, epoch, logs: judged.append(keeper.model.get_weights()))
    settings = {"epochs": 4, "train_limit": 60, "batch_size": 1000, "optimizer": "sgd", "learning_rate": 0.1}
    settings |= {"augmentation": {}, "dropout": 0.0}
    for ema in (0.0, 0.24):
        train(create_run(make_config("digits", "simple_cnn", settings | {"ema": ema})), GoingOn())
    expected = judged[0]
    for kept, weights, average in zip((2 / 11, 0.24, 0.24), judged[1:4], judged[5:], strict=True):
        expected = [kept * mean + (1 - kept) * new for mean, new in zip(expected, weights, strict=True)]
        for one, other in zip(expected, average, strict=True):
            np.testing.assert_allclose(other, one, atol=1e-5)


@pytest.mark.parametrize("count", [7, 400, 5001, 9999])
def test_pixels_are_measured_by_channel(count: int) -> None:
    images = np.random.default_rng(count).integers(0, 256, (count, 4, 4, 3)).astype(np.uint8)
    images[..., 1] //= 2
    scaling = networks._measure(images)
    exact = count <= 5000
    assert scaling.mean == pytest.approx(images.mean((0, 1, 2)), rel=1e-9 if exact else 0.01)
    assert scaling.deviation == pytest.approx(images.std((0, 1, 2)), rel=1e-9 if exact else 0.01)


def test_mixed_labels_cost_the_mean_of_both() -> None:
    logits = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    first, second, weight = np.array([0, 1, 2, 3, 0, 1]), np.array([3, 1, 0, 2, 2, 0]), 0.7
    shares = weight * np.eye(4)[first] + (1 - weight) * np.eye(4)[second]
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    expected = weight * float(sparse(first, logits)) + (1 - weight) * float(sparse(second, logits))
    four = {"classes": ("a", "b", "c", "d")}
    mixing = make_config("digits", "lenet5", {"augmentation": "mixup"}).updated(**four)
    assert float(networks.make_loss(mixing)(shares, logits)) == pytest.approx(expected, rel=1e-5)
    usual = networks.make_loss(make_config("digits", "lenet5", {}).updated(**four))
    assert isinstance(usual, keras.losses.SparseCategoricalCrossentropy)
    smooth = {"augmentation": {"mixup": 0.2}, "label_smoothing": 0.1}
    hard = networks.make_loss(make_config("digits", "lenet5", {"label_smoothing": 0.1}).updated(**four))
    soft = networks.make_loss(make_config("digits", "lenet5", smooth).updated(**four))
    one_hot = np.eye(4, dtype=np.float32)[first]
    assert float(soft(one_hot, logits)) == pytest.approx(float(np.mean(hard(first, logits))), rel=1e-5)
