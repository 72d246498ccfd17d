"""Time, memory and quality of the dataset checks, on errors that are planted here and on pairs that people have verified.

    python benchmarks/health.py [DATASET] [--pairs CSV] [--only duplicates,planted,labels,outliers]

The CSV has the columns TestID, TrainID and Judgment (0 exact, 1 the same shot), the numbers being positions in the
published splits, as in github.com/cvjena/cifair. Network features come from the shipped checkpoint of the dataset.
"""

import argparse
import os
import resource
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import cv2
import numpy as np

from vision_app.data.datasets import find_dataset, load_split
from vision_app.data.preprocess import preprocess
from vision_app.health.duplicates import NEAR, find_duplicates
from vision_app.health.features import extract_features
from vision_app.health.label_errors import cross_validated_probabilities, find_label_errors
from vision_app.health.outliers import SUSPICIOUS, join_features, outlier_scores

PLANTED, FIRST = 300, (300, 600, 1000)
PARTS = ("duplicates", "planted", "labels", "outliers")
CHANGES = ("crop", "shift", "rescale", "light", "colour", "mirror", "jpeg", "noise")


def change(image: np.ndarray, kind: str, rng: np.random.Generator) -> np.ndarray:
    """Return a changed copy of an image, uint8 (size, size, channels)."""
    size, channels = image.shape[0], image.shape[2]
    if kind in ("crop", "shift", "rescale"):
        scale = rng.uniform(0.8, 0.95) if kind == "crop" else rng.uniform(1.05, 1.2) if kind == "rescale" else 1.0
        shift = rng.uniform(-1, 1, 2) * (size * 0.1 if kind == "shift" else size * abs(1 - scale) / 2)
        warp = np.float32([[scale, 0, shift[0]], [0, scale, shift[1]]])
        warp[:, 2] += (1 - scale) * (size - 1) / 2
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        result = cv2.warpAffine(image, warp, (size, size), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    elif kind == "mirror":
        result = image[:, ::-1]
    elif kind == "jpeg":
        code = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 80))])[1]
        result = cv2.imdecode(code, cv2.IMREAD_UNCHANGED)
    elif kind == "noise":
        result = image + rng.normal(0, 8, image.shape)
    else:
        gain = rng.uniform(0.7, 1.3, channels if kind == "colour" else 1)
        result = (image.astype(np.float32) - 128) * gain + 128 + rng.uniform(-25, 25, gain.shape)
    return np.clip(result, 0, 255).astype(np.uint8).reshape(image.shape)


def report_duplicates(images: list[np.ndarray], features: np.ndarray | None, pairs: Path | None) -> None:
    """Time the search over a whole set; count verified test images among the first pairs across splits."""
    thumbs = np.concatenate([preprocess(part, 32, part.shape[-1]) for part in images])
    num_train = len(images[0])
    splits = np.repeat([0, 2], [num_train, len(images[1])])
    began, processor = time.perf_counter(), time.process_time()
    found = find_duplicates(thumbs, features, splits)
    print(f"  {time.perf_counter() - began:.0f} s, {time.process_time() - processor:.0f} s of processor time;", end=" ")
    leaks = [pair for pair in found if splits[pair.first] != splits[pair.second]]
    print(
        f"{sum(pair.score >= NEAR for pair in found)} pairs, {sum(pair.score >= NEAR for pair in leaks)} across splits"
    )
    if not pairs:
        return
    rows = np.genfromtxt(pairs, delimiter=",", names=True)
    verified = {(int(row["TestID"]), int(row["TrainID"])) for row in rows if row["Judgment"] < 2}
    tests = {test for test, _ in verified}
    for count in FIRST:
        first = [(pair.first - num_train, pair.second) for pair in leaks[:count]]
        share, same = len({test for test, _ in first} & tests) / len(tests), len(set(first) & verified) / len(verified)
        print(f"  first {count}: {share:.1%} of the verified test images, {same:.1%} with the very same partner")


def report_planted(images: np.ndarray) -> None:
    """Plant changed copies of some images in a second split and look for them; gradients only."""
    rng = np.random.default_rng(0)
    sources = rng.choice(len(images), PLANTED, replace=False)
    kinds = np.array([CHANGES[number % len(CHANGES)] for number in range(PLANTED)])
    copies = np.stack([change(images[source], kind, rng) for source, kind in zip(sources, kinds, strict=True)])
    thumbs = preprocess(np.concatenate([images, copies]), 32, images.shape[-1])
    found = find_duplicates(thumbs, splits=np.repeat([0, 2], [len(images), PLANTED]))
    leaks = [pair for pair in found if pair.first >= len(images) > pair.second and pair.score >= NEAR]
    right = {pair.first - len(images) for pair in leaks if pair.second == sources[pair.first - len(images)]}
    hit = np.isin(np.arange(PLANTED), list(right))
    print(
        f"  {len(leaks)} reported, precision {len(right) / max(len(leaks), 1):.1%}, recall {hit.mean():.1%}:", end=" "
    )
    print(", ".join(f"{kind} {hit[kinds == kind].mean():.0%}" for kind in CHANGES))


def report_labels(features: np.ndarray, labels: np.ndarray, num_classes: int) -> None:
    """Plant wrong labels, evenly and toward the next class, and look for them."""
    rng = np.random.default_rng(0)
    for rate in (0.01, 0.05, 0.1):
        for kind in ("any class", "next class"):
            wrong = rng.random(len(labels)) < rate
            step = rng.integers(1, num_classes, len(labels)) if kind == "any class" else 1
            given = np.where(wrong, (labels + step) % num_classes, labels)
            began = time.perf_counter()
            found = find_label_errors(cross_validated_probabilities(features, given), given)
            index = np.array([error.index for error in found], int)
            right = np.array([error.suggested == labels[error.index] for error in found if wrong[error.index]])
            precision, recall = wrong[index].mean() if len(index) else 0, wrong[index].sum() / max(wrong.sum(), 1)
            top = wrong[index[: wrong.sum()]].sum() / max(wrong.sum(), 1)
            print(f"  {rate:4.0%} {kind:10}: precision {precision:.1%} recall {recall:.1%}", end=" ")
            print(
                f"(first {wrong.sum()}: {top:.1%}), right label {right.mean():.1%}, {time.perf_counter() - began:.1f} s"
            )


def report_outliers(images: np.ndarray, labels: np.ndarray, model: Path) -> None:
    """Plant strangers, noise and blank images, 30 of each by itself, among 3,000 images."""
    rng = np.random.default_rng(0)
    images, labels = images[:3000], labels[:3000]
    shape = (30, *images.shape[1:])
    digits = preprocess(load_split("digits", "test")[0][:30], shape[1], shape[3])
    shapes = preprocess(load_split("shapes", "test")[0][:30], shape[1], shape[3])
    blank = np.broadcast_to(rng.integers(0, 256, (30, 1, 1, shape[3]), np.uint8), shape)
    strangers = {"digits": digits, "shapes": shapes, "noise": rng.integers(0, 256, shape, np.uint8), "blank": blank}
    for name, planted in strangers.items():
        mixed = np.concatenate([images, planted])
        given = np.concatenate([labels, rng.choice(labels, 30)])
        features = join_features(extract_features(mixed, model), extract_features(mixed))
        scores = outlier_scores(features, given, preprocess(mixed, 32, shape[3]))
        reported = scores >= SUSPICIOUS
        top = (np.argsort(-scores)[:30] >= 3000).mean()
        print(
            f"  {name}: {reported.sum()} reported, recall {reported[3000:].mean():.1%}, among the first 30: {top:.1%}"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("dataset", nargs="?", default="cifar10")
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--only", default=",".join(PARTS))
    wanted = parser.parse_args()
    parts, model = wanted.only.split(","), ROOT / "checkpoints" / wanted.dataset / "model.keras"
    images, labels = zip(*(load_split(wanted.dataset, split) for split in ("train", "test")), strict=True)
    features = None
    if {"duplicates", "labels"} & set(parts):
        began = time.perf_counter()
        features = [extract_features(part, model) for part in images]
        seconds = time.perf_counter() - began
        print(f"Network features: {seconds:.0f} s, {sum(map(len, images)) / seconds:.0f} images a second")
    if "duplicates" in parts:
        print("Duplicates, by gradients alone")
        report_duplicates(images, None, wanted.pairs)
        print("Duplicates, with network features")
        report_duplicates(images, np.concatenate(features), wanted.pairs)
    if "planted" in parts:
        print(f"{PLANTED} planted copies of test images")
        report_planted(images[1])
    if "labels" in parts:
        print("Planted label errors in train, features of the network")
        report_labels(features[0], labels[0], len(find_dataset(wanted.dataset).classes))
    if "outliers" in parts:
        print("Planted outliers, 30 among 3,000")
        report_outliers(images[0], labels[0], model)
    print(f"Peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
