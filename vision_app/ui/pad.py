"""A drawing pad of our own: black ink on white paper, by mouse, finger, pen or keyboard."""

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gradio as gr
import numpy as np
from PIL import Image

from vision_app.errors import InputError

PREFIX = "data:image/png;base64,"
MAX_PIXELS = 2_000_000
MAX_CHARACTERS = 12_000_000  # a PNG of so many pixels cannot be longer in base64

_TEMPLATE = """
<div class="vw-pad">
  <div class="vw-paper">
    <canvas tabindex="0" role="application" aria-label="Drawing pad: draw a digit. Arrow keys move the pen,
Space puts it down or lifts it, Delete clears, Control Z undoes."></canvas>
    <div class="vw-hint" aria-hidden="true">
      Draw a digit here<small>or press Tab and use the arrow keys and Space</small>
    </div>
    <div class="vw-pen" aria-hidden="true"></div>
  </div>
  <div class="vw-pad-tools">
    <button type="button">Undo</button><button type="button">Clear</button><output aria-live="polite"></output>
  </div>
</div>
"""


def build_pad(elem_id: str = "pad") -> gr.HTML:
    """Return the pad. Its value is a PNG data URL of 280 x 280 pixels, sent while drawing; "" when nothing is drawn."""
    return gr.HTML(
        value="",
        html_template=_TEMPLATE,
        js_on_load=Path(__file__).with_name("pad.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=elem_id,
    )


def decode_pad(value: str | None) -> np.ndarray | None:
    """Return the drawing as uint8 RGB (height, width, 3), or None when nothing is drawn.

    Raises:
        InputError: the value is not a PNG data URL of at most 2 million pixels.
    """
    if not value:
        return None
    if not isinstance(value, str) or not value.startswith(PREFIX) or len(value) > MAX_CHARACTERS:
        raise InputError("Expected a drawing as a PNG data URL, got something else; draw on the pad and try again.")
    with _whole():
        picture = Image.open(io.BytesIO(base64.b64decode(value[len(PREFIX) :], validate=True)), formats=["PNG"])
    if picture.width * picture.height > MAX_PIXELS:
        size = f"{picture.width:,} x {picture.height:,} pixels"
        raise InputError(f"Expected a drawing of at most {MAX_PIXELS:,} pixels, got {size}; draw on the pad instead.")
    with _whole():
        return _on_white(picture)


@contextmanager
def _whole() -> Iterator[None]:
    """Say in words that the PNG is broken; Pillow has many ways to say so."""
    try:
        yield
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError):
        raise InputError("Expected a whole drawing, got a broken PNG; clear the pad and draw again.") from None


def _on_white(picture: Image.Image) -> np.ndarray:
    paper = Image.new("RGBA", picture.size, "white")
    paper.alpha_composite(picture.convert("RGBA"))
    return np.asarray(paper.convert("RGB"))
