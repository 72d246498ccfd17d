"""Random changes to training images that keep their class: one table of options, in NumPy, OpenCV and Pillow.

They run beside the network, not in it, so they work with every Keras backend and can be previewed without one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from vision_app.data import augment_colour as colour
from vision_app.data import augment_erase as hiding
from vision_app.data import augment_geometry as geometry
from vision_app.data.augment_mix import mix, mix_labels, mixup
from vision_app.data.augment_random import LARGEST, rand_augment
from vision_app.errors import InputError
from vision_app.lookup import find

Change = Callable[[np.ndarray, float, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Augmentation:
    """One kind of change.

    Args:
        name, title: for configs, for people.
        description: one sentence of help.
        default: the strength that a bare name means.
        largest: the strongest that is allowed.
        unit: what the strength counts: "degrees", "chance", ...
        apply: changes a batch (n, h, w, c) uint8 that it may overwrite; None: several rows are applied together.
        smallest: the weakest, which changes nothing.
        whole: whether the strength is a whole number.
    """

    name: str
    title: str
    description: str
    default: float
    largest: float
    unit: str
    apply: Change | None
    smallest: float = 0
    whole: bool = False


@dataclass(frozen=True)
class Augmenter:
    """All the changes of a run; call it on a batch of uint8 images (n, h, w, c), get a changed copy.

    `turn` says which images (n,) an alternating flip mirrors now; without it, as in a preview, it is drawn.
    """

    strengths: dict[str, float]

    def __call__(
        self, images: np.ndarray, generator: np.random.Generator, turn: np.ndarray | None = None
    ) -> np.ndarray:
        images = self._change(images, generator, turn)
        return mix(images, self.strengths["mixup"], generator) if self.mixes_labels else images

    def with_labels(
        self,
        images: np.ndarray,
        labels: np.ndarray,
        num_classes: int,
        generator: np.random.Generator,
        turn: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return changed images, and the shares of the classes in each, float32 (n, num_classes); for mixup alone.

        Args:
            images: uint8 (n, h, w, c).
            labels: classes (n,).
            num_classes: how many there are.
            generator: draws the changes; they are the same as when the augmenter is called.
            turn: which images it is the turn of to be mirrored, (n,); None draws them.
        """
        images = self._change(images, generator, turn)
        mixed, partners, weights = mixup(images, self.strengths["mixup"], generator)
        return mixed, mix_labels(labels, num_classes, partners, weights)

    @property
    def mixes_labels(self) -> bool:
        """Whether an image can end up with shares of several classes."""
        return self.strengths.get("mixup", 0) > 0

    def _change(self, images: np.ndarray, generator: np.random.Generator, turn: np.ndarray | None = None) -> np.ndarray:
        images = images.copy()
        if self.strengths.get("alternating_flip", 0) > 0:
            turn = generator.random(len(images)) < 0.5 if turn is None else turn
            images[turn] = images[turn, :, ::-1]
        if any(self.strengths.get(name, 0) > 0 for name in GEOMETRY):
            images = geometry.warp(images, self.strengths, generator)
        for row in AUGMENTATIONS.values():  # in the table's order, so that equal configs give equal runs
            if row.apply and self.strengths.get(row.name, 0) > 0:
                images = row.apply(images, self.strengths[row.name], generator)
            elif row.name == "randaugment":
                images = self._rand_augment(images, generator)
        return images

    def _rand_augment(self, images: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """RandAugment, where one of its two rows is on; the other one has its default unless it is 0."""
        if not any(name in self.strengths for name in RANDAUGMENT):
            return images
        magnitude, count = (self.strengths.get(name, AUGMENTATIONS[name].default) for name in RANDAUGMENT)
        return rand_augment(images, magnitude, int(count), generator) if magnitude > 0 and count > 0 else images


def make_augmenter(augmentation: Mapping[str, float]) -> Augmenter | None:
    """Return the augmenter for a config's field, or None when there is nothing to change."""
    strengths = resolve_strengths(augmentation)
    return Augmenter(strengths) if any(strengths.values()) else None


def resolve_strengths(augmentation: Mapping[str, float]) -> dict[str, float]:
    """Fill in default strengths (given as a negative number) and check names and ranges.

    Raises:
        InputError: an unknown name, a strength out of range, or two changes that contradict each other.
    """
    strengths = {}
    for name, strength in augmentation.items():
        row = find(AUGMENTATIONS, name, "augmentation")
        strength = row.default if strength < 0 else strength
        if not strength <= row.largest:  # also refuses NaN
            raise InputError(
                f"Augmentation {name} must be at most {row.largest:g}, got {strength:g}: {row.description}"
            )
        if row.whole and strength != int(strength):
            raise InputError(f"Augmentation {name} must be a whole number, got {strength:g}: {row.description}")
        strengths[name] = strength
    if strengths.get("flip") and strengths.get("alternating_flip"):
        raise InputError("Flip and Alternating flip undo each other; choose one of them.")
    return strengths


def preview(images: np.ndarray, augmentation: Mapping[str, float], count: int, seed: int = 0) -> np.ndarray:
    """Return examples of what a run would see, uint8 (count, h, w, c).

    Args:
        images: uint8 (n, h, w, c), of which each is shown in turn.
        augmentation: strengths by name.
        count: number of examples.
        seed: the same seed gives the same examples.
    """
    shown = images[np.arange(count) % len(images)]
    augmenter = make_augmenter(augmentation)
    return augmenter(shown, np.random.default_rng(seed)) if augmenter else shown


GEOMETRY = ("rotation", "zoom", "shear", "elastic")
RANDAUGMENT = ("randaugment", "randaugment_count")
SIDE, RANGE, CHANCE = "share of the side", "share of the range", "chance"
MIXING = (
    "Average pairs of images and their classes; alpha of the Beta distribution that weights them, larger is stronger."
)

AUGMENTATIONS: dict[str, Augmentation] = {
    row.name: row
    for row in (
        Augmentation("flip", "Flip", "Chance to mirror left and right; not for digits.", 0.5, 1, CHANCE, geometry.flip),
        Augmentation(
            "alternating_flip",
            "Alternating flip",
            "1: mirror each image in every other epoch, in place of Flip; not for digits.",
            1,
            1,
            "on or off",
            None,
            whole=True,
        ),
        Augmentation(
            "translation",
            "Translation",
            "Shift by up to this share of the side.",
            0.0625,
            0.5,
            SIDE,
            geometry.translate,
        ),
        Augmentation("rotation", "Rotation", "Turn by up to so many degrees.", 10, 180, "degrees", None),
        Augmentation("zoom", "Zoom", "Enlarge or shrink by up to this share, each side by itself.", 0.1, 1, SIDE, None),
        Augmentation("shear", "Shear", "Slant by up to this share.", 0.1, 1, SIDE, None),
        Augmentation(
            "elastic", "Elastic", "Bend like rubber; deviation as a share of the side.", 0.02, 0.2, SIDE, None
        ),
        Augmentation(
            "thickness", "Thickness", "Chance to make strokes thicker or thinner.", 0.5, 1, CHANCE, colour.thickness
        ),
        Augmentation("blur", "Blur", "Chance to lose sharpness.", 0.2, 1, CHANCE, colour.blur),
        Augmentation(
            "brightness", "Brightness", "Lighter or darker by up to this share.", 0.1, 1, RANGE, colour.brightness
        ),
        Augmentation(
            "contrast",
            "Contrast",
            "Stronger or weaker by up to this share.",
            0.2,
            5,
            "share of the contrast",
            colour.contrast,
        ),
        Augmentation("noise", "Noise", "Grain of up to this share of the range.", 0.05, 1, RANGE, colour.noise),
        Augmentation(
            "randaugment",
            "RandAugment",
            "Random operations of one strength, from colours to shear; how strong they are.",
            9,
            LARGEST,
            "of 30",
            None,
        ),
        Augmentation(
            "randaugment_count",
            "RandAugment count",
            "How many random operations RandAugment gives each image.",
            2,
            8,
            "operations",
            None,
            whole=True,
        ),
        Augmentation("cutout", "Cutout", "Blank a square of this share of the side.", 0.25, 1, SIDE, hiding.cutout),
        Augmentation(
            "erasing",
            "Random erasing",
            "Chance to replace a rectangle, 2 to 40 % of the image, by noise.",
            0.5,
            1,
            CHANCE,
            hiding.erase,
        ),
        Augmentation("mixup", "Mixup", MIXING, 0.2, 8, "alpha", None),
    )
}
