"""Writing OME-Zarr volumes in whole chunks, so that several processes can write one image."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from subtomo.errors import ShapeError, ZarrError
from subtomo.formats.atomic import ZARR, replacing
from subtomo.formats.ome_metadata import Version, build_multiscale

CHUNK = 128
"""Voxels along each edge of a chunk: 8 MB of float32, one read for a box or a tile."""

_SMALLEST_LEVEL = 128
"""No coarser level is made once y and x are this short."""

Region = tuple[slice, slice, slice]


def write_ome_zarr(
    path: Path | str,
    data: Any,
    pixel_size: float,
    *,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    is_stack: bool = False,
    version: Version = "0.4",
    chunk: int = CHUNK,
) -> None:
    """Write a volume with its pyramid; the folder appears when it is complete.

    Parameters
    ----------
    path : the folder
    data : (z, y, x), in memory or lazy; read in rows of chunks along x
    pixel_size : Å
    origin : (x, y, z) Å, centre of the first voxel
    is_stack : images rather than a volume: coarser levels keep all of them
    version : of OME-Zarr: 0.4 is Zarr v2, 0.5 is Zarr v3
    chunk : voxels along each edge of a chunk

    Raises
    ------
    DiskFullError, OutputError
        If the folder cannot be written.
    """
    with replacing(path, folder_with=ZARR) as temporary:
        create_ome_zarr(
            temporary,
            tuple(data.shape),
            pixel_size,
            dtype=data.dtype,
            origin=origin,
            is_stack=is_stack,
            version=version,
            chunk=chunk,
            name=Path(path).name.removesuffix(".zarr"),
        )
        for region in _regions(data.shape, (chunk, chunk, data.shape[2])):
            write_region(temporary, region, np.asarray(data[region]))
        write_pyramid(temporary)


def create_ome_zarr(
    path: Path | str,
    shape: tuple[int, ...],
    pixel_size: float,
    *,
    dtype: DTypeLike = np.float32,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    is_stack: bool = False,
    version: Version = "0.4",
    chunk: int = CHUNK,
    name: str | None = None,
) -> None:
    """Make an empty OME-Zarr volume with its levels, to be filled by ``write_region``.

    Parameters
    ----------
    path : the folder, which must not exist
    shape : (z, y, x)
    pixel_size : Å
    dtype : of the values
    origin : (x, y, z) Å, centre of the first voxel
    is_stack : images rather than a volume: coarser levels keep all of them
    version : of OME-Zarr: 0.4 is Zarr v2, 0.5 is Zarr v3
    chunk : voxels along each edge of a chunk
    name : of the image; the default is the folder's

    Notes
    -----
    Floating-point levels are block means of 2 x 2 x 2 voxels, so their first voxel is half a voxel
    further on; integer levels (labels) take the first voxel of each block. The metadata say so.
    """
    import zarr

    path = Path(path)
    dtype = np.dtype(dtype).newbyteorder("=")
    steps = (2, 2, 1) if is_stack else (2, 2, 2)
    shapes = _level_shapes(shape, steps)
    factors = [tuple(step**level for step in steps) for level in range(len(shapes))]
    attributes = build_multiscale(
        [str(level) for level in range(len(shapes))],
        [_scaled(pixel_size, factor) for factor in factors],
        [_level_origin(origin, pixel_size, f, has_means=dtype.kind == "f") for f in factors],
        name=name or path.name.removesuffix(".zarr"),
        version=version,
    )
    zarr_format: Any = 2 if version == "0.4" else 3
    group = zarr.create_group(str(path), zarr_format=zarr_format, attributes=attributes)
    for level, level_shape in enumerate(shapes):
        group.create_array(
            str(level),
            shape=level_shape,
            dtype=dtype,
            chunks=tuple(min(chunk, n) for n in level_shape),
            compressors=_compressor(zarr_format, dtype),
            chunk_key_encoding=_key_encoding(zarr_format),
            dimension_names=None if zarr_format == 2 else ["z", "y", "x"],
            fill_value=0,
        )


def chunk_regions(path: Path | str) -> list[Region]:
    """List the regions of the finest level that can be written independently: one a chunk.

    Parameters
    ----------
    path : the folder

    Returns
    -------
    list of (z, y, x) slices
    """
    array = _open(Path(path), 0)
    return list(_regions(array.shape, array.chunks))


def write_region(path: Path | str, region: Region, values: NDArray[Any]) -> None:
    """Write whole chunks of the finest level; other processes may write other chunks meanwhile.

    Parameters
    ----------
    path : the folder
    region : (z, y, x) slices that start and end at chunk borders or at the volume's end
    values : (z, y, x) of the region's size

    Raises
    ------
    ShapeError
        If the region cuts a chunk, or the values don't fill it.
    """
    array = _open(Path(path), 0)
    for axis, part, chunk, length in zip("zyx", region, array.chunks, array.shape, strict=True):
        is_whole = part.start % chunk == 0 and (part.stop % chunk == 0 or part.stop == length)
        if not (is_whole and 0 <= part.start < part.stop <= length):
            raise ShapeError(
                f"{path}: the region {part.start}:{part.stop} along {axis} does not hold whole "
                f"chunks of {chunk} in {length}; use the regions of chunk_regions"
            )
    expected = tuple(part.stop - part.start for part in region)
    if values.shape != expected:
        raise ShapeError(f"{path}: values have shape {values.shape}; the region is {expected}")
    array[region] = values


def write_pyramid(path: Path | str) -> None:
    """Fill the coarser levels from the finest one, when that is complete.

    Parameters
    ----------
    path : the folder
    """
    path = Path(path)
    level = 1
    while (path / str(level)).is_dir():
        fine, coarse = _open(path, level - 1), _open(path, level)
        for region in _regions(coarse.shape, coarse.chunks):
            size = tuple(part.stop - part.start for part in region)
            steps = (1 if n == m else 2 for n, m in zip(fine.shape, coarse.shape, strict=True))
            source = tuple(
                slice(step * part.start, step * part.stop)
                for step, part in zip(steps, region, strict=True)
            )
            coarse[region] = _halve(np.asarray(fine[source]), size)
        level += 1


def _halve(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Take the mean of blocks of 2 or 1 voxels an axis; of integers the first of each block."""
    steps = tuple(n // m for n, m in zip(values.shape, shape, strict=True))
    if values.dtype.kind != "f":
        return values[tuple(slice(None, None, step) for step in steps)]
    (z, y, x), (c, b, a) = shape, steps
    blocks = values.reshape(z, c, y, b, x, a)
    means: NDArray[Any] = blocks.mean(axis=(1, 3, 5), dtype=np.float32)
    return means.astype(values.dtype)


def _level_shapes(shape: tuple[int, ...], steps: tuple[int, int, int]) -> list[tuple[int, ...]]:
    """Give the levels' (z, y, x) shapes, an odd last plane dropped; steps are along x, y, z."""
    shapes = [tuple(int(n) for n in shape)]
    while max(shapes[-1][1:]) > _SMALLEST_LEVEL:
        smaller = tuple(n // step for n, step in zip(shapes[-1], steps[::-1], strict=True))
        if 0 in smaller:
            break
        shapes.append(smaller)
    return shapes


def _scaled(pixel_size: float, factor: tuple[int, ...]) -> tuple[float, float, float]:
    """Give a level's pixel size along x, y, z."""
    x, y, z = (pixel_size * step for step in factor)
    return x, y, z


def _level_origin(
    origin: tuple[float, float, float],
    pixel_size: float,
    factor: tuple[int, ...],
    *,
    has_means: bool,
) -> tuple[float, float, float]:
    """Give the centre of a level's first voxel, (x, y, z)."""
    half = pixel_size / 2 if has_means else 0.0
    x, y, z = (start + half * (step - 1) for start, step in zip(origin, factor, strict=True))
    return x, y, z


def _regions(shape: tuple[int, ...], chunks: tuple[int, ...]) -> Iterator[Region]:
    """Cut a shape at chunk borders."""
    starts = product(*(range(0, n, c) for n, c in zip(shape, chunks, strict=True)))
    for z, y, x in starts:
        yield (
            slice(z, min(z + chunks[0], shape[0])),
            slice(y, min(y + chunks[1], shape[1])),
            slice(x, min(x + chunks[2], shape[2])),
        )


def _open(path: Path, level: int) -> Any:
    """Open a level for writing."""
    import zarr

    try:
        array: Any = zarr.open_array(str(path / str(level)), mode="r+")
    except (ValueError, KeyError, FileNotFoundError) as error:
        raise ZarrError(f"{path}: has no level {level}; make it with create_ome_zarr") from error
    return array.with_config({"write_empty_chunks": True})  # so that a missing chunk is a loss


def _compressor(zarr_format: int, dtype: np.dtype[Any]) -> Any:
    """Give Blosc with LZ4, the fast one, in the words of the Zarr version."""
    if zarr_format == 2:
        from numcodecs import Blosc

        return Blosc(cname="lz4", clevel=5, shuffle=Blosc.SHUFFLE)
    from zarr.codecs import BloscCodec, BloscShuffle

    return BloscCodec(typesize=dtype.itemsize, cname="lz4", clevel=5, shuffle=BloscShuffle.shuffle)


def _key_encoding(zarr_format: int) -> Any:
    """Give nested chunk keys, as NGFF 0.4 wants and everybody writes."""
    name = "v2" if zarr_format == 2 else "default"
    return {"name": name, "separator": "/"}
