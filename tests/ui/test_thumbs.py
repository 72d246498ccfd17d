from types import SimpleNamespace

import numpy as np
import pytest

from vision_app.errors import InputError
from vision_app.ui.thumbs import clicked, shrink, thumbs_html

HOSTILE = '<img src=x onerror="alert(1)">'


def test_each_picture_is_a_button_with_its_name() -> None:
    images = [np.zeros((8, 8, 1), np.uint8), np.zeros((100, 300, 3), np.uint8)]
    text = thumbs_html(images, ["seven", HOSTILE], selected=1)
    assert text.count("<button") == 2
    assert text.count('aria-pressed="true"') == 1
    assert 'alt="seven"' in text
    assert HOSTILE not in text
    assert text.count('class="vw-crisp"') == 1  # only the small one is shown pixel by pixel


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((8, 8, 1), (8, 8, 1)), ((100, 400, 3), (40, 160, 3)), ((400, 400, 1), (160, 160))],
)
def test_large_pictures_are_made_smaller(shape: tuple, expected: tuple) -> None:
    assert shrink(np.zeros(shape, np.uint8)).shape == expected


def test_the_click_tells_which() -> None:
    assert clicked(SimpleNamespace(_data={"index": 2}), 3) == 2


@pytest.mark.parametrize("data", [{"index": 3}, {"index": -1}, {"index": "1"}, {}, None])
def test_an_impossible_click_is_refused(data: dict | None) -> None:
    with pytest.raises(InputError, match="one of 3 pictures"):
        clicked(SimpleNamespace(_data=data), 3)
