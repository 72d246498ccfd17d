import base64
import io

import numpy as np
import pytest
from PIL import Image

from vision_app.errors import InputError
from vision_app.ui.pad import PREFIX, build_pad, decode_pad


def data_url(picture: Image.Image, **options: object) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG", **options)
    return PREFIX + base64.b64encode(file.getvalue()).decode()


def test_the_pixels_arrive_unchanged() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (280, 280, 3), np.uint8)
    decoded = decode_pad(data_url(Image.fromarray(pixels)))
    assert decoded.dtype == np.uint8
    assert np.array_equal(decoded, pixels)


def test_what_is_transparent_is_paper() -> None:
    drawing = np.zeros((4, 4, 4), np.uint8)
    drawing[0, 0, 3] = 255
    decoded = decode_pad(data_url(Image.fromarray(drawing)))
    assert decoded[0, 0].tolist() == [0, 0, 0]
    assert (decoded.reshape(-1, 3)[1:] == 255).all()


@pytest.mark.parametrize("value", [None, ""])
def test_an_empty_pad_is_none(value: str | None) -> None:
    assert decode_pad(value) is None


@pytest.mark.parametrize(
    "value",
    [
        "hello",
        "http://127.0.0.1/x.png",
        "/etc/passwd",
        "data:image/jpeg;base64,AAAA",
        PREFIX,
        PREFIX + "not base64!",
        PREFIX + base64.b64encode(b"GIF89a").decode(),
        PREFIX + "A" * 13_000_000,
        {"path": "x"},
        7,
    ],
)
def test_anything_else_is_refused_in_one_sentence(value: object) -> None:
    with pytest.raises(InputError, match="Expected") as caught:
        decode_pad(value)
    assert "\n" not in str(caught.value)


def test_a_truncated_drawing_is_refused() -> None:
    whole = data_url(Image.fromarray(np.random.default_rng(0).integers(0, 256, (99, 99, 3), np.uint8)))
    for length in range(len(PREFIX), len(whole) - 16, len(whole) // 40):
        with pytest.raises(InputError, match=r"broken PNG|data URL"):
            decode_pad(whole[: length - (length - len(PREFIX)) % 4])


def test_a_huge_drawing_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(InputError, match="2,000,000 pixels, got 20,000 x 3,000"):
        decode_pad(data_url(Image.new("1", (20_000, 3_000))))


def test_the_pad_is_reached_and_named() -> None:
    pad = build_pad("paper")
    assert pad.elem_id == "paper"
    assert 'tabindex="0"' in pad.html_template
    assert "aria-label" in pad.html_template
    assert all(mark not in pad.html_template for mark in ("{{", "${", "`"))  # Gradio would read these as a template
