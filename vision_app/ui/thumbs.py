"""Small pictures to click on, as plain buttons: quick to draw, crisp, and reached by keyboard."""

import html
from collections.abc import Sequence

import gradio as gr
import numpy as np
from PIL import Image

from vision_app.errors import InputError
from vision_app.figures import png_url

SIDE = 160  # pixels of a thumbnail at most

_CLICK = """
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-index]");
  if (!button) return;
  element.querySelectorAll("button").forEach((other) => other.setAttribute("aria-pressed", other === button));
  trigger("click", { index: Number(button.dataset.index) });
});
"""


def build_thumbs(value: str = "", elem_id: str | None = None, min_height: int = 220) -> gr.HTML:
    """Return the component; its value comes from `thumbs_html`, its `click` event carries the index (`clicked`)."""
    return gr.HTML(value, js_on_load=_CLICK, apply_default_css=False, elem_id=elem_id, min_height=min_height)


def clicked(event: gr.EventData, count: int) -> int:
    """Return which picture was clicked on.

    Raises:
        InputError: the index, which comes from the browser, is not one of the `count` pictures.
    """
    index = (event._data or {}).get("index")  # Gradio has no public name for a custom event's data as a whole
    if not isinstance(index, int) or not 0 <= index < count:
        raise InputError(f"Expected the index of one of {count} pictures, got {index!r}; click on a picture.")
    return index


def thumbs_html(images: Sequence[np.ndarray], names: Sequence[str], selected: int | None = None) -> str:
    """Return buttons with pictures and their names.

    Args:
        images: uint8 (height, width, 1 or 3) each; large ones are made smaller.
        names: shown below, and the alternative text.
        selected: index of the chosen one.
    """
    buttons = []
    for index, (image, name) in enumerate(zip(images, names, strict=True)):
        shown = html.escape(name)
        crisp = ' class="vw-crisp"' if max(image.shape[:2]) < 64 else ""
        pressed = str(index == selected).lower()
        buttons.append(
            f'<button type="button" data-index="{index}" aria-pressed="{pressed}" title="{shown}">'
            f'<img{crisp} src="{png_url(shrink(image))}" alt="{shown}"><span aria-hidden="true">{shown}</span></button>'
        )
    return f'<div class="vw-thumbs">{"".join(buttons)}</div>'


def shrink(image: np.ndarray, side: int = SIDE) -> np.ndarray:
    """Return the image with no edge longer than `side` pixels; small ones stay as they are."""
    if max(image.shape[:2]) <= side:
        return image
    picture = Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image)
    picture.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return np.asarray(picture)
