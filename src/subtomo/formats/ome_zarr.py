"""Reading OME-Zarr volumes and stacks lazily, version 0.4 (Zarr v2) and 0.5 (Zarr v3)."""

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from subtomo.errors import MissingFileError, SubtomoWarning, ZarrError
from subtomo.formats.json_text import parse_json
from subtomo.formats.lazy_array import LazyArray
from subtomo.formats.ome_metadata import CREATOR, Multiscale

_CHUNK_ERRORS = (OSError, ValueError, RuntimeError, ArithmeticError, SystemError)
"""What a damaged chunk raises; SystemError is Blosc's, for an impossible size."""


@dataclass(frozen=True)
class OmeZarrLevel:
    """One level of an OME-Zarr image.

    Parameters
    ----------
    path : of its array
    pixel_size : (z, y, x) Å
    translation : (z, y, x) Å, centre of the first voxel; None where the file doesn't say
    """

    path: Path
    pixel_size: tuple[float, float, float]
    translation: tuple[float, float, float] | None

    def origin(self, finest: "OmeZarrLevel") -> tuple[float, float, float]:
        """Give the centre of the first voxel, (x, y, z) in Å.

        Where the file doesn't say, a coarser level is taken for block means of the finest one, as
        image pyramids are: its first voxel lies half a coarse minus half a fine voxel further on.
        """
        if self.translation is not None:
            return self.translation[::-1]
        start = finest.translation or (0.0, 0.0, 0.0)
        z, y, x = (
            s + (coarse - fine) / 2
            for s, coarse, fine in zip(start, self.pixel_size, finest.pixel_size, strict=True)
        )
        return x, y, z


@dataclass(frozen=True)
class OmeZarr:
    """What the metadata of an OME-Zarr image say.

    Parameters
    ----------
    version : of OME-Zarr
    levels : the finest first
    has_units : whether the axes say their unit
    is_ours : whether this package wrote it, so that translations mean what DESIGN says
    """

    version: str
    levels: tuple[OmeZarrLevel, ...]
    has_units: bool
    is_ours: bool

    def level_of(self, pixel_size: float, tolerance: float = 1e-3) -> int | None:
        """Give the level with this pixel size (Å) in y and x, or None."""
        for index, level in enumerate(self.levels):
            if all(math.isclose(s, pixel_size, rel_tol=tolerance) for s in level.pixel_size[1:]):
                return index
        return None


def read_ome_zarr_metadata(path: Path | str) -> OmeZarr:
    """Read the metadata of an OME-Zarr image.

    Parameters
    ----------
    path : the folder, whatever its name

    Raises
    ------
    MissingFileError
        If there is no such folder.
    ZarrError
        If it is not an OME-Zarr image with axes z, y, x.
    """
    path = Path(path)
    if not path.exists():
        raise MissingFileError(f"{path}: no such folder; expected an OME-Zarr image")
    attributes, place = _attributes(path)
    content = attributes.get("ome", attributes)
    multiscales = content.get("multiscales") if isinstance(content, dict) else None
    if not isinstance(multiscales, list) or not multiscales:
        raise ZarrError(
            f"{place}: no 'multiscales' metadata; expected an OME-Zarr 0.4 or 0.5 image"
        )
    try:
        multiscale = Multiscale.model_validate(multiscales[0])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ZarrError(f"{place}: multiscales {where}: {first['msg']}") from error
    levels = tuple(
        OmeZarrLevel(path / dataset.path, multiscale.pixel_size(i), multiscale.translation(i))
        for i, dataset in enumerate(multiscale.datasets)
    )
    version = str(content.get("version") or multiscale.version or "unknown")
    is_ours = content.get("_creator") == {"name": CREATOR}
    return OmeZarr(version, levels, multiscale.has_units, is_ours)


def open_ome_zarr_level(level: OmeZarrLevel) -> LazyArray:
    """Open one level's array; chunks are read when it is sliced.

    Leading axes of length one (time, channel) are dropped.

    Returns
    -------
    (z, y, x) lazy array

    Raises
    ------
    ZarrError
        If the array is missing, damaged or has more than three axes longer than one. A damaged
        chunk raises when it is read.
    """
    import zarr

    from subtomo.formats.checked_blosc import check_blosc

    check_blosc()
    path = level.path
    try:
        array: Any = zarr.open_array(str(path), mode="r")
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError) as error:
        raise ZarrError(f"{path}: not a readable Zarr array ({error})") from error
    n_leading = array.ndim - 3
    if n_leading < 0 or any(n != 1 for n in array.shape[:n_leading]):
        raise ZarrError(f"{path}: the array has shape {array.shape}; expected one volume (z, y, x)")
    leading = (slice(0, 1),) * n_leading

    def read(index: tuple[slice | NDArray[np.intp], ...]) -> NDArray[Any]:
        try:
            values = array.get_orthogonal_selection(leading + index)
        except _CHUNK_ERRORS as error:
            raise ZarrError(f"{path}: a chunk cannot be read ({error}); copy it again") from error
        return np.asarray(values).reshape(values.shape[n_leading:])

    return LazyArray(array.shape[n_leading:], array.dtype, read)


def find_level(path: Path | str, pixel_size: float | None = None) -> tuple[OmeZarr, int]:
    """Give the image that a path means, and which of its levels.

    Parameters
    ----------
    path : the image's folder, or the folder of one level in it
    pixel_size : Å; the level that has it is chosen, if the path names none
    """
    path = Path(path)
    if path.is_dir() and _is_array(path):
        image = read_ome_zarr_metadata(path.parent)
        for index, level in enumerate(image.levels):
            if level.path == path:
                return image, index
        raise ZarrError(f"{path}: not one of the levels that {path.parent} lists")
    image = read_ome_zarr_metadata(path)
    chosen = None if pixel_size is None else image.level_of(pixel_size)
    if not image.has_units:
        warnings.warn(
            f"{path}: the axes have no unit; angstrom is assumed", SubtomoWarning, stacklevel=2
        )
    return image, chosen or 0


def _is_array(path: Path) -> bool:
    """Whether a folder is a Zarr array rather than a group."""
    if (path / ".zarray").is_file():
        return True
    node = path / "zarr.json"
    return node.is_file() and _json(node).get("node_type") == "array"


def _attributes(path: Path) -> tuple[dict[str, Any], Path]:
    """Give the attributes of a Zarr group and the file they stand in."""
    if (path / "zarr.json").is_file():
        attributes = _json(path / "zarr.json").get("attributes", {})
        return attributes if isinstance(attributes, dict) else {}, path / "zarr.json"
    if (path / ".zattrs").is_file():
        return _json(path / ".zattrs"), path / ".zattrs"
    raise ZarrError(f"{path}: neither .zattrs nor zarr.json is there; expected an OME-Zarr image")


def _json(path: Path) -> dict[str, Any]:
    """Read a JSON object."""
    content = parse_json(path.read_bytes(), str(path), ZarrError)
    if not isinstance(content, dict):
        raise ZarrError(f"{path}: holds {type(content).__name__}; expected a JSON object")
    return content
