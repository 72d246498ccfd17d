"""Pictures that come from outside, made to look like a dataset's own images."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vision_app.data.garment import cut_out
from vision_app.data.ink import SMALLEST_CONTRAST, crop, extract_ink
from vision_app.data.reading import read_picture
from vision_app.data.strokes import deskew, resize, set_coverage, set_stroke
from vision_app.errors import InputError
from vision_app.lookup import find

__all__ = ["UPLOAD_STYLES", "UploadStyle", "normalize_upload", "read_picture"]


@dataclass(frozen=True)
class UploadStyle:
    """One look that pictures from outside can be given."""

    name: str
    title: str
    description: str
    apply: Callable[[np.ndarray], np.ndarray]


def normalize_upload(picture: np.ndarray, style: str) -> np.ndarray:
    """Return a picture from outside as the images of a dataset look.

    Args:
        picture: uint8 (h, w), (h, w, 1) or (h, w, 3) RGB, values 0..255.
        style: a key of `UPLOAD_STYLES`.

    Returns:
        uint8 (h', w', channels): (28, 28, 1) for "mnist" and "garment", (8, 8, 1) for "digits8", unchanged RGB
        for "photo".

    Raises:
        InputError: unknown style, not a picture, or nothing drawn on it.
    """
    row = find(UPLOAD_STYLES, style, "upload style")
    shape = picture.shape
    if picture.dtype != np.uint8 or 0 in shape or not (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))):
        raise InputError(
            "Expected a picture as uint8 of shape (height, width), (height, width, 1) or (height, width, 3), "
            f"but got {picture.dtype} of shape {shape}; convert it first."
        )
    return row.apply(picture)


def like_mnist(picture: np.ndarray) -> np.ndarray:
    """Return a digit as MNIST shows it: ink in a 20 x 20 box, its centre of mass at pixel (14, 14) of 28 x 28.

    A picture of 28 x 28 that is like that already is at most turned from dark on light to light on dark. After LeCun et al., "Gradient-based learning applied to document
    recognition" (1998), section III.A.
    """
    if (own := _own_image(picture, 28)) is not None and _is_centred(own[:, :, 0]):
        return own
    ink = extract_ink(picture)
    if max(ink.shape) != 20:
        ink = crop(resize(set_stroke(ink, box=20), 20))
    canvas = np.zeros((28, 28), np.uint8)
    _place(canvas, np.round(ink * 255).astype(np.uint8), *_centre_of_mass(ink))
    return canvas[:, :, None]


def like_digits8(picture: np.ndarray) -> np.ndarray:
    """Return a digit as scikit-learn's 8 x 8 digits show it: upright, filling the height, with thick strokes.

    They count the ink in blocks of 4 x 4 of a 32 x 32 bitmap that NIST's form-based handprint software had made
    upright and even in weight (Garris et al., "NIST Form-Based Handprint Recognition System", 1994). A picture of 8 x 8
    is taken as one of them and at most turned from dark on light to light on dark.
    """
    if (own := _own_image(picture, 8)) is not None:
        return own
    ink = set_coverage(deskew(extract_ink(picture)), coverage=0.305)
    ink = resize(ink, 32, widest=24)
    bitmap = np.zeros((32, 32), np.float32)
    _place(bitmap, ink, *_centre_of_mass(ink))
    sixteenths = np.round(bitmap.reshape(8, 4, 8, 4).mean(axis=(1, 3)) * 16)
    return np.round(sixteenths * 255 / 16).astype(np.uint8)[:, :, None]


def like_garment(picture: np.ndarray) -> np.ndarray:
    """Return a garment as Fashion-MNIST shows it: light on black, longer side 28 pixels, in the middle of 28 x 28.

    A picture of 28 x 28 is taken as one of its images and at most turned from dark on light to light on dark.
    After Xiao et al., "Fashion-MNIST" (2017), section 2.
    """
    if (own := _own_image(picture, 28)) is not None:
        return own
    garment = resize(cut_out(picture), 28)
    canvas = np.zeros((28, 28), np.uint8)
    middle = tuple((side - 1) / 2 for side in garment.shape)
    _place(canvas, np.round(garment * 255).astype(np.uint8), *middle, target=13.5)
    return canvas[:, :, None]


def like_photo(picture: np.ndarray) -> np.ndarray:
    """Return the picture unchanged, in colour."""
    pixels = picture.reshape(*picture.shape[:2], -1)
    return pixels if pixels.shape[2] == 3 else np.repeat(pixels, 3, axis=2)


def _own_image(picture: np.ndarray, side: int) -> np.ndarray | None:
    """Return a picture of a dataset's own size light on dark (side, side, 1), None if it has another size or ground."""
    if picture.shape[:2] != (side, side):
        return None
    grey = picture.reshape(side, side, -1).mean(axis=2, keepdims=True).round().astype(np.uint8)
    ground = np.median(grey[:, [0, -1]])
    if 32 <= ground <= 255 - 32 or np.ptp(grey) < SMALLEST_CONTRAST:
        return None
    return grey if ground < 32 else 255 - grey


def _is_centred(image: np.ndarray) -> bool:
    """Whether a digit, light on black (28, 28), fills a box of 20 pixels with its centre of mass in the middle."""
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    middle = np.array(_centre_of_mass(image.astype(np.float32)))
    return max(np.ptp(rows), np.ptp(columns)) + 1 in (19, 20) and bool(np.abs(middle - 14).max() <= 1.5)


def _centre_of_mass(ink: np.ndarray) -> tuple[float, float]:
    """Return row and column of the centre of mass, in pixels from the middle of the first one."""
    rows, columns = (np.arange(side) for side in ink.shape)
    return float(ink.sum(axis=1) @ rows / ink.sum()), float(ink.sum(axis=0) @ columns / ink.sum())


def _place(canvas: np.ndarray, image: np.ndarray, row: float, column: float, target: float | None = None) -> None:
    """Put `image` on the square `canvas` with its point (row, column) at `target`, as near as it fits."""
    target = canvas.shape[0] / 2 if target is None else target
    top, left = (
        int(np.clip(np.floor(target - point + 0.5), 0, room - side))
        for point, room, side in zip((row, column), canvas.shape, image.shape, strict=True)
    )
    canvas[top : top + image.shape[0], left : left + image.shape[1]] = image


UPLOAD_STYLES = {
    row.name: row
    for row in (
        UploadStyle("mnist", "MNIST digit", "Light digit on black, 20 pixels in size, centred in 28 x 28.", like_mnist),
        UploadStyle("digits8", "8 x 8 digit", "Light, thick digit that fills the height of 8 x 8.", like_digits8),
        UploadStyle("garment", "Fashion-MNIST garment", "Light garment on black that fills 28 x 28.", like_garment),
        UploadStyle("photo", "Photo", "The picture as it is, in colour.", like_photo),
    )
}
