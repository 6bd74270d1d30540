"""Tilt images that are read by parts: OME-Zarr on disk or at an address, MRC at an address."""

from collections.abc import Sequence
from pathlib import Path

from subtomo.errors import SettingsError, ShapeError
from subtomo.formats.volumes import format_of
from subtomo.sources.mrc_bands import open_mrc_bands
from subtomo.sources.stores import open_store
from subtomo.sources.tile_fetching import ImageParts
from subtomo.sources.zarr_chunks import open_zarr_chunks


def open_image_parts(address: str, endpoint_url: str | None = None) -> ImageParts:
    """Open the images of a tilt series; only their metadata are read.

    Parameters
    ----------
    address : a path, ``https://``, ``http://`` or ``s3://``; of an OME-Zarr image or an MRC file
    endpoint_url : of another S3 service than Amazon's

    Raises
    ------
    MissingFileError, RemoteError
        If the metadata are not there or do not come.
    FormatError
        If they cannot be used.
    SettingsError
        If the address is of another kind.
    """
    store = open_store(address, endpoint_url)
    match kind := format_of(Path(address)):
        case "zarr":
            return open_zarr_chunks(store)
        case "mrc":
            return open_mrc_bands(store)
        case _:
            raise SettingsError(f"{address}: is {kind}; expected OME-Zarr or MRC")


def check_indices(indices: Sequence[int], n_images: int, address: str) -> None:
    """Check that a stack has the images that a tilt series names.

    Parameters
    ----------
    indices : (tilt,) from 0
    n_images : in the stack
    address : of the stack, for messages

    Raises
    ------
    ShapeError
        If there are fewer.
    """
    last = max(indices, default=-1)
    if last >= n_images:
        raise ShapeError(
            f"{address}: has {n_images} images, but the tilt series names image {last + 1}"
        )
