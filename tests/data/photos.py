"""Small sets of picture files, made by the tests."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = {"red": (200, 40, 40), "green": (40, 200, 40), "blue": (40, 40, 200)}
FORMATS = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "webp": "WEBP", "bmp": "BMP", "gif": "GIF", "tif": "TIFF"}


def picture(colour: str, seed: int, size: tuple[int, int] = (24, 20)) -> Image.Image:
    """Return a noisy picture that is mostly of one colour."""
    noise = np.random.default_rng(seed).normal(0, 25, (size[1], size[0], 3))
    return Image.fromarray(np.clip(COLOURS[colour] + noise, 0, 255).astype(np.uint8))


def scene(seed: int) -> Image.Image:
    """Return a picture with enough in it to be recognised again."""
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 6, 3), np.uint8)
    return Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str = "PNG") -> bytes:
    """Return a picture's file."""
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()


def class_folders(count: int = 12, suffix: str = "png", before: str = "") -> dict[str, bytes]:
    """Return the files of a set of class folders, `count` pictures a class."""
    return {
        f"{before}{colour}/{number:03}.{suffix}": encoded(picture(colour, number), FORMATS[suffix])
        for colour in COLOURS
        for number in range(count)
    }


def write_folder(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write files into a zip."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path
