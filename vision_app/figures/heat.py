"""Heat maps in inferno, a perceptually even colour map (van der Walt and Smith, 2015)."""

import numpy as np
from PIL import Image

# Every eighth colour of matplotlib's table, with straight lines between: within 2 of 255 of it, and nothing to import.
_TABLE = """
000004 040312 0b0724 150b37 210c4a 2f0a5b 3d0965 4a0c6b 57106e 64156e 71196e
7d1e6d 8a226a 972766 a32c61 b0315b bc3754 c63d4d d04545 da4e3c e35933 eb6429
f1711f f67e14 f98c0a fb9b06 fcaa0f fbba1f f9c932 f5d949 f2e865 f3f586 fcffa4
"""
_INFERNO = tuple(_TABLE.split())


def heatmap_image(heatmap: np.ndarray) -> np.ndarray:
    """Return a heat map in colour.

    Args:
        heatmap: float (height, width) in 0..1; not a number counts as 0.

    Returns:
        uint8 (height, width, 3).
    """
    stops = np.array([[int(colour[i : i + 2], 16) for i in (0, 2, 4)] for colour in _INFERNO], dtype=np.float32)
    values = np.clip(np.nan_to_num(heatmap), 0, 1) * (len(stops) - 1)
    low = np.minimum(values.astype(int), len(stops) - 2)
    share = (values - low)[..., None]
    return np.rint(stops[low] * (1 - share) + stops[low + 1] * share).astype(np.uint8)


def overlay(image: np.ndarray, heatmap: np.ndarray, opacity: float = 0.5) -> np.ndarray:
    """Return the image with the heat map over it.

    Args:
        image: uint8 (height, width, 3) or (height, width, 1).
        heatmap: float in 0..1, of any size: it is stretched to the image's, smoothly.
        opacity: 0 shows only the image, 1 only the heat map.

    Returns:
        uint8 (height, width, 3).
    """
    height, width = image.shape[:2]
    if heatmap.shape != (height, width):
        sheet = Image.fromarray(np.nan_to_num(heatmap).astype(np.float32))
        heatmap = np.asarray(sheet.resize((width, height), Image.Resampling.BICUBIC))
    colours = heatmap_image(heatmap).astype(np.float32)
    below = np.broadcast_to(image, (height, width, 3)).astype(np.float32)
    return np.rint(below * (1 - opacity) + colours * opacity).astype(np.uint8)


def colorbar(low: str = "looked away", high: str = "looked here") -> str:
    """Return the colours with their values 0 to 1 as HTML.

    Args:
        low, high: what 0 and 1 mean, in words.
    """
    stops = ", ".join(f"#{colour}" for colour in _INFERNO[::2])
    return (
        f'<div class="vw-colorbar" role="img" aria-label="Colour bar: 0, dark, {low}; 1, bright, {high}">'
        f'<i style="background:linear-gradient(to right, {stops})"></i>'
        f"<div><span>0 {low}</span><span>0.5</span><span>1 {high}</span></div></div>"
    )
