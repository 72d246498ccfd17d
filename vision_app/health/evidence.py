"""What several checks need and takes long to find out: features, copies, and predictions by models that never saw an image."""

from functools import cached_property

import numpy as np

from vision_app.data.download import Progress
from vision_app.data.images import FileImages
from vision_app.data.prepared import Preparation, prepare
from vision_app.health.duplicates import Pair, find_duplicates, find_exact_copies
from vision_app.health.features import extract_features, predict_features
from vision_app.health.label_errors import cross_validated_probabilities
from vision_app.health.look import SIDE, Look
from vision_app.health.outliers import join_features
from vision_app.runs import Run

Sample = tuple[np.ndarray, np.ndarray]  # positions (k,), and class probabilities (k, classes)


class Evidence:
    """Finds out each thing once, when a check first asks for it.

    Args:
        look: the dataset.
        model: a model of the same classes that has not seen the test split; None: there is none.
        describer: a model whose features describe the images; None: only their edges and colours do.
        progress: called with the share done and a sentence.
    """

    def __init__(self, look: Look, model: Run | None, describer: Run | None, progress: Progress) -> None:
        self.look, self.model, self.describer, self.progress = look, model, describer, progress

    @cached_property
    def edges(self) -> np.ndarray:
        """Edges and colours of the readable images, float32 (good, d)."""
        return extract_features(self.look.thumbs[self.look.good])

    @cached_property
    def network(self) -> Sample | None:
        """The describer's features (good, d) and probabilities (good, classes) of the readable images."""
        if self.describer is None:
            return None
        return predict_features(self._inputs(), self.describer.model_file, self._saying("Describing the images"))

    @property
    def features(self) -> np.ndarray:
        """The best description of the readable images that there is, float32 (good, d)."""
        return self.edges if self.network is None else self.network[0]

    @cached_property
    def description(self) -> np.ndarray:
        """The network's features beside edges and colours, float32 (good, d): what it learned to pass over may matter here."""
        return self.edges if self.network is None else join_features(self.network[0], self.edges)

    @cached_property
    def pairs(self) -> list[Pair]:
        """Copies among the readable images, by position in the look, in the order in which they are worth looking at."""
        thumbs, splits, digests = self._compared()
        features = None if self.network is None else self.network[0]
        say = self._saying("Comparing the images")
        return self._placed(find_duplicates(thumbs, features, splits, digests, progress=say))

    @cached_property
    def exact_pairs(self) -> list[Pair]:
        """Exact copies among the readable images, by position in the look."""
        return self._placed(find_exact_copies(*self._compared())[0])

    def _compared(self) -> tuple[np.ndarray, np.ndarray, list[bytes] | None]:
        """Return what copies are looked for in: the readable images, their splits, and the digests of their files."""
        look = self.look
        digests = None if look.digests is None else [digest.tobytes() for digest in look.digests[look.good]]
        return look.thumbs[look.good], look.splits[look.good], digests

    def _placed(self, pairs: list[Pair]) -> list[Pair]:
        good = self.look.good
        return [Pair(int(good[pair.first]), int(good[pair.second]), pair.score, pair.exact) for pair in pairs]

    @cached_property
    def out_of_sample(self) -> list[Sample]:
        """Predictions for every readable image by a model that was not trained on it."""
        look, samples = self.look, []
        rest = np.ones(len(look.good), bool)
        if self.model is not None:
            number = [part.name for part in look.parts].index("test")
            rest = look.splits[look.good] != number
            own = self.model == self.describer
            tested = self.network[1][~rest] if own else self._predictions(number)
            samples.append((look.good[~rest], tested))
        labels = look.labels[look.good[rest]]
        say = self._saying("Cross-validating the labels")
        folded = cross_validated_probabilities(
            self.description[rest], labels, progress=say, num_classes=len(look.dataset.classes)
        )
        return [*samples, (look.good[rest], folded)]

    def _inputs(self) -> np.ndarray:
        """Return the readable images at the describer's size: from the originals in memory, else from the small pictures."""
        look, config = self.look, self.describer.config()
        if config.input_size == SIDE or any(isinstance(part.images, FileImages) for part in look.parts):
            return look.thumbs[look.good]
        wanted = Preparation(config.input_size, config.channels, "stretch")
        return np.concatenate([prepare(part.images, wanted)[:] for part in look.parts])[look.good]

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
