"""What EMAN says of one particle, in a header or in a line of a list, and the table of many."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.formats.carried_columns import WORD
from subtomo.formats.columns import typed_column
from subtomo.formats.eman_transform import pose_of_transform, three_numbers
from subtomo.formats.table_context import TableContext
from subtomo.formats.tomogram_names import base_name
from subtomo.geometry.rotations import quaternions_from_matrices
from subtomo.model import Particles

FloatArray = NDArray[np.float64]

PREFIX = "eman."
COORD, _HEADER_COORD, POSE = "coord", "ptcl_source_coord", "xform.align3d"
SCORE, HALF, _CORNER = "score", "class", "source_path"
APIX, _APIX_UNBIN, _BOX_APIX = "apix", "apix_unbin", "apix_x"
SOURCE, INDEX = "src", "idx"
_TOMOGRAM = ("ptcl_source_image", "source_path")
_CONSUMED = {
    *(COORD, _HEADER_COORD, POSE, SCORE, HALF, APIX, _APIX_UNBIN, _BOX_APIX, *_TOMOGRAM),
    WORD,
    *("apix_y", "apix_z", "nx", "ny", "nz", "minimum", "maximum", "mean", "sigma", "datatype"),
    *("mean_nonzero", "sigma_nonzero", "square_sum", "is_complex", "is_complex_x"),
    *("is_complex_ri", "origin_x", "origin_y", "origin_z", "changecount", "imageid_max"),
}


@dataclass(frozen=True)
class EmanEntry:
    """What a header or a line says of one particle.

    Parameters
    ----------
    says : values by EMAN's names
    source : path of the stack, as it is written
    index : of the image in it, from 0
    place : for messages
    """

    says: dict[str, Any]
    source: str
    index: int
    place: str

    def number(self, name: str) -> float:
        """Give a number, NaN where there is none."""
        value = self.says.get(name)
        if value is None:
            return np.nan
        try:
            return float(value)
        except (ValueError, TypeError):
            raise FormatError(f"{self.place}: {name} is {value!r}; expected a number") from None

    def half(self) -> int:
        """Give the half."""
        number = self.number(HALF)
        return int(number) + 1 if number in (0, 1) else 0

    def tomogram(self, path: Path, context: TableContext) -> str:
        """Name the tomogram: as told, as the header says, or as the stack is called."""
        if context.tomogram is not None:
            return context.tomogram
        said = next((str(self.says[name]) for name in _TOMOGRAM if self.says.get(name)), "")
        name = base_name(said) if said else ""
        if name and (name in context.grids or name in context.frames):
            return name
        own = base_name(self.source).rpartition("__")[0]
        return own or name.partition("__")[0] or context.only_tomogram(path)

    def label(self) -> str:
        """Give the kind of particle that the stack is called by."""
        return label_of(self.source)

    def position(self, tomogram: str, path: Path, context: TableContext) -> FloatArray:
        """Place the middle of the box."""
        value = self.says.get(COORD, self.says.get(_HEADER_COORD))
        if value is None:
            raise FormatError(f"{self.place}: no {_HEADER_COORD}; expected x, y, z of the box")
        at = np.array(three_numbers(value, f"{self.place}, coordinates"))
        if _CORNER in self.says:
            return context.grid_of(tomogram, path).positions(at)
        grid, size_px = context.sized_grid_of(tomogram, path)
        pixel_size = self.pixel_size((APIX, _APIX_UNBIN, _BOX_APIX), tomogram, path, context)
        return grid.positions(size_px // 2) + at * pixel_size

    def shift(self, shift_px: FloatArray, tomogram: str, path: Path, context: TableContext) -> Any:
        """Give a shift in the box in Å."""
        return shift_px * self.pixel_size((_BOX_APIX, APIX), tomogram, path, context)

    def pixel_size(
        self, names: Sequence[str], tomogram: str, path: Path, context: TableContext
    ) -> float:
        """Give Å a pixel: the first that is said, else of the full-resolution tomogram."""
        for name in names:
            said = self.number(name)
            if 0 < said < np.inf:
                return said
        if tomogram in context.frames:
            return context.frames[tomogram].pixel_size
        return context.grid_of(tomogram, path).pixel_size


def label_of(stack: str) -> str:
    """Give the kind of particle that a stack is called by."""
    name = base_name(stack)
    return name.rpartition("__")[2] if "__" in name else ""


def particles_of_entries(entries: list[EmanEntry], path: Path, context: TableContext) -> Particles:
    """Make a table of particles.

    Parameters
    ----------
    entries : one a particle
    path : of the file, for messages
    context : voxels and sizes of the tomograms

    Raises
    ------
    FormatError
        If one has no coordinates, or a value is not what it should be.
    SettingsError
        If the voxels or the size of a tomogram are not known.
    """
    tomogram = [entry.tomogram(path, context) for entry in entries]
    position = np.empty((len(entries), 3))
    rotation = np.tile(np.eye(3), (len(entries), 1, 1))
    is_oriented = np.array([POSE in entry.says for entry in entries], dtype=bool)
    for row, (entry, name) in enumerate(zip(entries, tomogram, strict=True)):
        position[row] = entry.position(name, path, context)
        if is_oriented[row]:
            rotation[row], shift = pose_of_transform(entry.says[POSE], f"{entry.place}, {POSE}")
            position[row] += entry.shift(shift, name, path, context)
    return Particles(
        tomogram=np.array(tomogram, dtype=np.str_),
        position=position,
        orientation=quaternions_from_matrices(rotation),
        is_oriented=is_oriented,
        class_name=np.array([entry.label() for entry in entries], dtype=np.str_),
        score=-np.array([entry.number(SCORE) for entry in entries], dtype=np.float64),
        half=np.array([entry.half() for entry in entries], dtype=np.int64),
        extra=_extra(entries),
    )


def _extra(entries: list[EmanEntry]) -> dict[str, NDArray[Any]]:
    """Give the stack, the number in it, and other plain values."""
    names = dict.fromkeys(name for entry in entries for name in entry.says)
    extra: dict[str, NDArray[Any]] = {
        PREFIX + SOURCE: np.array([entry.source for entry in entries], dtype=np.str_),
        PREFIX + INDEX: np.array([entry.index for entry in entries], dtype=np.int64),
    }
    for name in names:
        if name not in _CONSUMED:
            texts = [_text(entry.says.get(name, "")) for entry in entries]
            extra[PREFIX + name] = typed_column(name, np.array(texts, dtype=np.str_))
    return extra


def _text(value: Any) -> str:
    """Give a value as text; lists as JSON."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return json.dumps(value) if isinstance(value, list | dict) else str(value)
