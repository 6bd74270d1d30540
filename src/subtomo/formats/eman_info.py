"""Boxes in the info files of EMAN (``info/TOMOGRAM_info.json``).

``boxes_3d`` lists x, y, z, the method (our source), the score and the number of the class, which
``class_list`` gives a name and a box size. With ``apix_unbin`` coordinates and box sizes are in
pixels of that size, and coordinates are measured from voxel (nx // 2, ny // 2, nz // 2); without,
they are voxels of the tomogram, measured from its corner. More values of a box are kept as
``eman.box_7`` ...

Source: e2spt_boxer, e2spt_extract and e2spt_tempmatch of EMAN2 (cryoem/eman2).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.formats.atomic import replacing
from subtomo.formats.columns import typed_column
from subtomo.formats.eman_transform import three_numbers
from subtomo.formats.json_text import parse_json
from subtomo.formats.paths import missing_file
from subtomo.formats.table_context import TableContext
from subtomo.formats.tomogram_names import base_name
from subtomo.formats.unknown_scores import read_scores, written_scores
from subtomo.model import Particles

FloatArray = NDArray[np.float64]

PREFIX = "eman.box_"
SUFFIX = "_info"
_BOXES, _CLASSES, _APIX = "boxes_3d", "class_list", "apix_unbin"
_FIELDS = 6
_METHOD = "manual"
_SCORE = 0.0
_LARGEST_BOX = 2**31


def is_eman_info(path: Path) -> bool:
    """Tell whether a JSON file is an info file of EMAN."""
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and not {_BOXES, _CLASSES, _APIX}.isdisjoint(content)


def read_eman_info(path: Path, context: TableContext) -> Particles:
    """Read the boxes of an info file.

    Parameters
    ----------
    path : ``TOMOGRAM_info.json``; of one tomogram, called as the file
    context : voxels of the tomogram, and its size where the file has ``apix_unbin``

    Returns
    -------
    Particles in the order of the file, without orientation; box sizes in voxels of the tomogram

    Raises
    ------
    MissingFileError
        If the file does not exist.
    FormatError
        If it is not such a file, or a value is not what it should be.
    SettingsError
        If the voxels of the tomogram, or its size, are not known.
    """
    content = _read(path)
    boxes = [_box(box, f"{path}, box {n}") for n, box in enumerate(content.get(_BOXES, []), 1)]
    coordinates = np.array([box[:3] for box in boxes], dtype=np.float64).reshape(-1, 3)
    tomogram = np.full(len(boxes), _tomogram(path, context))
    classes = _classes(content, path)
    of_box = [classes.get(box[5], (str(box[5]), 0)) for box in boxes]
    sizes = np.array([size for _, size in of_box], dtype=np.float64)
    if _APIX in content and len(boxes):
        indices, scale = _from_middle(content, coordinates, str(tomogram[0]), path, context)
        position = context.grid_of(str(tomogram[0]), path).positions(indices)
    else:
        position, scale = context.positions(tomogram, coordinates, path), 1.0
    score = np.array([box[4] for box in boxes], dtype=np.float64)
    return Particles(
        tomogram=tomogram,
        position=position,
        class_name=np.array([name for name, _ in of_box], dtype=np.str_),
        source=np.array([box[3] for box in boxes], dtype=np.str_),
        score=read_scores(score, _SCORE),
        box_size=np.rint(sizes * scale).astype(np.int64),
        extra=_extra([box[_FIELDS:] for box in boxes]),
    )


def write_eman_info(path: Path, particles: Particles, context: TableContext) -> None:
    """Write boxes in pixels of the full-resolution tomogram, from the middle of the tomogram.

    Parameters
    ----------
    path : ``TOMOGRAM_info.json``, replaced in one step; what else it says (tilts, CTF) stays
    particles : of one tomogram
    context : voxels and size of the tomogram; the full resolution, else its voxels count

    Raises
    ------
    SettingsError
        If the voxels or the size of the tomogram are not known.
    """
    boxes, apix, scale = np.empty((0, 3)), None, 1.0
    for name in np.unique(particles.tomogram).tolist():
        grid, size_px = context.sized_grid_of(name, path)
        apix = context.frames[name].pixel_size if name in context.frames else grid.pixel_size
        scale = grid.pixel_size / apix
        boxes = np.round((grid.indices(particles.position) - size_px // 2) * scale, 6) + 0.0
    _write(path, boxes, particles, {} if apix is None else {_APIX: apix}, scale)


def write_eman_info_corner(path: Path, particles: Particles, context: TableContext) -> None:
    """Write boxes in voxels of the tomogram, from its corner.

    Parameters
    ----------
    path : ``TOMOGRAM_info.json``, replaced in one step; what else it says (tilts, CTF) stays
    particles : of one tomogram
    context : voxels of the tomogram

    Raises
    ------
    SettingsError
        If the voxels of the tomogram are not known.
    """
    _write(path, context.indices(particles, path), particles, {}, 1.0)


def _read(path: Path) -> dict[str, Any]:
    """Read the file."""
    try:
        content = parse_json(path.read_bytes(), str(path))
    except (FileNotFoundError, IsADirectoryError):
        raise missing_file(path, "an info file of EMAN") from None
    if not isinstance(content, dict) or {_BOXES, _CLASSES, _APIX}.isdisjoint(content):
        raise FormatError(f"{path}: no {_BOXES}; expected an info file of EMAN")
    if not isinstance(content.get(_BOXES, []), list):
        raise FormatError(f"{path}: {_BOXES} is no list; expected [x, y, z, method, score, class]")
    return content


def _tomogram(path: Path, context: TableContext) -> str:
    """Name the tomogram: as the file without ``_info`` and what EMAN puts behind ``__``."""
    own = path.stem.removesuffix(SUFFIX)
    return context.tomogram or base_name(own)


def _box(box: Any, place: str) -> list[Any]:
    """Check one box; older ones have no class or score."""
    if not isinstance(box, list) or len(box) < 3:
        raise FormatError(f"{place}: {box!r}; expected [x, y, z, method, score, class]")
    filled = [*three_numbers(box[:3], place), *box[3:], *("", _SCORE, 0)[max(0, len(box) - 3) :]]
    try:
        score, number = float(filled[4]), int(filled[5])
    except (ValueError, TypeError, OverflowError):
        raise FormatError(
            f"{place}: {box!r}; expected a number as score and a whole one as class"
        ) from None
    return [*filled[:3], str(filled[3]), score, number, *filled[_FIELDS:]]


def _classes(content: dict[str, Any], path: Path) -> dict[int, tuple[str, float]]:
    """Give the name and the box size of each class."""
    found = {}
    for key, value in content.get(_CLASSES, {}).items():
        try:
            found[int(key)] = str(value["name"]), float(value.get("boxsize", 0))
            if not 0 <= found[int(key)][1] <= _LARGEST_BOX:
                raise ValueError
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            raise FormatError(
                f"{path}, {_CLASSES}: {key}: {value!r}; expected a number, and name and boxsize "
                f"(0 to {_LARGEST_BOX})"
            ) from None
    return found


def _from_middle(
    content: dict[str, Any],
    coordinates: FloatArray,
    tomogram: str,
    path: Path,
    context: TableContext,
) -> tuple[FloatArray, float]:
    """Give voxel indices of coordinates from the middle, and voxels a pixel."""
    try:
        apix = float(content[_APIX])
    except (ValueError, TypeError):
        apix = np.nan
    if not 0 < apix < np.inf:
        raise FormatError(f"{path}: {_APIX} is {content[_APIX]!r}; expected a pixel size in Å")
    grid, size_px = context.sized_grid_of(tomogram, path)
    scale = apix / grid.pixel_size
    return coordinates * scale + size_px // 2, scale


def _extra(rest: list[list[Any]]) -> dict[str, NDArray[Any]]:
    """Give further values of boxes as columns."""
    width = max((len(values) for values in rest), default=0)
    extra = {}
    for index in range(width):
        name = f"{PREFIX}{_FIELDS + 1 + index}"
        texts = [str(values[index]) if index < len(values) else "" for values in rest]
        extra[name] = typed_column(name, np.array(texts, dtype=np.str_))
    return extra


def _write(
    path: Path, boxes: FloatArray, particles: Particles, says: Mapping[str, float], scale: float
) -> None:
    """Write boxes into a new file, or in the place of those of an old one."""
    numbers = {name: n for n, name in enumerate(dict.fromkeys(particles.class_name.tolist()))}
    others = _read(path) if path.is_file() and is_eman_info(path) else {}
    others = {key: value for key, value in others.items() if key != _APIX}
    names = particles.class_name.tolist()
    rest = zip(*(particles.extra[name].tolist() for name in _own(particles)), strict=True)
    tails = [list(values) for values in rest] or [[] for _ in names]
    rows = [
        [*xyz, source or _METHOD, score, numbers[name], *tail]
        for xyz, source, score, name, tail in zip(
            boxes.tolist(),
            particles.source.tolist(),
            written_scores(particles.score, _SCORE).tolist(),
            names,
            tails,
            strict=True,
        )
    ]
    classes = {
        str(number): {
            "name": name,
            "boxsize": round(float(particles.box_size[particles.class_name == name].max()) * scale),
        }
        for name, number in numbers.items()
    }
    content = {**others, **says, _BOXES: rows, _CLASSES: classes}
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def keeps_column(name: str) -> bool:
    """Tell whether a further column of particles has a place in a box."""
    number = name.removeprefix(PREFIX)
    return name.startswith(PREFIX) and number.isascii() and number.isdigit()


def _own(particles: Particles) -> list[str]:
    """Name the further values of boxes in their order."""
    own = [name for name in particles.extra if keeps_column(name)]
    return sorted(own, key=lambda name: int(name.removeprefix(PREFIX)))
