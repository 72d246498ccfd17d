"""In place of UMAP in the processes that tests start: each would first compile it for half a minute.

The layout by the real one is tested in `tests/health/test_embedding.py`.
"""

import numpy as np


class UMAP:
    """Lays vectors out by their first two numbers, whatever it is told."""

    def __init__(self, **options: object) -> None:
        self.options = options

    def fit_transform(self, vectors: np.ndarray) -> np.ndarray:
        """Return a place (n, 2) for each vector (n, d)."""
        return vectors[:, :2]
