"""Volumes in HDF5 as EMAN stores them.

Group ``/MDF/images`` has the number of the last image in its attribute ``imageid_max``; volume i,
from 0, is the group ``/MDF/images/i`` with the data set ``image`` (z, y, x) and its header as
attributes ``EMAN.NAME``: whole numbers, 32-bit numbers, lists of those, text, and transforms as a
compound of twelve 32-bit numbers called ``00`` to ``23``.

``ptcl_source_coord`` counts pixels of the particle (``apix_x``) from the tomogram's middle voxel,
n // 2; ``xform.align3d`` takes the particle to the reference.

Source: ``HdfIO2`` of EMAN2 (cryoem/eman2), and the programs e2spt_extract and e2spt_average there.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError, MissingFileError, ShapeError
from subtomo.formats.atomic import replacing
from subtomo.formats.box_stacks import BoxHeader
from subtomo.formats.lazy_array import LazyArray

_IMAGES = "MDF/images"
_LAST = "imageid_max"
_PREFIX = "EMAN."
_TRANSFORM = np.dtype([(f"{row}{column}", "<f4") for row in range(3) for column in range(4)])


class _EmanVolumes:
    """The group of the images, and how many there are by now."""

    def __init__(self, images: Any, path: Path, box_size: int, pixel_size: float) -> None:
        self._images = images
        self._path = path
        self._shape = (box_size,) * 3
        self._pixel_size = pixel_size
        self.count = 0

    def write(self, box: NDArray[np.float32], header: BoxHeader) -> None:
        """Append a box and its header."""
        if box.shape != self._shape:
            raise ShapeError(f"{self._path}: a box has shape {box.shape}; expected {self._shape}")
        image = self._images.create_group(str(self.count))
        image.create_dataset("image", data=np.ascontiguousarray(box, dtype="<f4"))
        for name, value in self._attributes(box, header).items():
            image.attrs[_PREFIX + name] = value
        self.count += 1
        self._images.attrs[_LAST] = np.array([self.count - 1], dtype="<i4")

    def _attributes(self, box: NDArray[np.float32], header: BoxHeader) -> dict[str, Any]:
        sizes = dict.fromkeys(("nx", "ny", "nz"), np.int32(len(box)))
        apix = dict.fromkeys(("apix_x", "apix_y", "apix_z"), np.float32(self._pixel_size))
        first = header.centre - len(box) // 2 * self._pixel_size
        origin = {f"origin_{axis}": np.float32(at) for axis, at in zip("xyz", first, strict=True)}
        attributes: dict[str, Any] = {
            **sizes,
            **apix,
            **origin,
            "ptcl_source_coord": header.coordinate_px.astype("<f4"),
            "ptcl_source_image": np.bytes_(header.tomogram.encode()),
        }
        if header.rotation is not None:
            attributes["xform.align3d"] = _transform(header.rotation, header.shift_px)
        return attributes


def _transform(rotation: NDArray[np.float64], shift_px: NDArray[np.float64]) -> NDArray[Any]:
    """Lay out what takes the particle to the reference: Rᵀ, then −Rᵀ · shift."""
    to_reference = rotation.T
    matrix = np.column_stack([to_reference, -to_reference @ shift_px])
    return np.array(tuple((matrix + 0.0).ravel()), dtype=_TRANSFORM)


@contextmanager
def write_volumes(
    path: Path, count: int, box_size: int, pixel_size: float
) -> Iterator[_EmanVolumes]:
    """Open a stack for writing; see ``write_box_stack``."""
    import h5py

    with replacing(path) as temporary:
        # without times: same data, same bytes
        with h5py.File(temporary, "w", libver=("earliest", "v110"), track_order=False) as file:
            images = file.create_group(_IMAGES)
            images.attrs[_LAST] = np.array([-1], dtype="<i4")
            volumes = _EmanVolumes(images, path, box_size, pixel_size)
            yield volumes
        if volumes.count != count:
            raise ShapeError(f"{path}: {volumes.count} boxes were written; expected {count}")


def read_volume_of_stack(path: Path, number: int) -> tuple[LazyArray, float]:
    """Read one volume of a file of EMAN.

    Parameters
    ----------
    path : the file
    number : counted from 1

    Returns
    -------
    values : (z, y, x), read when they are sliced
    pixel_size : Å

    Raises
    ------
    MissingFileError
        If there is no such file.
    FormatError
        If it is no such file, or has no volume of this number.
    """
    with _opened(path, number) as image:
        shape = image["image"].shape
        pixel_size = float(f"{float(image.attrs[_PREFIX + 'apix_x']):.6g}")

    def read(index: tuple[slice | NDArray[np.intp], ...]) -> NDArray[Any]:
        with _opened(path, number) as image:
            values: NDArray[Any] = image["image"][...]
        axes = (np.arange(n)[part] for n, part in zip(shape, index, strict=True))
        selected: NDArray[Any] = values[np.ix_(*axes)]
        return selected

    return LazyArray(shape, np.float32, read), pixel_size


@contextmanager
def _opened(path: Path, number: int) -> Iterator[Any]:
    """Open the group of one image; say what is wrong with it."""
    import h5py

    if not path.is_file():
        raise MissingFileError(f"{path}: no such file; expected HDF5 of EMAN")
    try:
        with h5py.File(path, "r") as file:
            yield file[f"{_IMAGES}/{number - 1}"]
    except KeyError:
        raise FormatError(
            f"{path}: no volume {number} with its pixel size; expected HDF5 of EMAN "
            f"(/{_IMAGES}/{number - 1}/image)"
        ) from None
    except OSError as error:
        raise FormatError(f"{path}: not an HDF5 file that can be read ({error})") from error
