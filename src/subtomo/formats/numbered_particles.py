"""Particles as tables of plain numbers have them: Dynamo's, motive lists, STOPGAP's.

All count in voxels of the tomogram, name tomograms, classes and objects by numbers, and have the
same rotations: Dynamo's ``tdrot, tilt, narot`` are motive lists' ``-psi, -theta, -phi``. Angles
that are all 0 say nothing. A map of Dynamo's (``.doc``) beside a table names its tomograms.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import some_of
from subtomo.errors import FormatError, SettingsError
from subtomo.formats.dynamo_map import read_tomogram_map, write_tomogram_map
from subtomo.formats.group_numbers import are_numbers, names_of, numbers_of
from subtomo.formats.table_context import TableContext
from subtomo.formats.text_table import TextTable
from subtomo.formats.tomogram_names import base_name
from subtomo.formats.unknown_scores import read_scores, written_scores
from subtomo.geometry.euler import dynamo_from_quaternions, quaternions_from_dynamo
from subtomo.model import Particles

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MAP_SUFFIX = ".doc"
RELION_CLASS = "rlnClassNumber"


@dataclass(frozen=True, eq=False)
class NumberedParticles:
    """What tables of plain numbers say of particles.

    Parameters
    ----------
    tomogram : (n,) numbers
    coordinates : (n, 3) voxels, columns x, y, z; with the shifts
    angles : (n, 3) degrees, Dynamo's tdrot, tilt, narot; all 0: unknown
    group : (n,) number of the class, or what the context says
    instance : (n,) number of the object or region
    score : (n,)
    half : (n,) 1, 2 or 0
    extra : other columns
    """

    tomogram: IntArray
    coordinates: FloatArray
    angles: FloatArray
    group: IntArray
    instance: IntArray
    score: FloatArray
    half: IntArray | None = None
    extra: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def particles(self, path: Path, context: TableContext) -> Particles:
        """Name and place them.

        Parameters
        ----------
        path : of the table, for messages
        context : the tomograms' names and voxels

        Raises
        ------
        FormatError
            If the map of tomograms lacks one.
        SettingsError
            If one name is given to several tomograms, or voxels are not known.
        """
        tomogram = tomogram_names(self.tomogram, path, context)
        group_field = context.group_field("class")
        columns: dict[str, Any] = {group_field: names_of(self.group)}
        if group_field != "instance":
            columns["instance"] = names_of(self.instance)
        return Particles(
            tomogram=tomogram,
            position=context.positions(tomogram, self.coordinates, path),
            orientation=quaternions_from_dynamo(self.angles),
            is_oriented=(self.angles != 0).any(axis=1),
            **columns,
            score=read_scores(self.score),
            half=self.half,  # type: ignore[arg-type]  # None: not assigned
            extra=dict(self.extra),
        )

    @staticmethod
    def of(particles: Particles, path: Path, context: TableContext) -> "NumberedParticles":
        """Give particles numbers; coordinates and angles to a millionth.

        Raises
        ------
        SettingsError
            If the voxels of a tomogram are not known.
        """
        angles = np.round(dynamo_from_quaternions(particles.orientation), 6) + 0.0
        angles[~particles.is_oriented] = 0
        group_field = context.group_field("class")
        instance = particles.instance if group_field != "instance" else np.full(len(particles), "")
        numbers = tomogram_numbers(particles.tomogram, context)
        return NumberedParticles(
            tomogram=np.array([numbers[name] for name in particles.tomogram.tolist()], np.int64),
            coordinates=context.indices(particles, path),
            angles=angles,
            group=group_numbers(particles, group_field),
            instance=numbers_of(instance),
            score=written_scores(particles.score),
            half=particles.half,
            extra=particles.extra,
        )


def tomogram_names(numbers: IntArray, path: Path, context: TableContext) -> NDArray[np.str_]:
    """Name numbered tomograms: by the one name given, the map, or their number.

    Parameters
    ----------
    numbers : (n,)
    path : of the table, for messages
    context : with the name or the map, or without

    Raises
    ------
    FormatError
        If the map lacks a number.
    SettingsError
        If one name is given to several tomograms.
    """
    found = np.unique(numbers).tolist()
    if context.tomogram is not None:
        if len(found) > 1:
            raise SettingsError(
                f"{path}: is of {len(found)} tomograms ({some_of(found, 5)}), but "
                f"one name was given, {context.tomogram}: give a map of numbers and names "
                "(--tomogram-map) instead"
            )
        return np.full(len(numbers), context.tomogram)
    names = {number: str(number) for number in found}
    if context.tomogram_map:
        missing = [number for number in found if number not in context.tomogram_map]
        if missing:
            known = ", ".join(map(str, list(context.tomogram_map)[:10]))
            raise FormatError(
                f"{path}: has particles of tomogram {missing[0]}, which the map of tomograms does "
                f"not list; it lists {known}: add a line '{missing[0]} PATH'"
            )
        names = {number: base_name(context.tomogram_map[number]) for number in found}
    listed, inverse = np.unique(numbers, return_inverse=True)
    return np.array([names[number] for number in listed.tolist()], dtype=np.str_)[inverse]


def tomogram_numbers(tomogram: NDArray[np.str_], context: TableContext) -> dict[str, int]:
    """Give each tomogram its number: that of the context's map, or its name, or the next free.

    Parameters
    ----------
    tomogram : (n,) names
    context : with the map, or without
    """
    names = np.unique(tomogram).tolist()
    known = {base_name(path): number for number, path in context.tomogram_map.items()}
    numbers = {name: known[base_name(name)] for name in names if base_name(name) in known}
    left = [name for name in names if name not in numbers]
    if not numbers and are_numbers(left):
        return {name: int(name) for name in left}
    free = (n for n in range(1, len(names) + len(known) + 1) if n not in known.values())
    return {**numbers, **dict(zip(left, free, strict=False))}


def group_numbers(particles: Particles, group_field: str) -> IntArray:
    """Give groups numbers; where no class is named, RELION's own column of classes counts.

    Raises
    ------
    FormatError
        If that holds other than whole numbers.
    """
    names = getattr(particles, group_field)
    classes = particles.extra.get(RELION_CLASS)
    if group_field == "class_name" and classes is not None and not (names != "").any():
        return TextTable({RELION_CLASS: classes}, source="particles").integers(RELION_CLASS)
    return numbers_of(names)


def with_shifts(coordinates: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Split coordinates into whole voxels and what is left, as programs that crop want them."""
    whole = np.rint(coordinates)
    return whole, np.round(coordinates - whole, 6) + 0.0


def with_map_beside(path: Path, context: TableContext) -> TableContext:
    """Give the context with the map of tomograms beside a table, unless it has one.

    Parameters
    ----------
    path : of the table; the map has its name with ``.doc``
    context : wins
    """
    beside = path.with_suffix(MAP_SUFFIX)
    if context.tomogram_map or context.tomogram is not None or not beside.is_file():
        return context
    return replace(context, tomogram_map=read_tomogram_map(beside))


def map_beside(path: Path, particles: Particles) -> list[Path]:
    """Give the map of tomograms that may be written beside a table."""
    return [path.with_suffix(MAP_SUFFIX)]


def write_map_beside(path: Path, particles: Particles, context: TableContext) -> None:
    """Write the map of tomograms beside a table, where they are more than numbers.

    It is written too where one is there, which would name them wrongly.

    Parameters
    ----------
    path : of the table; the map has its name with ``.doc`` and is replaced in one step
    particles : of the table
    context : paths of the tomograms by number, or none
    """
    numbers = tomogram_numbers(particles.tomogram, context)
    beside = path.with_suffix(MAP_SUFFIX)
    if beside.exists() or any(name != str(number) for name, number in numbers.items()):
        named = {number: context.tomogram_map.get(number, name) for name, number in numbers.items()}
        write_tomogram_map(beside, named)
