"""Pictures from outside: read as a person sees them, and made to look like a dataset's own."""

import os
import struct
import subprocess
import sys
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter
from sklearn.datasets import load_digits

from vision_app.data.uploads import UPLOAD_STYLES, normalize_upload, read_picture
from vision_app.errors import InputError

ROOT = Path(__file__).parents[2]


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    """Return the image as a file's bytes."""
    stream = BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def colourful() -> np.ndarray:
    """Return a picture (40, 60, 3) whose four corners differ and which JPEG keeps well."""
    y, x = np.mgrid[:40, :60]
    return np.stack([x * 4, y * 6, 120 + 0 * x], axis=2).astype(np.uint8)


def png_file(width: int, height: int, rows: int) -> bytes:
    """Return a black one-channel PNG that declares any size and holds its first rows."""
    packed = zlib.compress(bytes((width + 1) * rows), 1)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


# Reading


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_lossless_formats_keep_every_pixel(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    assert np.array_equal(read_picture(encoded(Image.fromarray(colourful()), kind, **options)), colourful())


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "JPEG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(orientation: int, kind: str) -> None:
    seen = colourful()
    # How a camera stores what was seen: the inverse of what the EXIF standard says the viewer must do.
    stored = {
        1: seen,
        2: seen[:, ::-1],
        3: seen[::-1, ::-1],
        4: seen[::-1],
        5: seen.transpose(1, 0, 2),
        6: np.rot90(seen),
        7: seen[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(seen, -1),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if kind == "WEBP" else {"quality": 98} if kind == "JPEG" else {}
    picture = read_picture(encoded(Image.fromarray(np.ascontiguousarray(stored)), kind, exif=exif, **options))
    assert picture.shape == seen.shape
    assert np.abs(picture.astype(int) - seen).max() <= (12 if kind == "JPEG" else 0)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_equals_its_8_bit_twin(kind: str) -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    picture = read_picture(encoded(Image.fromarray(ramp), kind))
    assert np.abs(picture[:, :, 1] - ramp / 257).max() <= 1
    assert len(np.unique(picture)) == 256


@pytest.mark.parametrize("top", [1.0, 255.0, 65535.0, 4e6])
def test_floating_point_grey_is_scaled(top: float) -> None:
    ramp = np.linspace(0, top, 256, dtype=np.float32).reshape(16, 16)
    assert np.abs(read_picture(encoded(Image.fromarray(ramp), "TIFF"))[:, :, 0].ravel() - np.arange(256.0)).max() <= 1


def test_32_bit_grey_is_scaled() -> None:
    ramp = (np.arange(256, dtype=np.int32) * 1000 - 5000).reshape(16, 16)
    assert np.abs(read_picture(encoded(Image.fromarray(ramp), "TIFF"))[:, :, 0].ravel() - np.arange(256.0)).max() <= 1


def test_alpha_is_laid_on_white() -> None:
    grey = Image.fromarray(np.full((4, 4, 2), (40, 64), np.uint8), "LA")
    colour = Image.fromarray(np.full((4, 4, 4), (200, 0, 100, 128), np.uint8))
    assert np.abs(read_picture(encoded(grey)).astype(int) - round((40 * 64 + 255 * 191) / 255)).max() <= 1
    expected = [(value * 128 + 255 * 127) / 255 for value in (200, 0, 100)]
    assert np.abs(read_picture(encoded(colour)) - np.array(expected)).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "GIF"])
def test_transparent_palette_is_laid_on_white(kind: str) -> None:
    image = Image.new("P", (6, 4), 1)
    image.putpalette([255, 0, 0, 0, 0, 255] + [0] * 762)
    image.paste(0, (0, 0, 3, 4))
    picture = read_picture(encoded(image, kind, transparency=0))
    assert (picture[:, :3] == 255).all()
    assert (picture[:, 3:] == (0, 0, 255)).all()


def test_one_bit_and_palette_and_cmyk() -> None:
    plain = colourful()
    one_bit = Image.fromarray(plain[:, :, 0]).convert("1")
    assert np.array_equal(read_picture(encoded(one_bit))[:, :, 0], np.asarray(one_bit) * 255)
    palette = Image.fromarray(plain).quantize(256)
    assert np.array_equal(read_picture(encoded(palette)), np.asarray(palette.convert("RGB")))
    cmyk = read_picture(encoded(Image.fromarray(plain).convert("CMYK"), "JPEG", quality=98))
    assert np.abs(cmyk.astype(int) - plain).max() <= 16


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_an_animation(kind: str) -> None:
    red, blue = Image.new("RGB", (8, 8), (255, 0, 0)), Image.new("RGB", (8, 8), (0, 0, 255))
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = read_picture(encoded(red, kind, save_all=True, append_images=[blue], **options))
    assert (picture == (255, 0, 0)).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_large_pictures_are_area_averaged(kind: str) -> None:
    small = Image.fromarray(colourful())
    large = small.resize((2400, 1800), Image.Resampling.NEAREST)
    picture = read_picture(encoded(large, kind))
    assert max(picture.shape) == 2048
    expected = np.asarray(large.resize(picture.shape[1::-1], Image.Resampling.BOX), int)
    assert np.abs(picture - expected).mean() < 2


def test_damaged_metadata_does_not_hide_a_picture() -> None:
    data = encoded(Image.fromarray(colourful()), exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage")
    assert read_picture(data).shape == (40, 60, 3)


def test_path_text_and_bytes_are_the_same(tmp_path: Path) -> None:
    file = tmp_path / "wrong ending.jpg"
    file.write_bytes(encoded(Image.fromarray(colourful())))
    for source in (file, str(file), file.read_bytes()):
        assert np.array_equal(read_picture(source), colourful())


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"])
def test_cut_off_files_are_refused(kind: str) -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    for share in (0.02, 0.3, 0.7):
        with pytest.raises(InputError, match="Expected a JPEG, PNG"):
            read_picture(data[: int(len(data) * share)])


def test_any_damage_gives_a_picture_or_an_input_error() -> None:
    rng = np.random.default_rng(1)
    for kind in ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF"):
        data = encoded(Image.fromarray(colourful()), kind)
        for _ in range(60):
            broken = bytearray(data)
            for place in rng.integers(0, min(len(data), 400), 4):
                broken[place] = rng.integers(256)
            try:
                picture = read_picture(bytes(broken))
            except InputError:
                continue
            assert picture.dtype == np.uint8 and picture.ndim == 3 and picture.shape[2] == 3


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b"hello, this is text", "no picture"),
        (b"%PDF-1.7 ...", "a PDF"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "PostScript"),
    ],
)
def test_other_files_are_named(data: bytes, word: str, tmp_path: Path) -> None:
    file = tmp_path / "my\npicture.png"
    file.write_bytes(data)
    with pytest.raises(InputError, match=word) as caught:
        read_picture(file)
    message = str(caught.value)
    assert r"'my\npicture.png'" in message
    assert str(tmp_path) not in message and "\n" not in message


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    for source in (tmp_path, tmp_path / "missing.png", "nul\0byte", "long" * 100, os.devnull):
        with pytest.raises(InputError):
            read_picture(source)


def test_declared_size_is_judged_before_decoding(tmp_path: Path) -> None:
    (tmp_path / "huge.png").write_bytes(png_file(30_000, 30_000, rows=1_000))
    (tmp_path / "large.png").write_bytes(png_file(9_000, 9_000, rows=1_000))
    code = (
        "import sys, resource\n"
        "from vision_app.data.reading import read_picture\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for path in sys.argv[1:]:\n"
        "    try: read_picture(path)\n"
        "    except ValueError as error: print(error)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)"
    )
    command = [sys.executable, "-c", code, tmp_path / "huge.png", tmp_path / "large.png"]
    huge, large, growth = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()
    assert "at most 40 megapixels" in huge and "9000 x 9000" in large
    assert int(growth) < 30


# Digits


def drawing(
    side: int = 280, pen: int = 18, box: tuple[int, int, int, int] = (60, 40, 190, 230), ink: int = 0, paper: int = 255
) -> np.ndarray:
    """Return a 4 drawn in three strokes within `box`, on a square pad."""
    image = Image.new("L", (side, side), paper)
    left, top, right, bottom = box
    points = [(left, top), (left, (top + bottom) // 2), (right, (top + bottom) // 2)]
    ImageDraw.Draw(image).line(points, fill=ink, width=pen, joint="curve")
    ImageDraw.Draw(image).line([(right, top), (right, bottom)], fill=ink, width=pen)
    return np.asarray(image)


def box_of(image: np.ndarray) -> tuple[int, int, int, int]:
    """Return first row, first column, height and width of what is not black."""
    rows, columns = np.nonzero(image.any(axis=1))[0], np.nonzero(image.any(axis=0))[0]
    return rows[0], columns[0], np.ptp(rows) + 1, np.ptp(columns) + 1


def similarity(one: np.ndarray, other: np.ndarray) -> float:
    """Return the correlation of two images of 28 x 28, blurred so that a shift by a pixel counts little."""
    blurred = [
        np.asarray(Image.fromarray(image.reshape(28, 28)).filter(ImageFilter.GaussianBlur(1.5)), float).ravel()
        for image in (one, other)
    ]
    return float(np.corrcoef(*blurred)[0, 1])


def mnist_like() -> np.ndarray:
    """Return the normalised plain drawing (28, 28)."""
    return normalize_upload(drawing(), "mnist")[:, :, 0]


VARIANTS = {
    "smaller, elsewhere": drawing(400, 9, (250, 30, 315, 125)),
    "thin pen": drawing(pen=5),
    "thick pen": drawing(pen=30),
    "faint": drawing(ink=215, paper=240),
    "light on dark": drawing(ink=230, paper=30),
    "at the border": drawing(240, 18, (9, 0, 139, 190)),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_size_place_and_pen_do_not_matter(name: str) -> None:
    assert similarity(normalize_upload(VARIANTS[name], "mnist"), mnist_like()) > 0.9


def test_uneven_light_noise_and_specks_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    light = np.linspace(0.45, 1, 280) * np.linspace(1, 0.8, 280)[:, None]
    photo = drawing() * 0.85 * light + 10 + rng.normal(0, 5, (280, 280))
    photo[5:8, 250:253] = 0
    assert similarity(normalize_upload(np.clip(photo, 0, 255).astype(np.uint8), "mnist"), mnist_like()) > 0.85


def test_hard_shadow_does_not_matter() -> None:
    photo = drawing().astype(float)
    photo[:, 240:] *= 0.5
    assert similarity(normalize_upload(photo.astype(np.uint8), "mnist"), mnist_like()) > 0.95


def test_coloured_ink_does_not_matter() -> None:
    share = drawing()[:, :, None] / 255
    yellow = (share * (255, 255, 255) + (1 - share) * (250, 230, 60)).astype(np.uint8)
    assert similarity(normalize_upload(yellow, "mnist"), mnist_like()) > 0.99


@pytest.mark.parametrize("style", ["mnist", "digits8", "garment"])
def test_inverted_twin_is_the_same(style: str) -> None:
    picture = drawing(ink=20, paper=250)
    assert np.array_equal(normalize_upload(picture, style), normalize_upload(255 - picture, style))


@pytest.mark.parametrize("name", VARIANTS)
def test_mnist_geometry(name: str) -> None:
    image = normalize_upload(VARIANTS[name], "mnist")
    assert image.shape == (28, 28, 1) and image.dtype == np.uint8
    weights = image[:, :, 0] / image.sum()
    assert abs(weights.sum(axis=1) @ np.arange(28) - 14) <= 0.5
    assert abs(weights.sum(axis=0) @ np.arange(28) - 14) <= 0.5
    assert 19 <= max(box_of(image[:, :, 0])[2:]) <= 20
    assert image.max() > 240 and np.median(image) == 0


def test_a_normalised_digit_stays_as_it_is() -> None:
    once = normalize_upload(drawing(), "mnist")
    twice = normalize_upload(once, "mnist")
    assert np.abs(once.astype(int) - twice).max() <= 16


def test_broken_digit_keeps_its_parts() -> None:
    broken = drawing()
    broken = broken.copy()
    broken[120:150, 100:125] = 255
    broken[170:180, 170:210] = 255
    assert box_of(normalize_upload(broken, "mnist")[:, :, 0])[2:] == box_of(mnist_like())[2:]


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("style", ["mnist", "digits8", "garment"])
def test_blank_pictures_are_refused(style: str, level: int) -> None:
    rng = np.random.default_rng(0)
    flat = np.full((200, 300, 3), level, np.uint8)
    noisy = np.clip(flat[:, :, 0] + rng.normal(0, 6, (200, 300)), 0, 255).astype(np.uint8)
    shaded = np.clip(noisy * np.linspace(0.7, 1, 300), 0, 255).astype(np.uint8)
    for picture in (flat, noisy) if style == "garment" else (flat, noisy, shaded):
        with pytest.raises(InputError, match="nothing stands out"):
            normalize_upload(picture, style)


def test_mnist_images_stay_as_they_are() -> None:
    folder = os.environ.get("VISION_APP_DATA")
    if not folder or not (Path(folder) / "mnist.npz").exists():
        pytest.skip("needs MNIST in VISION_APP_DATA")
    images = np.load(Path(folder) / "mnist.npz")["x_test"][:1000]
    same = [np.array_equal(normalize_upload(image, "mnist")[:, :, 0], image) for image in images]
    assert np.mean(same) >= 0.98  # the others do not fill their box, or lie off its middle
    assert np.array_equal(normalize_upload(255 - images[0], "mnist")[:, :, 0], images[0])


# The 8 x 8 digits


def test_digits8_are_left_as_they_are() -> None:
    for image in load_digits().images[:40]:
        picture = np.round(image * 255 / 16).astype(np.uint8)
        assert np.array_equal(normalize_upload(picture, "digits8")[:, :, 0], picture)
        assert np.array_equal(normalize_upload(255 - picture, "digits8")[:, :, 0], picture)


def test_digits8_looks_like_the_real_ones() -> None:
    real = load_digits().images
    made = normalize_upload(drawing(), "digits8")
    assert made.shape == (8, 8, 1)
    assert box_of(made[:, :, 0])[2] == 8
    assert real.mean(axis=(1, 2)).min() <= made.mean() * 16 / 255 <= real.mean(axis=(1, 2)).max()


def test_enlarged_digits8_are_recognised() -> None:
    digits = load_digits()
    train, hits = digits.data[:1500], 0
    for image, label in zip(digits.images[1500:1530], digits.target[1500:1530], strict=True):
        large = 255 - np.asarray(Image.fromarray((image * 15.9).astype(np.uint8)).resize((160, 160)))
        made = normalize_upload(np.pad(large, 40, constant_values=255), "digits8").ravel() * (16 / 255)
        hits += digits.target[np.argmin(((train - made) ** 2).sum(axis=1))] == label
    assert hits >= 27


# Garments, photos, the table


def test_garment_is_cut_out_and_fills_the_picture() -> None:
    picture = np.full((300, 200, 3), 245, np.uint8)
    picture[50:250, 60:146] = (90, 100, 110)
    image = normalize_upload(picture, "garment")[:, :, 0]
    assert box_of(image) == (0, 8, 28, 12)
    brightness = 255 - (0.299 * 90 + 0.587 * 100 + 0.114 * 110)
    assert np.abs(image[1:-1, 9:19] - brightness).max() <= 1


def test_photo_is_unchanged() -> None:
    assert np.array_equal(normalize_upload(colourful(), "photo"), colourful())
    assert np.array_equal(normalize_upload(colourful()[:, :, 0], "photo")[:, :, 2], colourful()[:, :, 0])


@pytest.mark.parametrize("style", UPLOAD_STYLES)
@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 200, 3), (200, 1), (2, 2, 1), (37, 53, 3), (900, 20, 3)])
def test_any_picture_gives_an_image_or_an_input_error(style: str, shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(0).integers(0, 2, shape).astype(np.uint8) * 255
    before = picture.copy()
    try:
        image = normalize_upload(picture, style)
    except InputError:
        return
    assert image.dtype == np.uint8 and image.ndim == 3
    assert np.array_equal(picture, before)


@pytest.mark.parametrize("style", UPLOAD_STYLES)
def test_rows_are_named_by_their_key(style: str) -> None:
    row = UPLOAD_STYLES[style]
    assert row.name == style and row.title and row.description.endswith(".")


@pytest.mark.parametrize("picture", [np.zeros((4, 4, 3)), np.zeros((4, 4, 4), np.uint8), np.zeros((0, 4), np.uint8)])
def test_what_is_no_picture_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(InputError, match="Expected a picture as uint8"):
        normalize_upload(picture, "mnist")


def test_unknown_style_names_the_known_ones() -> None:
    with pytest.raises(InputError, match="mnist, digits8, garment, photo"):
        normalize_upload(colourful(), "cubist")


# The example pictures


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*.[jp][pn]g")), ids=lambda file: file.name)
def test_examples_are_small_and_readable(file: Path) -> None:
    assert file.stat().st_size < 200_000
    picture = read_picture(file)
    if file.name.startswith("digit"):
        assert picture.shape == (280, 280, 3)
        assert normalize_upload(picture, "mnist").max() > 240
