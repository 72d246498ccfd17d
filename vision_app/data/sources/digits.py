"""scikit-learn's bundled 8x8 handwritten digits (UCI optdigits, test part): the embedded default."""

import numpy as np

from vision_app.data.splits import stratified_holdout

TEST_FRACTION = 0.2


def load(split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return images (n, 8, 8, 1) in 0..255 and labels (n,) of "train" or "test".

    The bundle has no split of its own; a fixed stratified fifth is the test split.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    images = np.round(data.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = data.target.astype(np.int64)
    train, test = stratified_holdout(labels, TEST_FRACTION, seed=0)
    chosen = train if split == "train" else test
    return images[chosen], labels[chosen]
