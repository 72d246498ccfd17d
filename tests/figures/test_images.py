import base64
import io

import numpy as np
import pytest
from PIL import Image

from vision_app.figures.images import picture_html, png_url


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 1), (5, 7, 3)])
def test_the_pixels_arrive_unchanged(shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    data = base64.b64decode(png_url(image).removeprefix("data:image/png;base64,"))
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data))), image.squeeze())


def test_alternative_text_is_escaped() -> None:
    assert 'alt="&quot;&gt;&lt;script&gt;"' in picture_html(np.zeros((2, 2), np.uint8), '"><script>')
