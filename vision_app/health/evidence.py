"""What several checks need and takes long to find out: features, copies, and predictions by models that never saw an image."""

from functools import cached_property

import numpy as np

from vision_app.data.download import Progress
from vision_app.data.prepared import Preparation, prepare
from vision_app.health.duplicates import Pair, find_duplicates
from vision_app.health.features import extract_features
from vision_app.health.label_errors import cross_validated_probabilities
from vision_app.health.look import Look
from vision_app.runs import Run

Sample = tuple[np.ndarray, np.ndarray]  # positions (k,), and class probabilities (k, classes)


class Evidence:
    """Finds out each thing once, when a check first asks for it.

    Args:
        look: the dataset.
        model: a model of the same classes that has not seen the test split; None: there is none.
        describer: a model whose features describe the images; None: their edges do.
        progress: called with the share done and a sentence.
    """

    def __init__(self, look: Look, model: Run | None, describer: Run | None, progress: Progress) -> None:
        self.look, self.model, self.describer, self.progress = look, model, describer, progress

    @cached_property
    def features(self) -> np.ndarray:
        """Descriptions of the readable images, float32 (good, d)."""
        path = self.describer.model_file if self.describer else None
        return extract_features(self.look.thumbs[self.look.good], path, self._saying("Describing the images"))

    @cached_property
    def pairs(self) -> list[Pair]:
        """Copies among the readable images, by position in the look, the likeliest first."""
        look = self.look
        digests = None if look.digests is None else [digest.tobytes() for digest in look.digests[look.good]]
        pairs = find_duplicates(
            look.thumbs[look.good],
            self.features if self.describer else None,
            look.splits[look.good],
            digests,
            progress=self._saying("Comparing the images"),
        )
        return [Pair(int(look.good[p.first]), int(look.good[p.second]), p.score, p.exact) for p in pairs]

    @cached_property
    def out_of_sample(self) -> list[Sample]:
        """Predictions for every readable image by a model that was not trained on it."""
        look, tested = self.look, np.zeros(len(self.look.labels), bool)
        samples = []
        if self.model is not None:
            number = [part.name for part in look.parts].index("test")
            tested = (look.splits == number) & look.is_good
            samples.append((np.flatnonzero(tested), self._predictions(number)))
        rest = ~tested[look.good]
        probabilities = cross_validated_probabilities(
            self.features[rest], look.labels[look.good[rest]], progress=self._saying("Cross-validating the labels")
        )
        return [*samples, (look.good[rest], probabilities)]

    def _predictions(self, number: int) -> np.ndarray:
        """Return the model's probabilities for the readable images of a split."""
        from vision_app.predict import load_classifier

        part, classifier = self.look.parts[number], load_classifier(self.model)
        config = classifier.config
        ready = prepare(part.images, Preparation(config.input_size, config.channels, config.fit), self.progress)
        good = np.flatnonzero(part.is_good)
        say = self._saying("Asking the model")
        batches = []
        for start in range(0, len(good), 256):
            batches.append(classifier.probabilities(ready[good[start : start + 256]]))
            say(min(1.0, (start + 256) / len(good)), "")
        return np.concatenate(batches)

    def _saying(self, what: str) -> Progress:
        return lambda share, words: self.progress(share, f"{what}: {100 * share:.0f} %")
