"""Has the network look at the same few validation images before training and after each epoch."""

import logging

import keras

from vision_app.config import RunConfig
from vision_app.data.ready import Ready
from vision_app.explain.gradients import make_differentiator
from vision_app.explain.strip import Strip, choose_images, list_epochs, look, write_glimpse, write_strip
from vision_app.models.catalog import find_model
from vision_app.runs import Run

log = logging.getLogger(__name__)


class WriteStrip(keras.callbacks.Callback):
    """Writes what the network sees in a few validation images; what goes wrong here never costs the run.

    Args:
        run: whose.
        config: of the run.
        validation: where the images come from.
    """

    def __init__(self, run: Run, config: RunConfig, validation: Ready) -> None:
        super().__init__()
        self.run, self.layer, self.has_failed = run, find_model(config.model).cam_layer, False
        chosen = choose_images(validation.labels, config.seed)
        self.images, self.labels = validation.images[chosen], validation.labels[chosen]

    def on_train_begin(self, logs: dict | None = None) -> None:
        """See Keras."""
        if not list_epochs(self.run):
            self._write(0)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """See Keras."""
        self._write(epoch + 1)

    def _write(self, epoch: int) -> None:
        if self.has_failed:
            return
        try:
            if not hasattr(self, "differentiate"):
                self.differentiate = make_differentiator(self.model, self.layer)
                write_strip(self.run, Strip(self.images, self.labels))
            write_glimpse(self.run, look(self.differentiate, self.images, self.labels, epoch))
        except Exception:
            self.has_failed = True
            log.exception("The pictures of what the network sees are left out from epoch %d on.", epoch)
