"""Arrays as pictures in the page."""

import base64
import html
import io

import numpy as np
from PIL import Image


def png_url(image: np.ndarray) -> str:
    """Return an image as a PNG data URL.

    Args:
        image: uint8 (height, width), (height, width, 1) or (height, width, 3).
    """
    pixels = image[..., 0] if image.ndim == 3 and image.shape[-1] == 1 else image
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG")
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def picture_html(image: np.ndarray, alt: str, css_class: str = "") -> str:
    """Return an <img> of an array, with what it shows as alternative text."""
    return f'<img class="{css_class}" src="{png_url(image)}" alt="{html.escape(alt)}">'
