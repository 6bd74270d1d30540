"""The images of a tilt series in an OME-Zarr image, chunk by chunk."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from numpy.typing import NDArray
from pydantic import ValidationError

from subtomo.errors import MissingFileError, RemoteError, SubtomoError, ZarrError
from subtomo.formats.json_text import parse_json
from subtomo.formats.ome_metadata import Multiscale
from subtomo.formats.zarr_layout import Index, ZarrLayout, parse_zarr_array
from subtomo.sources.stores import Store

_ARRAY_FILES = (".zarray", "zarr.json")
_METADATA_FILES = (".zattrs", "zarr.json", ".zarray")


class ZarrChunks:
    """The chunks of an array in a store; a tile is those of all images at one place.

    Parameters
    ----------
    store : where the array lies
    folder : of the array in the store; empty if it is the store's own
    layout : of the array
    voxel_size : z, y, x in Å, None where nothing says it
    """

    def __init__(
        self,
        store: Store,
        folder: str,
        layout: ZarrLayout,
        voxel_size: tuple[float, float, float] | None = None,
    ) -> None:
        n_images, n_y, n_x = layout.shape[-3:]
        chunk_y, chunk_x = layout.chunk_shape[-2:]
        self.shape = (n_images, n_y, n_x)
        self.tile_shape = (min(chunk_y, n_y), min(chunk_x, n_x))
        self.voxel_size = voxel_size
        self.is_remote = store.is_remote
        self._store = store
        self._folder = f"{folder}/" if folder else ""
        self._layout = layout
        self._shards: dict[str, dict[Index, tuple[int, int]]] = {}

    def of_tile(self, tile: tuple[int, int]) -> list[Index]:
        """List the chunks of a tile, the first images first."""
        n_deep = -(-self._layout.shape[-3] // self._layout.chunk_shape[-3])
        leading = (0,) * (len(self._layout.shape) - 3)
        return [(*leading, z, *tile) for z in range(n_deep)]

    def read(self, chunk: Index) -> NDArray[Any]:
        """Fetch and decode a chunk: (image, y, x)."""
        name = self._folder + self._layout.file_of(chunk)
        place = self._store.place(name)
        try:
            data = self._store.read(name, self._span(chunk, name, place))
        except MissingFileError as error:
            raise MissingFileError(f"{error}; a chunk of the images is missing") from None
        values = self._layout.decode(data, place)
        return values.reshape(values.shape[-3:])

    def _span(self, chunk: Index, name: str, place: str) -> tuple[int, int] | None:
        """Find a chunk in its shard; None where it has a file of its own."""
        shard = self._layout.shard
        if shard is None:
            return None
        if name not in self._shards:
            self._shards[name] = shard.spans(self._store.read(name, shard.index_span), place)
        span = self._shards[name].get(self._layout.within_shard(chunk))
        if span is None:
            raise MissingFileError(f"{place}: a chunk of the images is missing in the shard")
        return span


def open_zarr_chunks(store: Store) -> ZarrChunks:
    """Open the finest level of an OME-Zarr image, or the array that the store is.

    Parameters
    ----------
    store : the image's folder

    Raises
    ------
    MissingFileError, RemoteError
        If the metadata are not there or do not come.
    ZarrError
        If they are not those of a stack of images, or of a kind that is not supported.
    """
    level, content, place, voxel_size = _level(store)
    if content is None:
        prefix = f"{level}/" if level else ""
        name, content = _first(store, [prefix + name for name in _ARRAY_FILES])
        place = store.place(name)
    layout = parse_zarr_array(content, place)
    if len(layout.shape) < 3 or any(n != 1 for n in layout.shape[:-3]):
        raise ZarrError(f"{place}: shape {layout.shape}; expected a stack of images (z, y, x)")
    return ZarrChunks(store, level, layout, voxel_size)


class _Level(NamedTuple):
    """The finest level: its folder, and its metadata where the store is the array itself."""

    folder: str
    content: bytes | None
    place: str
    voxel_size: tuple[float, float, float] | None = None


def _level(store: Store) -> _Level:
    """Find the finest level."""
    name, content = _first(store, _METADATA_FILES)
    place = store.place(name)
    attributes = _json(content, place)
    if name == ".zarray" or attributes.get("node_type") == "array":
        return _Level("", content, place)
    if name == "zarr.json":
        attributes = attributes.get("attributes", {})
    described = attributes.get("ome", attributes)
    multiscales = described.get("multiscales") if isinstance(described, dict) else None
    if not isinstance(multiscales, list) or not multiscales:
        with suppress(MissingFileError):  # attributes of an array, perhaps
            if name == ".zattrs":
                return _Level("", store.read(".zarray"), store.place(".zarray"))
        raise ZarrError(f"{place}: no 'multiscales' metadata; expected an OME-Zarr image")
    try:
        image = Multiscale.model_validate(multiscales[0])
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ZarrError(f"{place}: multiscales {where}: {first['msg']}") from error
    return _Level(image.datasets[0].path, None, place, image.pixel_size(0))


def _first(store: Store, names: Sequence[str]) -> tuple[str, bytes]:
    """Read the first of several files that is there.

    A bucket that may not be listed refuses what is not there, so that both count alike here.
    """
    failures: list[SubtomoError] = []
    for name in names:
        try:
            return name, store.read(name)
        except (MissingFileError, RemoteError) as error:
            failures.append(error)
    missing = [failure for failure in failures if isinstance(failure, MissingFileError)]
    if len(missing) < len(failures):
        raise next(failure for failure in failures if failure not in missing)
    raise MissingFileError(
        f"{store.place('')}: none of {', '.join(names)} is there; expected an OME-Zarr image"
    )


def _json(content: bytes, place: str) -> dict[str, Any]:
    """Read a JSON object."""
    read = parse_json(content, place, ZarrError)
    if not isinstance(read, dict):
        raise ZarrError(f"{place}: holds {type(read).__name__}; expected a JSON object")
    return read
