"""Pictures that look unlike the rest of their set: of one colour, grey, too dark or light, blurred, of another size."""

import numpy as np

from vision_app.health.findings import Item
from vision_app.health.look import Look, ranked

FLAT = 2.0  # standard deviation of the pixels, of 255, below which there is nothing to see
GREY = 6.0  # largest mean difference of colour channels, of 255, of a grey picture
DEVIATIONS = 4.5  # robust standard deviations from the set's median that make an outlier
COLOURED_SHARE = 0.8


def find_constant(look: Look) -> tuple[Item, ...]:
    """Return pictures of a single colour."""
    return ranked(look, FLAT - _spread(look), 0.0, lambda position: "Nothing but one colour.")


def find_grey(look: Look) -> tuple[Item, ...]:
    """Return grey pictures of a set that is in colour on the whole."""
    if look.thumbs.shape[-1] == 1:
        return ()
    colour = np.ptp(look.thumbs.astype(np.int16), axis=-1).mean((1, 2))
    if (colour[look.good] > GREY).mean() < COLOURED_SHARE:
        return ()
    return ranked(look, GREY - colour, 0.0, lambda position: "Grey among pictures in colour.")


def find_brightness(look: Look) -> tuple[Item, ...]:
    """Return pictures that are far darker or lighter than the set's others."""
    mean = look.thumbs.mean((1, 2, 3), dtype=np.float32)
    away = _deviations(mean, look.good)
    return ranked(
        look,
        np.abs(away),
        DEVIATIONS,
        lambda p: f"{'Very light' if away[p] > 0 else 'Very dark'}: {mean[p]:.0f} of 255.",
    )


def find_blur(look: Look) -> tuple[Item, ...]:
    """Return pictures with far less detail than the set's others, by the variance of the Laplacian.

    Pech-Pacheco et al.: Diatom autofocusing in brightfield microscopy. ICPR 2000.
    """
    import cv2

    detail = np.array([np.log1p(cv2.Laplacian(thumb, cv2.CV_32F).var()) for thumb in look.thumbs])
    away = -_deviations(detail, look.good)
    return ranked(
        look, np.where(_spread(look) <= FLAT, 0, away), DEVIATIONS, lambda position: "Far less detail than the others."
    )


def find_sizes(look: Look) -> tuple[Item, ...]:
    """Return pictures that are far smaller than the set's others."""
    pixels = np.sqrt(look.sizes.prod(1).astype(np.float64))
    smaller = np.median(pixels[look.good]) / np.maximum(pixels, 1) if len(look.good) else pixels
    return ranked(look, smaller, 4.0, lambda p: f"{look.sizes[p, 1]} × {look.sizes[p, 0]} pixels.")


def _spread(look: Look) -> np.ndarray:
    """Return the largest standard deviation of a channel of each picture, in pixel values."""
    return look.thumbs.std((1, 2), dtype=np.float32).max(-1)


def _deviations(values: np.ndarray, good: np.ndarray) -> np.ndarray:
    """Return how many robust standard deviations each value is from the median of the good ones."""
    if not len(good):
        return np.zeros(len(values))
    middle = np.median(values[good])
    spread = 1.4826 * np.median(np.abs(values[good] - middle))
    return (values - middle) / max(spread, 1e-3 * max(abs(middle), 1.0))
