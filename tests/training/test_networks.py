"""From a config to a network: what the fields of a config change in it."""

import keras
import numpy as np
import pytest

from vision_app.errors import InputError
from vision_app.models.catalog import MODELS
from vision_app.runs import create_run
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
    """With one step an epoch, the average after each epoch can be followed by hand."""
    judged: list[list[np.ndarray]] = []
    monkeypatch.setattr(KeepBest, "on_epoch_end", lambda keeper, epoch, logs: judged.append(keeper.model.get_weights()))
    settings = {"epochs": 3, "train_limit": 60, "batch_size": 1000, "optimizer": "sgd", "learning_rate": 0.5}
    settings |= {"augmentation": {}, "dropout": 0.0}
    for ema in (0.0, 0.75):
        train(create_run(make_config("digits", "simple_cnn", settings | {"ema": ema})), GoingOn())
    expected = judged[0]
    for weights, average in zip(judged[1:3], judged[4:], strict=True):
        expected = [0.75 * mean + 0.25 * new for mean, new in zip(expected, weights, strict=True)]
        for one, other in zip(expected, average, strict=True):
            np.testing.assert_allclose(other, one, atol=1e-5)
