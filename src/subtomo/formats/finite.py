"""Finding volumes that cannot be computed with, before any work starts."""

from pathlib import Path

import numpy as np

from subtomo.errors import DataError
from subtomo.formats.mrc_writer import slabs
from subtomo.model import Volume


def require_finite(volume: Volume, path: Path | str) -> None:
    """Raise when a volume holds NaN or infinite values; it is read in slabs.

    Parameters
    ----------
    volume : to be checked
    path : for the message

    Raises
    ------
    DataError
        Naming the first such voxel and how many there are.
    """
    if np.dtype(volume.data.dtype).kind not in "fc":
        return
    n_bad, first, start = 0, None, 0
    for slab in slabs(volume.data):
        # a sum is finite unless a value is not, or it overflows: one pass without a mask
        with np.errstate(over="ignore", invalid="ignore"):
            is_suspect = not np.isfinite(slab.sum(dtype=np.float64))
        if is_suspect:
            bad = ~np.isfinite(slab)
            if first is None and bad.any():
                z, y, x = (int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
                first = (x, y, start + z)
            n_bad += int(bad.sum())
        start += len(slab)
    if first is not None:
        raise DataError(
            f"{path}: {n_bad} of {int(np.prod(volume.shape))} voxels are NaN or infinite, the "
            f"first at x, y, z = {first[0]}, {first[1]}, {first[2]}; expected finite values: "
            "replace them, for example by the mean"
        )


def require_variation(volume: Volume, path: Path | str) -> None:
    """Raise when a volume has the same value everywhere; reading ends at the first other one.

    Parameters
    ----------
    volume : to be checked
    path : for the message

    Raises
    ------
    DataError
        Naming the value.
    """
    first = None
    for slab in slabs(volume.data):
        first = slab.flat[0] if first is None else first
        if (slab != first).any():
            return
    raise DataError(
        f"{path}: every voxel is {first:g}; expected a volume that shows something: check how it "
        "was made"
    )
