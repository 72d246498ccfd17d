"""The one preprocessing function, against block means and Pillow."""

import numpy as np
import pytest
from PIL import Image

from vision_app.data.preprocess import preprocess, to_channels
from vision_app.errors import InputError

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (3, 24, 24, 3), np.uint8)
GREY = RANDOM.integers(0, 256, (3, 24, 24, 1), np.uint8)


@pytest.mark.parametrize(("images", "channels"), [(COLOUR, 3), (GREY, 1)])
def test_shrinking_averages_blocks(images: np.ndarray, channels: int) -> None:
    expected = images.reshape(3, 8, 3, 8, 3, channels).mean((2, 4))
    result = preprocess(images, 8, channels)
    assert result.dtype == np.uint8 and result.shape == (3, 8, 8, channels)
    assert np.abs(result - expected).max() <= 0.51


def test_shrinking_by_no_whole_number_keeps_the_mean() -> None:
    result = preprocess(COLOUR, 17, 3)
    assert result.mean((1, 2)) == pytest.approx(COLOUR.mean((1, 2)), abs=0.6)


def test_the_same_size_changes_nothing() -> None:
    assert np.array_equal(preprocess(COLOUR, 24, 3), COLOUR)


def test_enlarging_is_smooth_and_keeps_the_picture() -> None:
    flat = preprocess(np.full((1, 8, 8, 1), 77, np.uint8), 32, 1)
    assert (flat == 77).all()
    ramp = np.broadcast_to(np.arange(20, 230, 30, dtype=np.uint8), (1, 7, 7))[..., None]
    large = preprocess(ramp, 21, 1)[0, 10, :, 0].astype(int)
    assert (np.diff(large) >= 0).all() and np.diff(large).max() < 20
    assert np.abs(large[1::3] - ramp[0, 0, :, 0]).max() <= 3


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (21, 20), (60, 7)])
def test_crop_takes_the_middle(shape: tuple[int, int]) -> None:
    picture = RANDOM.integers(0, 256, (1, *shape, 3), np.uint8)
    side, (top, left) = min(shape), [(length - min(shape)) // 2 for length in shape]
    assert np.array_equal(preprocess(picture, side, 3, "crop"), picture[:, top : top + side, left : left + side])


@pytest.mark.parametrize("shape", [(30, 20), (20, 30), (21, 20)])
def test_pad_repeats_the_edge(shape: tuple[int, int]) -> None:
    picture = RANDOM.integers(0, 256, (1, *shape, 1), np.uint8)
    side = max(shape)
    top, left = [(side - length) // 2 for length in shape]
    result = preprocess(picture, side, 1, "pad")[0]
    assert np.array_equal(result[top : top + shape[0], left : left + shape[1]], picture[0])
    if shape[0] > shape[1]:
        assert (result[:, :left] == picture[0, :, :1]).all() and (
            result[:, left + shape[1] :] == picture[0, :, -1:]
        ).all()
    else:
        assert (result[:top] == picture[0, :1]).all() and (result[top + shape[0] :] == picture[0, -1:]).all()


def test_stretch_uses_the_whole_picture() -> None:
    picture = RANDOM.integers(0, 256, (1, 32, 16, 3), np.uint8)
    expected = picture.reshape(1, 8, 4, 8, 2, 3).mean((2, 4))
    assert np.abs(preprocess(picture, 8, 3, "stretch") - expected).max() <= 0.51


def test_stretch_does_not_skip_pixels_where_only_one_side_shrinks() -> None:
    stripes = np.zeros((1, 10, 120, 1), np.uint8)
    stripes[:, :, ::2] = 255
    result = preprocess(stripes, 20, 1, "stretch")
    assert result.min() >= 126 and result.max() <= 129


def test_grey_is_what_pillow_makes_of_colour() -> None:
    expected = np.array([np.asarray(Image.fromarray(image).convert("L")) for image in COLOUR])
    result = to_channels(COLOUR, 1)
    assert result.dtype == np.uint8
    assert np.abs(result[..., 0].astype(int) - expected).max() <= 1
    white = np.full((1, 2, 2, 3), 255, np.uint8)
    assert (to_channels(white, 1) == 255).all()


def test_colour_is_three_times_the_grey() -> None:
    assert np.array_equal(preprocess(GREY, 24, 3), np.concatenate([GREY] * 3, -1))


def test_images_do_not_depend_on_their_neighbours() -> None:
    together = preprocess(COLOUR, 10, 1)
    assert np.array_equal(together, np.concatenate([preprocess(image[None], 10, 1) for image in COLOUR]))
    assert preprocess(COLOUR[:0], 10, 1).shape == (0, 10, 10, 1)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 3), (2, 8, 8, 2), (2, 8, 8, 4), (1, 2, 8, 8, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"Expected images of shape .* got"):
        preprocess(np.zeros(shape, np.uint8), 8, 3)
