"""Tomograms with blobs at known places, for picks whose true placement is known."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

PIXEL_SIZE = 10.0
SIZE = (64, 72, 40)  # x, y, z


@cache
def planted(seed: int = 3, n: int = 40) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Make a tomogram (z, y, x) of noise and blobs, and their voxels (n, 3)."""
    rng = np.random.default_rng(seed)
    places = rng.uniform(10, np.array(SIZE) - 11, (n, 3))
    values = rng.normal(size=SIZE[::-1]).astype(np.float32)
    z, y, x = np.ogrid[: SIZE[2], : SIZE[1], : SIZE[0]]
    for a, b, c in places:
        values += 2 * np.exp(-((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) / 18).astype(np.float32)
    return values, places


def off_centre(seed: int = 3) -> NDArray[np.float64]:
    """Give places as a program tells them that counts from the centre."""
    return planted(seed)[1] - np.array(SIZE) / 2
