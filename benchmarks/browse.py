"""Pages of the Browse tab on the server's side, of 60,000 images, against a plain loop that encodes the same pictures.

    python benchmarks/browse.py [NUM_FILES]

Three sets: MNIST and CIFAR-10 if VISION_APP_DATA has them, and NUM_FILES generated JPEG files (default 60,000). Aims: the first
page of a loaded set within 300 ms, the next within 100 ms. The plain loop encodes each picture as PNG in base64, no more.
"""

import base64
import io
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

NUM_PAGES = 40


def plain(images: object, indices: range) -> str:
    """Encode pictures as a page would need them, and nothing else."""
    from PIL import Image

    parts = []
    for index in indices:
        image, file = images[index], io.BytesIO()
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(file, "PNG")
        parts.append(f'<img src="data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}">')
    return "".join(parts)


def measure(name: str) -> None:
    """Print the times of the pages of one dataset."""
    from vision_app.data.datasets import find_dataset, load_split
    from vision_app.ui.browse_choice import ALL_SPLITS, Choice
    from vision_app.ui.browse_view import PER_PAGE, find_page, gallery_html

    for split in find_dataset(name).counts:
        load_split(name, split)
    times, loop, num_pages = [], [], 1
    for number in range(1, NUM_PAGES + 1):
        began = time.perf_counter()
        page = find_page(Choice(name, ALL_SPLITS), max(1, (number - 1) * num_pages // NUM_PAGES))
        gallery_html(page)
        num_pages = page.num_pages
        times.append(1000 * (time.perf_counter() - began))
        images = load_split(name, page.places[0].split)[0]
        first, last = page.places[0].index, min(page.places[0].index + PER_PAGE, len(images))
        began = time.perf_counter()
        plain(images, range(first, last))
        loop.append(1000 * (time.perf_counter() - began))
    later = statistics.median(times[1:])
    print(
        f"{Path(name).name:>20}  {page.count:>7,} images  first page {times[0]:6.1f} ms  next page {later:6.1f} ms "
        f"(worst {max(times[1:]):.1f})  plain loop {statistics.median(loop):6.1f} ms  "
        f"ratio {later / statistics.median(loop):.2f}",
        flush=True,
    )


def main() -> None:
    """Measure all sets there are."""
    from data import NUM_CLASSES, write_class

    from vision_app.data.datasets import find_dataset
    from vision_app.data.fetching import is_available

    for name in ("mnist", "cifar10"):
        if is_available(find_dataset(name)):
            measure(name)
    with tempfile.TemporaryDirectory() as folder:
        for label in range(NUM_CLASSES):
            write_class(Path(folder) / "set", label, int(sys.argv[1] if len(sys.argv) > 1 else 60_000) // NUM_CLASSES)
        measure(str(Path(folder) / "set"))


if __name__ == "__main__":
    main()
