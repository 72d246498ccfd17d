"""Random erasing: a rectangle of noise, as large as the paper says."""

import numpy as np
import pytest

from vision_app.data.augment import Augmenter
from vision_app.data.augment_erase import ERASED_AREA, ERASED_ASPECT


def erased(count: int, size: int, chance: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Return images of -1 with their noise 0..255, and where that is; two runs tell noise from what was there."""
    first, second = (
        Augmenter({"erasing": chance})(np.full((count, size, size, 3), level, np.uint8), np.random.default_rng(6))
        for level in (0, 255)
    )
    where = (first == second).all(-1)
    return np.where(where[..., None], first.astype(int), -1), where


def test_one_rectangle_of_the_papers_size() -> None:
    _, where = erased(400, 64)
    rows, columns = where.any(2).sum(1), where.any(1).sum(1)
    assert (where.sum((1, 2)) == rows * columns).all()
    area, aspect = rows * columns / 64**2, rows / columns
    low, high = ERASED_AREA
    assert area.min() > low * 0.8 and area.max() < high * 1.05 and area.max() > 0.3 and np.median(area) < 0.3
    assert aspect.min() > ERASED_ASPECT[0] * 0.8 and aspect.max() < ERASED_ASPECT[1] * 1.2


def test_rectangles_lie_everywhere() -> None:
    _, where = erased(800, 16)
    covered = where.mean(0)
    assert covered.min() > 0.01 and covered[8, 8] > covered[0, 0]
    assert covered == pytest.approx(covered[::-1, ::-1], abs=0.1)


def test_the_rectangle_is_uniform_noise() -> None:
    noise, where = erased(300, 32)
    values = noise[where].ravel()
    assert values.min() == 0 and values.max() == 255
    assert values.mean() == pytest.approx(127.5, abs=1) and values.std() == pytest.approx(73.9, abs=1)


def test_the_strength_is_a_chance() -> None:
    _, where = erased(600, 16, 0.25)
    assert 110 < where.any((1, 2)).sum() < 190


@pytest.mark.parametrize("size", [1, 2, 4])
def test_tiny_images_lose_a_pixel_at_least(size: int) -> None:
    _, where = erased(20, size)
    assert where.any((1, 2)).all()
