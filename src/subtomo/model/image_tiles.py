"""Parts of the images of a tilt series in memory, to cut windows out of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class TilePool:
    """Tiles in memory.

    Parameters
    ----------
    tiles : (slot, image, y, x), parts of all images
    slots : (tile y, tile x), which slot holds the tile there; -1 for tiles that are not here
    images : (tilt,), which image of the tiles is that of a tilt
    """

    tiles: NDArray[Any]
    slots: NDArray[np.int64]
    images: NDArray[np.int64]


class ImageTiles(Protocol):
    """The images of a tilt series, to be cut windows out of."""

    image_size_px: tuple[int, int]

    def pools(self, first: NDArray[np.int64], size: int) -> Iterator[tuple[slice, TilePool]]:
        """Bring the tiles that windows touch into memory, those of some windows at a time.

        Parameters
        ----------
        first : (k, 2) first pixels of the windows, columns x, y; may lie outside the image
        size : of the windows

        Yields
        ------
        windows : which of them, one after the other
        pool : with their tiles; valid until the next one
        """

    def expect(self, first: NDArray[np.int64], size: int) -> None:
        """Say which windows will be asked for, in this order, so that tiles can come early.

        Parameters
        ----------
        first, size : as for ``pools``
        """
