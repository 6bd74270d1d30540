"""Volumes in a Zarr array (number, z, y, x), one a chunk, that OME-Zarr viewers open as channels.

The array ``0`` has the volumes, ``centre`` (number, 3) where their voxels n // 2 were in the
tomogram: x, y, z in Å. Source: https://ngff.openmicroscopy.org/0.4, "multiscales" and "axes".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import MissingFileError, ShapeError, ZarrError
from subtomo.formats.atomic import ZARR, replacing
from subtomo.formats.box_stacks import BoxHeader
from subtomo.formats.lazy_array import LazyArray

_VOLUMES, _CENTRES = "0", "centre"


class _ZarrVolumes:
    """The array of the volumes, and how many there are by now."""

    def __init__(self, volumes: Any, path: Path) -> None:
        self._volumes = volumes
        self._path = path
        self.centres: list[NDArray[np.float64]] = []

    def write(self, box: NDArray[np.float32], header: BoxHeader) -> None:
        """Append a box."""
        count, *shape = self._volumes.shape
        if list(box.shape) != shape or len(self.centres) == count:
            raise ShapeError(
                f"{self._path}: box {len(self.centres) + 1} has shape {box.shape}; expected "
                f"{count} of {tuple(shape)}"
            )
        self._volumes[len(self.centres)] = box
        self.centres.append(header.centre)


@contextmanager
def write_volumes(
    path: Path, count: int, box_size: int, pixel_size: float
) -> Iterator[_ZarrVolumes]:
    """Open a stack for writing; see ``write_box_stack``."""
    import zarr
    from numcodecs import Blosc

    with replacing(path, folder_with=ZARR) as temporary:
        group = zarr.create_group(
            str(temporary), zarr_format=2, attributes=_attributes(path, pixel_size)
        )
        array = group.create_array(
            _VOLUMES,
            shape=(count, *(box_size,) * 3),
            dtype="<f4",
            chunks=(1, *(box_size,) * 3),
            compressors=Blosc(cname="lz4", clevel=5, shuffle=Blosc.SHUFFLE),
            chunk_key_encoding={"name": "v2", "separator": "/"},
            fill_value=0,
        ).with_config({"write_empty_chunks": True})
        volumes = _ZarrVolumes(array, path)
        yield volumes
        if len(volumes.centres) != count:
            raise ShapeError(f"{path}: {len(volumes.centres)} boxes were written; expected {count}")
        centres = np.array(volumes.centres, dtype="<f8").reshape(count, 3)
        group.create_array(_CENTRES, data=centres)


def _attributes(path: Path, pixel_size: float) -> dict[str, Any]:
    """Make the metadata of an image whose channels are the volumes."""
    spatial = [{"name": name, "type": "space", "unit": "angstrom"} for name in "zyx"]
    scale = {"type": "scale", "scale": [1.0, *[pixel_size] * 3]}
    return {
        "multiscales": [
            {
                "version": "0.4",
                "name": path.name.removesuffix(".zarr"),
                "axes": [{"name": "c", "type": "channel"}, *spatial],
                "datasets": [{"path": _VOLUMES, "coordinateTransformations": [scale]}],
            }
        ]
    }


def read_volume_of_stack(path: Path, number: int) -> tuple[LazyArray, float]:
    """Read one volume of a folder that `write_volumes` wrote.

    Parameters
    ----------
    path : the folder
    number : counted from 1

    Returns
    -------
    values : (z, y, x), read when they are sliced
    pixel_size : Å

    Raises
    ------
    MissingFileError
        If there is no such folder.
    ZarrError
        If it is no such array, or has no volume of this number.
    """
    import zarr

    if not path.is_dir():
        raise MissingFileError(f"{path}: no such folder; expected a Zarr array of volumes")
    try:
        group: Any = zarr.open_group(str(path), mode="r")
        array = group[_VOLUMES]
        scale = group.attrs["multiscales"][0]["datasets"][0]["coordinateTransformations"][0]
        pixel_size = float(scale["scale"][-1])
    except (KeyError, IndexError, TypeError, ValueError, FileNotFoundError) as error:
        raise ZarrError(f"{path}: no OME-Zarr image of volumes ({error!r})") from error
    if array.ndim != 4 or not 1 <= number <= array.shape[0]:
        raise ZarrError(f"{path}: array of {array.shape}; expected four axes and a volume {number}")

    def read(index: tuple[slice | NDArray[np.intp], ...]) -> NDArray[Any]:
        values = np.asarray(array[number - 1])
        axes = (np.arange(n)[part] for n, part in zip(values.shape, index, strict=True))
        selected: NDArray[Any] = values[np.ix_(*axes)]
        return selected

    return LazyArray(array.shape[1:], np.float32, read), pixel_size
