"""What a table of particles does not say itself, and its readers and writers need."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from subtomo.counts import some_of
from subtomo.errors import SettingsError
from subtomo.formats.tomogram_names import ByTomogram, base_name, match_tomogram_names
from subtomo.model import Particles, Tomogram, TomogramFrame, VoxelGrid

FloatArray = NDArray[np.float64]
GroupId = Literal["class", "instance", "source"]

_FIELDS: Mapping[GroupId, str] = {
    "class": "class_name",
    "instance": "instance",
    "source": "source",
}


def field_of_group(group: GroupId) -> str:
    """Give the field of ``Particles`` that holds a kind of group."""
    return _FIELDS[group]


@dataclass(frozen=True)
class TableContext:
    """What a table of particles does not say itself.

    Parameters
    ----------
    grids : voxels that its coordinates count in, by tomogram
    frames : full-resolution tomograms, by name; RELION 5 measures from their centres
    pixel_size : Å of the voxels of tomograms without a grid
    size_px : (x, y, z) of tomograms without a grid
    tomogram : name of the tomogram of a table that names none; None: the file's base name
    tomogram_map : tomograms by the numbers that tables of Dynamo give them
    is_one_based : whether voxels are counted from 1
    group_id : what the one number of a group stands for, in formats that have no other

    Notes
    -----
    Tomograms are found in ``grids`` and ``frames`` by their name, or else by their base name.
    """

    grids: Mapping[str, VoxelGrid] = field(default_factory=dict)
    frames: Mapping[str, TomogramFrame] = field(default_factory=dict)
    pixel_size: float | None = None
    size_px: tuple[int, int, int] | None = None
    tomogram: str | None = None
    tomogram_map: Mapping[int, str] = field(default_factory=dict)
    is_one_based: bool = False
    group_id: GroupId | None = None

    def __post_init__(self) -> None:
        if self.pixel_size is not None and not (
            np.isfinite(self.pixel_size) and self.pixel_size > 0
        ):
            raise SettingsError(f"pixel_size is {self.pixel_size} Å; expected a positive number")
        object.__setattr__(self, "grids", ByTomogram(self.grids))
        object.__setattr__(self, "frames", ByTomogram(self.frames))

    @staticmethod
    def of(tomograms: Iterable[Tomogram]) -> "TableContext":
        """Make the context of a table that counts in the voxels of these tomograms."""
        at_hand = list(tomograms)
        return TableContext(
            grids={tomogram.name: tomogram.volume.grid for tomogram in at_hand},
            frames={tomogram.name: tomogram.frame for tomogram in at_hand},
        )

    def with_size(self, size_px: tuple[int, int, int] | None) -> "TableContext":
        """Give the context with the size of tomograms without a grid (voxels: x, y, z).

        Raises
        ------
        SettingsError
            If a tomogram that is known has another size.
        """
        if size_px is None:
            return self
        known = {name: grid.size_px for name, grid in self.grids.items()}
        if self.pixel_size is None:  # else the size is in voxels of that size, not of the frame
            known = {**{name: frame.size_px for name, frame in self.frames.items()}, **known}
        other = next((name for name, size in known.items() if size not in (None, size_px)), None)
        if other is not None:
            given, found = (" x ".join(map(str, size or ())) for size in (size_px, known[other]))
            raise SettingsError(
                f"--tomogram-size is {given}, but tomogram {other} (--tomograms) has {found} "
                "voxels: leave one of the two out"
            )
        return replace(self, size_px=size_px)

    def grid_of(self, name: str, path: Path | str) -> VoxelGrid:
        """Give the voxels that a table counts in, in one tomogram; the size may be unknown.

        Parameters
        ----------
        name : of the tomogram
        path : of the table, for the message

        Raises
        ------
        SettingsError
            If neither the tomogram nor a pixel size was given.
        """
        if name in self.grids:
            return self.grids[name]
        if self.pixel_size is not None:
            return VoxelGrid(self.pixel_size, self.size_px)
        name_it = "its name in the table (--tomogram, --tomogram-map), " if self.grids else ""
        raise SettingsError(
            f"{path}: counts in voxels of tomogram {name}, of unknown pixel size"
            f"{self._known()}: give the tomogram (--tomograms), {name_it}or --pixel-size in Å (of "
            "a new table: --output-pixel-size)"
        )

    def sized_grid_of(self, name: str, path: Path | str) -> tuple[VoxelGrid, FloatArray]:
        """Give the voxels of one tomogram and their number (x, y, z).

        Raises
        ------
        SettingsError
            If the pixel size or the size is not known.
        """
        grid = self.grid_of(name, path)
        size_px = self.size_px if grid.size_px is None else grid.size_px
        if size_px is None:
            raise SettingsError(
                f"{path}: counts from the centre or the far side of tomogram {name}, of unknown "
                f"size{self._known()}: give the tomogram (--tomograms), or --tomogram-size X Y Z "
                "in voxels"
            )
        return grid, np.array(size_px, dtype=np.float64)

    def frame_of(self, name: str, path: Path | str) -> TomogramFrame:
        """Give the full-resolution tomogram; the one of ``pixel_size`` and ``size_px`` else.

        Raises
        ------
        SettingsError
            If it is not known.
        """
        if name in self.frames:
            return self.frames[name]
        if self.pixel_size is not None and self.size_px is not None:
            return TomogramFrame(self.size_px, self.pixel_size)
        raise SettingsError(
            f"{path}: measures from the centre of tomogram {name}, of unknown size"
            f"{self._known()}: give tomograms.star or the tomogram (--tomograms), or --pixel-size "
            "in Å and --tomogram-size X Y Z in voxels"
        )

    def positions(
        self, tomogram: NDArray[np.str_], indices: ArrayLike, path: Path | str
    ) -> FloatArray:
        """Turn voxel coordinates of a table, as they stand in it, into positions.

        Parameters
        ----------
        tomogram : (n,) names
        indices : (n, 3) voxels, columns x, y, z; counted from 1 where ``is_one_based``
        path : of the table, for messages

        Returns
        -------
        (n, 3) Å

        Raises
        ------
        SettingsError
            If the voxels of a tomogram are not known.
        """
        counted = np.asarray(indices, dtype=np.float64).reshape(-1, 3) - int(self.is_one_based)
        positions = np.empty((len(tomogram), 3))
        for name in np.unique(tomogram).tolist():
            rows = tomogram == name
            positions[rows] = self.grid_of(name, path).positions(counted[rows])
        return positions

    def indices(self, particles: Particles, path: Path | str) -> FloatArray:
        """Give positions as a table has them: (n, 3) voxels, to a millionth.

        Raises
        ------
        SettingsError
            If the voxels of a tomogram are not known.
        """
        indices = np.empty((len(particles), 3))
        for name in np.unique(particles.tomogram).tolist():
            rows = particles.tomogram == name
            indices[rows] = self.grid_of(name, path).indices(particles.position[rows])
        return np.round(indices + int(self.is_one_based), 6) + 0.0

    def only_tomogram(self, path: Path | str) -> str:
        """Give the tomogram of a table that names none."""
        return self.tomogram or base_name(Path(path).stem)

    def group_field(self, default: GroupId) -> str:
        """Give the field of ``Particles`` that a format's one group number stands for."""
        return field_of_group(self.group_id or default)

    def named(self, particles: Particles) -> Particles:
        """Call tomograms as ``grids`` and ``frames`` call them; others keep their name."""
        names, inverse = np.unique(particles.tomogram, return_inverse=True)
        found = match_tomogram_names(names.tolist(), [*self.grids, *self.frames])
        if all(name == found.get(name, name) for name in names.tolist()):
            return particles
        renamed = np.array([found.get(name, name) for name in names.tolist()], dtype=np.str_)
        return particles.with_columns(tomogram=renamed[inverse])

    def _known(self) -> str:
        """Say which tomograms were given, for a message."""
        names = list(dict.fromkeys([*self.grids, *self.frames]))
        return f" (known: {some_of(names)})" if names else ""
