"""Training with further classifiers in the middle of a network (Szegedy et al. 2014, Lee et al. 2014)."""

from typing import Any

import keras

WEIGHT = 0.3  # of each further loss, as in "Going deeper with convolutions", section 5


class Assisted(keras.Model):
    """A network that learns from the mistakes of further classifiers too, but answers, and is judged, as itself.

    "loss" and all metrics are those of the network alone, so that its curve is comparable with any other.

    Args:
        inputs: of the network.
        logits: its answer.
        heads: the answers of the further classifiers.
    """

    def __init__(self, inputs: Any, logits: keras.KerasTensor, heads: list[keras.KerasTensor]) -> None:
        super().__init__(inputs, [logits, *heads])
        self.further = keras.metrics.Mean("further_loss")

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the logits; in training a list with those of the further classifiers after them."""
        answers = super().call(inputs, training=training, mask=mask)
        return answers if training else answers[0]

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """See Keras."""
        if not isinstance(y_pred, list):
            return super().compute_loss(x, y, y_pred, sample_weight, training)
        further = WEIGHT * sum(keras.ops.mean(self.loss(y, answer)) for answer in y_pred[1:])
        self.further.update_state(further, sample_weight=keras.ops.shape(y)[0])
        return super().compute_loss(x, y, y_pred[0], sample_weight, training) + further

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """See Keras."""
        return super().compute_metrics(x, y, y_pred[0] if isinstance(y_pred, list) else y_pred, sample_weight)

    def get_metrics_result(self) -> dict[str, Any]:
        """See Keras."""
        results = super().get_metrics_result()
        further = results.pop(self.further.name)
        return results | {"loss": results["loss"] - further}
