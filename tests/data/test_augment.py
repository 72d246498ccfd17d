"""Random changes: each keeps what it must, does what it says, and is seeded."""

import numpy as np
import pytest
from scipy import ndimage

from vision_app.data.augment import (
    AUGMENTATIONS,
    GEOMETRY,
    RANDAUGMENT,
    Augmenter,
    make_augmenter,
    preview,
    resolve_strengths,
)
from vision_app.data.datasets import load_split
from vision_app.data.preprocess import preprocess
from vision_app.errors import InputError

CHANGES = pytest.mark.parametrize("name", AUGMENTATIONS)
# Of each change: the mean of the changed images weighted by place, and the next draw. Stored runs rely on them.
PINNED = {
    "flip": (127.6488, 373906),
    "translation": (127.6443, 373906),
    "rotation": (127.4005, 830757),
    "zoom": (127.7476, 830757),
    "shear": (127.6867, 830757),
    "elastic": (127.5086, 695770),
    "thickness": (137.6948, 871263),
    "blur": (127.6519, 306468),
    "brightness": (126.6599, 373906),
    "contrast": (127.1490, 373906),
    "noise": (127.0354, 392010),
    "cutout": (127.5903, 373906),
    "flip,translation,rotation,zoom,shear,elastic,thickness,blur,brightness,contrast,noise,cutout": (129.8058, 823812),
}


class Extreme:
    """A generator whose uniform draws all come out at their upper end."""

    def uniform(self, low: float, high: float, size: object = None) -> np.ndarray:
        return np.full(size, float(high))


def random_images(count: int = 40, size: int = 16, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, size, size, channels), np.uint8)


def smooth_picture(size: int = 41) -> np.ndarray:
    """Return one grey picture without edges, on which interpolations agree: (1, size, size, 1)."""
    noise = np.random.default_rng(1).uniform(0, 255, (size, size))
    blurred = ndimage.gaussian_filter(noise, 4, mode="nearest")
    stretched = (blurred - blurred.min()) / np.ptp(blurred) * 255
    return np.round(stretched).astype(np.uint8)[None, ..., None]


def change(images: np.ndarray, seed: int = 0, **strengths: float) -> np.ndarray:
    return Augmenter(strengths)(images, np.random.default_rng(seed))


@CHANGES
@pytest.mark.parametrize("channels", [1, 3])
def test_every_change_keeps_the_format_and_its_input(name: str, channels: int) -> None:
    images = random_images(channels=channels)
    before = images.copy()
    result = make_augmenter({name: -1})(images, np.random.default_rng(0))
    assert result.shape == images.shape and result.dtype == np.uint8
    assert np.array_equal(images, before)
    assert not np.array_equal(result, images)


@CHANGES
def test_every_change_is_seeded(name: str) -> None:
    images, strength = random_images(), AUGMENTATIONS[name].default
    assert np.array_equal(change(images, 3, **{name: strength}), change(images, 3, **{name: strength}))
    assert not np.array_equal(change(images, 3, **{name: strength}), change(images, 4, **{name: strength}))


@CHANGES
def test_every_change_takes_its_largest_strength_on_the_smallest_images(name: str) -> None:
    images = random_images(size=8, channels=1)
    assert change(images, **{name: AUGMENTATIONS[name].largest}).shape == images.shape


@CHANGES
def test_strength_zero_changes_nothing(name: str) -> None:
    images = random_images()
    assert np.array_equal(change(images, **{name: 0.0}), images)
    assert make_augmenter({name: 0.0}) is None


@CHANGES
def test_negative_means_default(name: str) -> None:
    row = AUGMENTATIONS[name]
    assert resolve_strengths({name: -1}) == {name: row.default}
    assert 0 < row.default <= row.largest
    assert row.smallest == 0 and row.unit and row.description.endswith(".")
    assert (row.apply is None) == (name in (*GEOMETRY, *RANDAUGMENT, "mixup", "alternating_flip"))


@CHANGES
@pytest.mark.parametrize("extra", [0.01, float("inf"), float("nan")])
def test_too_strong_is_refused(name: str, extra: float) -> None:
    with pytest.raises(InputError, match=f"Augmentation {name} must be at most .*, got"):
        make_augmenter({name: AUGMENTATIONS[name].largest + extra})


def test_unknown_changes_are_refused() -> None:
    with pytest.raises(InputError, match=r"Unknown augmentation 'rotate'.*Did you mean 'rotation'.*Known: flip, "):
        make_augmenter({"rotate": 10})
    assert make_augmenter({}) is None


def test_the_order_of_the_config_does_not_matter() -> None:
    images = random_images()
    names = ["cutout", "noise", "contrast", "zoom", "flip", "translation"]
    strengths = {name: AUGMENTATIONS[name].default for name in names}
    backwards = dict(reversed(strengths.items()))
    assert np.array_equal(change(images, **strengths), change(images, **backwards))


def test_flip_mirrors_left_and_right() -> None:
    images = random_images(400)
    assert np.array_equal(change(images, flip=1.0), np.flip(images, axis=2))
    half = change(images, flip=0.25)
    flipped = (half == np.flip(images, axis=2)).all((1, 2, 3))
    assert 60 < flipped.sum() < 140
    assert np.array_equal(half[~flipped], images[~flipped])


def test_translation_shifts_whole_pixels_and_mirrors_the_edge() -> None:
    images = np.repeat(random_images(1, 10, 3), 600, axis=0)
    padded = np.pad(images[0], [(2, 2), (2, 2), (0, 0)], mode="reflect")
    expected = {padded[y : y + 10, x : x + 10].tobytes() for y in range(5) for x in range(5)}
    assert {image.tobytes() for image in change(images, translation=0.2)} == expected


@pytest.mark.parametrize("size", [20, 21])
def test_rotation_by_a_right_angle(size: int) -> None:
    images = random_images(2, size)
    result = Augmenter({"rotation": 90})(images, Extreme())
    assert np.array_equal(result, np.rot90(images, axes=(1, 2)))


@pytest.mark.parametrize(
    ("strengths", "matrix"),
    [
        ({"zoom": 0.5}, [[1.5, 0], [0, 1.5]]),
        ({"shear": 0.3}, [[1, 0], [0.3, 1]]),
        ({"rotation": 30}, [[np.cos(np.pi / 6), 0.5], [-0.5, np.cos(np.pi / 6)]]),
    ],
)
def test_geometry_is_what_scipy_computes(strengths: dict[str, float], matrix: list[list[float]]) -> None:
    picture = smooth_picture()
    middle = np.full(2, (picture.shape[1] - 1) / 2)
    offset = middle - np.array(matrix) @ middle
    expected = ndimage.affine_transform(picture[0, ..., 0].astype(float), matrix, offset, order=1, mode="nearest")
    result = Augmenter(strengths)(picture, Extreme())[0, ..., 0]
    assert np.abs(result - expected).max() < 2
    assert np.abs(picture[0, ..., 0] - expected).max() > 20


def test_elastic_moves_pixels_about_as_far_as_it_says() -> None:
    size = 64
    ramp = np.broadcast_to(np.arange(size, dtype=np.uint8)[:, None] * 3, (200, size, size))[..., None]
    moved = (change(ramp, elastic=0.03).astype(float) - ramp)[:, 16:48, 16:48] / 3
    assert 0.5 < moved.std() / (0.03 * size) < 1.2
    assert abs(moved.mean()) < 0.2


@pytest.mark.parametrize("name", [*GEOMETRY, "translation", "blur", "thickness"])
def test_digits_keep_their_ink(name: str) -> None:
    digits = preprocess(load_split("digits", "train")[0][:200], 28, 1)
    digits = np.pad(digits, [(0, 0), (6, 6), (6, 6), (0, 0)])
    result = change(digits, **{name: AUGMENTATIONS[name].default})
    ink = result.sum((1, 2, 3), dtype=float) / digits.sum((1, 2, 3), dtype=float)
    assert ink.min() > 0.6 and ink.max() < 1.6
    assert ink.mean() == pytest.approx(1, abs=0.15 if name == "thickness" else 0.05)


def test_thickness_goes_both_ways_by_a_pixel() -> None:
    stroke = np.zeros((300, 15, 15, 1), np.uint8)
    stroke[:, :, 6:9] = 255
    result = change(stroke, thickness=1.0)
    ink = result[:, 7, :, 0].sum(1) / 255
    assert ink.min() >= 1 and ink.max() <= 5
    assert (ink < 2.5).sum() > 60 and (ink > 3.5).sum() > 60


def test_brightness_moves_every_pixel_alike() -> None:
    images = np.random.default_rng(0).integers(100, 150, (200, 8, 8, 3), np.uint8)
    moved = change(images, brightness=0.2).astype(int) - images
    assert (np.ptp(moved, axis=(1, 2, 3)) <= 1).all()
    assert -52 <= moved.min() < -40 and 40 < moved.max() <= 51


def test_contrast_keeps_the_mean() -> None:
    images = np.random.default_rng(0).integers(110, 146, (200, 16, 16, 1), np.uint8)
    result = change(images, contrast=1.0)
    assert result.mean((1, 2, 3)) == pytest.approx(images.mean((1, 2, 3)), abs=1)
    factors = result.std((1, 2, 3)) / images.std((1, 2, 3))
    assert 0.48 < factors.min() < 0.6 and 1.8 < factors.max() < 2.05


def test_noise_is_no_stronger_than_asked() -> None:
    grey = np.full((200, 16, 16, 1), 128, np.uint8)
    deviations = change(grey, noise=0.1).std((1, 2, 3))
    assert deviations.min() < 3 and 22 < deviations.max() < 29


def test_cutout_blanks_one_square_of_the_mean() -> None:
    images = random_images(300)
    result = change(images, cutout=0.25)
    changed = (result != images).any(-1)
    rows, columns = changed.any(2).sum(1), changed.any(1).sum(1)
    assert rows.max() == columns.max() == 4 and rows.min() >= 1
    index = int(np.argmax(changed.sum((1, 2))))
    assert (result[index][changed[index]] == images[index].mean((0, 1)).astype(np.uint8)).all()


def test_blur_loses_detail_and_keeps_the_mean() -> None:
    images = random_images(60)
    result = change(images, blur=1.0)
    assert (result.std((1, 2, 3)) < images.std((1, 2, 3))).all()
    assert result.mean((1, 2, 3)) == pytest.approx(images.mean((1, 2, 3)), abs=4)


@pytest.mark.parametrize("names", PINNED)
def test_equal_configs_give_the_runs_that_they_gave_before(names: str) -> None:
    images, generator = random_images(24), np.random.default_rng(5)
    result = make_augmenter(dict.fromkeys(names.split(","), -1))(images, generator)
    weights = np.arange(1, result[0].size + 1).reshape(result.shape[1:])
    mean, draw = PINNED[names]
    assert (result * weights).sum() / weights.sum() / 24 == pytest.approx(mean, abs=0.002)
    assert generator.integers(10**6) == draw


@CHANGES
def test_every_change_can_be_previewed(name: str) -> None:
    images = random_images(2)
    shown = preview(images, {name: -1}, 8)
    assert shown.shape == (8, *images.shape[1:]) and shown.dtype == np.uint8
    assert np.array_equal(shown, preview(images, {name: -1}, 8))
    assert np.array_equal(preview(images, {}, 3), images[[0, 1, 0]])


def test_two_flips_are_refused() -> None:
    with pytest.raises(InputError, match="Flip and Alternating flip undo each other"):
        make_augmenter({"flip": 0.5, "alternating_flip": 1})
    assert make_augmenter({"flip": 0.0, "alternating_flip": 1}) is not None
