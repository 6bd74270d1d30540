"""The images of a tilt series in an MRC file at an address, fetched by bands of rows."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import MrcError, RemoteError
from subtomo.formats.mrc_header import HEADER_BYTES, MrcHeader, parse_header
from subtomo.sources.http_files import Span
from subtomo.sources.stores import Store

_ROWS = 256


class MrcBands:
    """Bands of rows of the images in an MRC file; a tile is the same band of all images.

    Parameters
    ----------
    store : the file
    header : of the file
    """

    def __init__(self, store: Store, header: MrcHeader) -> None:
        self.shape = header.shape
        self.tile_shape = (min(_ROWS, header.shape[1]), header.shape[2])
        x, y, z = header.pixel_size
        self.voxel_size = (z, y, x) if x and y else None
        self.is_remote = store.is_remote
        self._store, self._header = store, header

    def of_tile(self, tile: tuple[int, int]) -> list[tuple[int, int]]:
        """List the bands of a tile: image and number of the band."""
        return [(image, tile[0]) for image in range(self.shape[0])]

    def read(self, part: tuple[int, int]) -> NDArray[Any]:
        """Fetch a band of one image: (1, y, x).

        Raises
        ------
        RemoteError
            If it does not come, or the file ends before it.
        """
        image, band = part
        _, n_y, n_x = self.shape
        first_row = band * self.tile_shape[0]
        n_rows = min(self.tile_shape[0], n_y - first_row)
        row_bytes = n_x * self._header.dtype.itemsize
        start = self._header.data_offset + (image * n_y + first_row) * row_bytes
        data = self.read_bytes((start, start + n_rows * row_bytes))
        return np.frombuffer(data, self._header.dtype).reshape(1, n_rows, n_x)

    @property
    def file_bytes(self) -> int:
        """Size of the file as its header tells it."""
        return self._header.data_offset + self._header.data_bytes

    def read_bytes(self, span: Span) -> bytes:
        """Fetch a part of the file.

        Raises
        ------
        RemoteError
            If it does not come, or the file ends before it.
        """
        data = self._store.read("", span)
        if len(data) != span[1] - span[0]:
            raise RemoteError(
                f"{self._store.place('')}: only {len(data)} of the bytes {span[0]} to {span[1]} "
                f"are there, of {self.file_bytes} in all; the file is truncated"
            )
        return data


def open_mrc_bands(store: Store) -> MrcBands:
    """Read the header of an MRC file at an address.

    Parameters
    ----------
    store : the file

    Raises
    ------
    MissingFileError, RemoteError
        If it is not there or does not come.
    MrcError
        If it is no MRC file of images.
    """
    place = store.place("")
    header = parse_header(store.read("", (0, HEADER_BYTES)), Path(place))
    if header.order != (0, 1, 2):
        raise MrcError(f"{place}: axes in the order {header.order}; expected images of rows")
    return MrcBands(store, header)
