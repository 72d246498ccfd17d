"""What Keras' own validation answers, counted while it runs: no second look at the images."""

import keras
import numpy as np

from vision_app.evaluation.epochs import summarize
from vision_app.runs import Run, open_to_append


class Counts(keras.metrics.Metric):
    """Counts pairs of true and predicted class, and the rank of the true class, in validation only.

    Keras updates a metric in training steps too, where counting would cost time for nothing. It compiles its training step
    and its validation step apart from each other, and each keeps what `is_counting` was at that time.

    Args:
        num_classes: number of classes k.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__(name="counts")
        self.num_classes, self.is_counting = num_classes, False
        self.pairs = self.add_variable((num_classes**2,), "zeros", name="pairs")
        self.ranks = self.add_variable((num_classes,), "zeros", name="ranks")

    def update_state(self, labels: keras.KerasTensor, logits: keras.KerasTensor, sample_weight: None = None) -> None:
        """Count a batch.

        Args:
            labels: integers, or shares of the classes (n, k).
            logits: or probabilities, (n, k).
            sample_weight: not used.
        """
        if not self.is_counting:
            return
        ops, k = keras.ops, self.num_classes
        true = (
            ops.argmax(labels, -1) if labels.shape[-1] == k and len(labels.shape) == 2 else ops.reshape(labels, (-1,))
        )
        true = ops.cast(true, "int32")
        ones = ops.ones_like(true, dtype="float32")
        pairs = true * k + ops.cast(ops.argmax(logits, -1), "int32")
        self.pairs.assign_add(ops.segment_sum(ones, pairs, num_segments=k * k))
        own = ops.take_along_axis(logits, true[:, None], -1)
        # Among equals the first class counts as the likelier one, as argmax has it.
        before = ops.logical_or(logits > own, ops.logical_and(logits == own, ops.arange(k) < true[:, None]))
        ranks = ops.sum(ops.cast(before, "int32"), -1)
        self.ranks.assign_add(ops.segment_sum(ones, ranks, num_segments=k))

    def result(self) -> keras.KerasTensor:
        """Return the number of images counted: Keras wants a number."""
        return keras.ops.sum(self.ranks)

    def read(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the confusion matrix, int64 (k, k), row = true class, and the counts of ranks, int64 (k,)."""
        pairs, ranks = (keras.ops.convert_to_numpy(values).astype(np.int64) for values in (self.pairs, self.ranks))
        return pairs.reshape(self.num_classes, self.num_classes), ranks


class WriteCounts(keras.callbacks.Callback):
    """Has the validation counted, and appends a line about each epoch to validation.jsonl."""

    def __init__(self, run: Run, counts: Counts) -> None:
        super().__init__()
        self.counts, self.file = counts, open_to_append(run.validation_file)

    def on_test_begin(self, logs: dict | None = None) -> None:
        """See Keras."""
        self.counts.is_counting = True

    def on_test_end(self, logs: dict | None = None) -> None:
        """See Keras."""
        self.counts.is_counting = False

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """See Keras."""
        self.file.write(summarize(epoch + 1, *self.counts.read()).model_dump_json() + "\n")
