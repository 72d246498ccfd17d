import re

import numpy as np
import pytest

from vision_app.figures.heat import colorbar, heatmap_image, overlay


def test_colours_are_matplotlibs_inferno() -> None:
    from matplotlib import colormaps

    values = np.linspace(0, 1, 256)[None]
    expected = colormaps["inferno"](values, bytes=True)[..., :3].astype(int)
    assert np.abs(heatmap_image(values).astype(int) - expected).max() <= 2


def test_values_outside_and_not_numbers_stay_inside() -> None:
    image = heatmap_image(np.array([[-1.0, 2.0, np.nan]]))
    assert image.tolist() == heatmap_image(np.array([[0.0, 1.0, 0.0]])).tolist()


@pytest.mark.parametrize("channels", [1, 3])
def test_overlay_goes_from_image_to_heat_map(channels: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 8, channels), np.uint8)
    heat = np.random.default_rng(1).random((6, 8)).astype(np.float32)
    assert np.array_equal(overlay(image, heat, 0.0), np.broadcast_to(image, (6, 8, 3)))
    assert np.array_equal(overlay(image, heat, 1.0), heatmap_image(heat))
    half = (np.broadcast_to(image, (6, 8, 3)).astype(float) + heatmap_image(heat)) / 2
    assert np.abs(overlay(image, heat, 0.5) - half).max() <= 0.5


def test_a_small_heat_map_is_stretched_to_the_image() -> None:
    heat = np.zeros((2, 2), np.float32)
    heat[0, 0] = 1
    shown = overlay(np.zeros((40, 40, 3), np.uint8), heat, 1.0).sum(axis=-1)
    assert shown.shape == (40, 40)
    assert shown[0, 0] > shown[20, 20] > shown[39, 39]


def test_colour_bar_has_the_ends_of_the_map() -> None:
    colours = re.findall(r"#[0-9a-f]{6}", colorbar())
    assert (colours[0], colours[-1]) == ("#000004", "#fcffa4")
