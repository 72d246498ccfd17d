"""A picture file from outside, decoded to exactly what a person sees, within bounded memory."""

from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from vision_app.errors import InputError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
EXPECTED = "a JPEG, PNG, WebP, BMP, GIF or TIFF picture"
MAX_BYTES = 256_000_000
# What a format's decoder needs besides the pixels decides how many are allowed; JPEG can decode to a smaller size.
MAX_MEGAPIXELS = {"JPEG": 64, "PNG": 40, "WEBP": 25, "BMP": 40, "GIF": 40, "TIFF": 40}
LARGE = 4_000_000
LARGE_SIDE = 2048
STRIP_ROWS = 32

# By EXIF orientation: what turns the stored picture into the one that was seen.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

OTHER_FILES = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a zip archive",
    b"\x00\x00\x00\x0cJXL ": "a JPEG XL picture",
    b"\x00\x00\x00\x0cjP  ": "a JPEG 2000 picture",
    b"<svg": "an SVG drawing",
    b"<?xml": "an SVG drawing or other XML",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
    b"%!PS": "a PostScript file",
}


def read_picture(source: Path | str | bytes) -> np.ndarray:
    """Return a picture as a person sees it: turned upright (EXIF), on white, in colour.

    Of an animation it is the first frame. Pictures of more than 4 megapixels are reduced by area averaging so that
    the longer side has 2048 pixels.

    Args:
        source: a file's path, or its bytes.

    Returns:
        uint8 (height, width, 3), RGB.

    Raises:
        InputError: nothing there, not a picture, damaged, or too large (JPEG: 64 megapixels, WebP: 25, others: 40).
    """
    name = "the picture" if isinstance(source, bytes) else repr(Path(source).name[:80])
    with _opened(source, name) as image:
        try:
            small = _reduced(image)
            turn = TURNS.get(_orientation(image))
            return np.array(small if turn is None else small.transpose(turn))
        except Exception as error:  # Decoders raise every kind of error on damaged bytes.
            raise InputError(
                f"Expected {EXPECTED}, but {name} is damaged or cut off; open it elsewhere, save it again and retry."
            ) from error


@contextmanager
def _opened(source: Path | str | bytes, name: str):
    """Yield the opened, not yet decoded image; only its header has been read and judged."""
    stream = BytesIO(source) if isinstance(source, bytes) else _open_file(Path(source), name)
    with stream:
        size = stream.seek(0, 2)
        if size == 0:
            raise InputError(f"Expected {EXPECTED}, but {name} is empty (0 bytes); choose another file.")
        if size > MAX_BYTES:
            raise InputError(
                f"Expected a picture file of at most {MAX_BYTES // 10**6} MB, but {name} has {size // 10**6} MB; "
                "save it smaller and try again."
            )
        stream.seek(0)
        with _identified(stream, name) as image:
            limit = MAX_MEGAPIXELS[image.format]
            if image.width * image.height > limit * 10**6:
                raise _too_large(name, f"{image.width} x {image.height} pixels", limit)
            yield image


def _open_file(path: Path, name: str):
    """Return the file opened for reading bytes."""
    try:
        if path.is_dir():
            raise InputError(f"Expected {EXPECTED}, but {name} is a folder; choose one file in it.")
        if path.exists() and not path.is_file():
            raise InputError(f"Expected {EXPECTED}, but {name} is not a file; choose a file.")
        return path.open("rb")
    except FileNotFoundError as error:
        raise InputError(f"Expected {EXPECTED}, but there is no file {name}; check the name.") from error
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"Expected {EXPECTED}, but {name} cannot be read; check its name and permissions.") from error


def _identified(stream, name: str) -> Image.Image:
    """Return the image whose header is in `stream`."""
    try:
        return Image.open(stream, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_large(name, "far more", MAX_MEGAPIXELS[_bomb_format(stream)]) from error
    except Exception as error:  # A damaged header makes Pillow's plugins raise every kind of error.
        raise InputError(f"Expected {EXPECTED}, but {name} is {_kind(stream)}; save it as JPEG or PNG.") from error


def _bomb_format(stream) -> str:
    """Return the format of a picture so large that Pillow refuses to say anything of it."""
    stream.seek(0)
    start = stream.read(12)
    return "JPEG" if start.startswith(b"\xff\xd8") else "WEBP" if start[8:] == b"WEBP" else "PNG"


def _too_large(name: str, got: str, limit: int) -> InputError:
    return InputError(
        f"Expected a picture of at most {limit} megapixels, but {name} has {got}; make it smaller and try again."
    )


def _kind(stream) -> str:
    """Return in words what a file is that is no picture we read."""
    stream.seek(0)
    start = stream.read(32)
    if start[4:8] == b"ftyp":
        return "a HEIC or AVIF picture or a video"
    return next(
        (kind for mark, kind in OTHER_FILES.items() if start.lstrip().startswith(mark)), "no picture that can be read"
    )


def _reduced(image: Image.Image) -> Image.Image:
    """Return the image as RGB, at most about `LARGE_SIDE` pixels a side if it is large.

    Work goes strip by strip, so that beside the decoded picture there is never a second copy of it.
    """
    large = image.width * image.height > LARGE
    if not large and image.mode in ("RGB", "L") and not image.has_transparency_data:
        image.load()
        return image if image.mode == "RGB" else image.convert("RGB")  # the usual case, at once
    scale = LARGE_SIDE / max(image.size) if large else 1
    size = tuple(max(1, round(side * scale)) for side in image.size)
    image.draft(None, size)
    grey_range = _grey_range(image)
    factor = max(1, max(image.size) // LARGE_SIDE) if large else 1
    small = Image.new("RGB", tuple(-(-side // factor) for side in image.size))
    rows = STRIP_ROWS * factor
    for top in range(0, image.height, rows):
        strip = image.crop((0, top, image.width, min(top + rows, image.height)))
        small.paste(_as_rgb(strip, grey_range).reduce(factor), (0, top // factor))
    return small.resize(size, Image.Resampling.BOX) if small.size != size else small


def _grey_range(image: Image.Image) -> tuple[float, float] | None:
    """Return the values that are black and white in a grey image of more than 8 bits, else None.

    16 bits state their range. 32-bit and floating-point images do not: it is 0 to 1, 255 or 65535 if all values lie
    within, and otherwise from the smallest value to the largest.
    """
    if image.mode.startswith("I;16"):
        return 0.0, 65535.0
    if image.mode not in ("I", "F"):
        return None
    low, high = image.getextrema()
    tops = [top for top in (1.0, 255.0, 65535.0) if low >= 0 and high <= top and (top > 1 or image.mode == "F")]
    return (0.0, tops[0]) if tops else (float(low), float(high))


def _as_rgb(strip: Image.Image, grey_range: tuple[float, float] | None) -> Image.Image:
    """Return `strip` as RGB: many bits scaled to 8, transparency laid on white."""
    if grey_range:
        low, high = grey_range
        values = (np.asarray(strip, np.float32) - low) * (255 / max(high - low, 1e-12))
        return Image.fromarray(np.clip(np.nan_to_num(values) + 0.5, 0, 255).astype(np.uint8)).convert("RGB")
    if strip.has_transparency_data:
        layer = strip.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return strip.convert("RGB")


def _orientation(image: Image.Image) -> int:
    """Return the EXIF orientation, 1 if there is none; asked after decoding, as TIFF pictures come out upright already."""
    try:
        return image.getexif().get(0x0112, 1)
    except Exception:  # A picture is worth showing even if its metadata is damaged in any of many ways.
        return 1


def describe_oddities(content: bytes, name: str) -> str:
    """Say what about a readable picture file may not be meant so; empty if nothing is.

    Args:
        content: the file's bytes.
        name: its name, whose extension should fit.
    """
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as image:
            kind, mode, frames = image.format, image.mode, getattr(image, "n_frames", 1)
    except Exception:  # only told about; whether the picture can be read is asked elsewhere
        return ""
    said = []
    if Image.registered_extensions().get(Path(name).suffix.lower()) not in (kind, None):
        said.append(f"{kind} with the extension {Path(name).suffix}")
    if frames > 1:
        said.append(f"{frames} frames, of which the first counts")
    if mode.startswith("I") or mode == "F":
        said.append("more than 8 bits")
    if mode == "CMYK":
        said.append("CMYK, the colours of print")
    return ", ".join(said)
