"""Headers of EMAN's image stacks (``.hdf``): what ``/MDF/images/N`` says, without the images.

Source: EMAN2's ``HdfIO2`` (cryoem/eman2, libEM/hdfio2.cpp): attributes are called ``EMAN.NAME``,
lists are one-dimensional, a transform is a compound of twelve numbers.
"""

from pathlib import Path
from typing import Any

import numpy as np

from subtomo.errors import FormatError, MissingFileError

_IMAGES = "MDF/images"
_OWN = "EMAN."


def is_eman_hdf(path: Path) -> bool:
    """Tell whether a file is an HDF5 file that holds images as EMAN lays them out."""
    import h5py

    if not h5py.is_hdf5(path):
        return False
    with h5py.File(path, "r") as file:
        return _IMAGES in file


def read_eman_headers(path: Path) -> list[dict[str, Any]]:
    """Read the headers of all images of a stack, in the order of their numbers.

    Parameters
    ----------
    path : ``.hdf``

    Returns
    -------
    values by name without ``EMAN.``: numbers, text, or arrays of numbers

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it is not such a stack, or damaged.
    """
    import h5py

    if not path.is_file():
        raise MissingFileError(f"{path}: no such file; expected a stack of EMAN")
    try:
        with h5py.File(path, "r") as file:
            if _IMAGES not in file:
                raise FormatError(f"{path}: no group /{_IMAGES}; expected a stack of EMAN")
            images = file[_IMAGES]
            names = sorted((name for name in images if name.isdigit()), key=int)
            return [_header(images[name].attrs) for name in names]
    except (OSError, RuntimeError) as error:
        raise FormatError(f"{path}: not an HDF5 file that can be read ({error})") from None


def _header(attributes: Any) -> dict[str, Any]:
    """Give the attributes of one image."""
    return {
        name.removeprefix(_OWN): _plain(value)
        for name, value in attributes.items()
        if name.startswith(_OWN)
    }


def _plain(value: Any) -> Any:
    """Give a value without HDF5's types."""
    if isinstance(value, bytes):
        return value.partition(b"\0")[0].decode("utf-8", "replace")
    if isinstance(value, np.ndarray | np.void) and value.dtype.names:
        return np.array(np.ravel(value)[0].tolist(), dtype=np.float64)
    if isinstance(value, np.ndarray):
        return value.reshape(-1)[0].item() if value.size == 1 else value
    return value.item() if isinstance(value, np.generic) else value
