"""Which images must stay on one side of a split: copies of each other, else the test would be too easy."""

import numpy as np

from vision_app.data.download import Progress
from vision_app.data.images import Images
from vision_app.data.prepared import Preparation, Stored, prepare
from vision_app.health.copies import can_tell
from vision_app.health.duplicates import NEAR, find_duplicates
from vision_app.health.look import SIDE


def group_copies(images: Images, progress: Progress | None = None) -> np.ndarray:
    """Give exact and near copies, and copies of copies, one number.

    Args:
        images: of a whole dataset, in memory or in files.
        progress: called with the share done and a sentence.

    Returns:
        int, shape (n,): equal for images that belong together; pictures that cannot be read stand alone.

    Raises:
        InputError: not one picture can be read, or the disk is full.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ready = prepare(images, Preparation(SIDE, 3, "stretch"), progress)
    in_files = isinstance(ready, Stored)
    good = np.flatnonzero(ready.is_good) if in_files else np.arange(len(images))
    sizes = ready.sizes[good] if in_files else np.array([images.shape[1:3]])
    digests = [digest.tobytes() for digest in ready.digests[good]] if in_files else None
    pairs = find_duplicates(ready[good], digests=digests, limit=len(good), progress=progress)
    near_too = can_tell(sizes)
    alike = [(pair.first, pair.second) for pair in pairs if pair.exact or (near_too and pair.score >= NEAR)]
    first, second = good[np.array(alike, int).reshape(-1, 2)].T
    links = coo_array((np.ones(len(first)), (first, second)), shape=(len(images), len(images)))
    return connected_components(links, directed=False)[1]
