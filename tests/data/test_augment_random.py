"""RandAugment: its operations are what Pillow computes, and there are as many as asked for."""

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps
from scipy import ndimage

from vision_app.data.augment import AUGMENTATIONS, Augmenter, make_augmenter
from vision_app.data.augment_random import LARGEST, OPERATIONS, rand_augment
from vision_app.errors import InputError

NO_STRENGTH = ("autocontrast", "equalize")
SMOOTH = ndimage.gaussian_filter(np.random.default_rng(0).uniform(0, 255, (21, 21, 3)), (3, 3, 0))
PICTURE = np.round((SMOOTH - SMOOTH.min()) / np.ptp(SMOOTH) * 180 + 20).astype(np.uint8)


def affine(matrix: list[list[float]]) -> np.ndarray:
    """Return the picture as SciPy moves it, whose axes are (y, x)."""
    swapped = np.array(matrix)[::-1, ::-1]
    offset = 10 - swapped @ np.full(2, 10)
    channels = [
        ndimage.affine_transform(PICTURE[..., i].astype(float), swapped, offset, order=1, mode="nearest")
        for i in range(3)
    ]
    return np.stack(channels, -1)


def pillow(change, share: float) -> np.ndarray:
    return np.asarray(change(Image.fromarray(PICTURE), share))


REFERENCES = {
    "colour": lambda share: pillow(lambda picture, s: ImageEnhance.Color(picture).enhance(1 + 0.9 * s), share),
    "sharpness": lambda share: pillow(lambda picture, s: ImageEnhance.Sharpness(picture).enhance(1 + 0.9 * s), share),
    "equalize": lambda share: pillow(lambda picture, _: ImageOps.equalize(picture), share),
    "autocontrast": lambda share: pillow(lambda picture, _: ImageOps.autocontrast(picture), share),
    "posterize": lambda share: PICTURE & (256 - 2 ** round(4 * abs(share))),
    "solarize": lambda share: np.where(round(256 * (1 - abs(share))) > PICTURE, PICTURE, 255 - PICTURE),
    "brightness": lambda share: np.clip(PICTURE + 102 * share, 0, 255),
    "contrast": lambda share: np.clip((PICTURE - PICTURE.mean()) * (1 + 0.9 * share) + PICTURE.mean(), 0, 255),
    "shear_x": lambda share: affine([[1, 0.3 * share], [0, 1]]),
    "shear_y": lambda share: affine([[1, 0], [0.3 * share, 1]]),
    "translation_x": lambda share: ndimage.shift(PICTURE, (0, round(0.45 * share * 21), 0), order=0, mode="nearest"),
    "translation_y": lambda share: ndimage.shift(PICTURE, (round(0.45 * share * 21), 0, 0), order=0, mode="nearest"),
    "rotation": lambda share: affine(
        [
            [np.cos(share * np.pi / 6), -np.sin(share * np.pi / 6)],
            [np.sin(share * np.pi / 6), np.cos(share * np.pi / 6)],
        ]
    ),
    "identity": lambda share: PICTURE,
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("share", [-1.0, -0.3, 0.5, 1.0])
def test_every_operation_is_what_others_compute(name: str, share: float) -> None:
    result = OPERATIONS[name](PICTURE, share)
    assert result.dtype == np.uint8 and result.shape == PICTURE.shape
    assert np.abs(result - REFERENCES[name](share).astype(float)).max() <= 2


@pytest.mark.parametrize("name", OPERATIONS)
def test_no_strength_changes_nothing(name: str) -> None:
    assert np.array_equal(OPERATIONS[name](PICTURE, 0.0), PICTURE) != (name in NO_STRENGTH)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_takes_grey_images(name: str) -> None:
    grey = PICTURE[..., :1].copy()
    assert OPERATIONS[name](grey, 0.7).shape == grey.shape
    assert np.array_equal(grey, PICTURE[..., :1])


def test_so_many_operations_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[str, float]] = []

    def count(name: str):
        return lambda image, share: calls.append((name, share)) or image

    for name in OPERATIONS:
        monkeypatch.setitem(OPERATIONS, name, count(name))
    rand_augment(np.repeat(PICTURE[None], 200, 0), 15, 3, np.random.default_rng(0))
    assert len(calls) == 600 and {name for name, _ in calls} == set(OPERATIONS)
    assert {share for _, share in calls} == {-0.5, 0.5}
    counts = [sum(name == other for name, _ in calls) for other in OPERATIONS]
    assert min(counts) > 20 and max(counts) < 70


def test_either_row_turns_it_on() -> None:
    images = np.repeat(PICTURE[None], 30, 0)
    usual = make_augmenter({"randaugment": -1})(images, np.random.default_rng(1))
    for strengths in ({"randaugment_count": 2}, {"randaugment": 9, "randaugment_count": 2}):
        assert np.array_equal(make_augmenter(strengths)(images, np.random.default_rng(1)), usual)
    for strengths in ({"randaugment": 0, "randaugment_count": 2}, {"randaugment": 9, "randaugment_count": 0}):
        assert np.array_equal(Augmenter(strengths)(images, np.random.default_rng(1)), images)
    assert AUGMENTATIONS["randaugment"].largest == LARGEST


def test_operations_are_counted_in_whole_numbers() -> None:
    with pytest.raises(InputError, match=r"randaugment_count must be a whole number, got 1\.5"):
        make_augmenter({"randaugment_count": 1.5})
