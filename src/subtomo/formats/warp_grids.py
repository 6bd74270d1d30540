"""The grids in Warp's .xml files: one value, one a tilt, or nodes across the images."""

import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import FormatError
from subtomo.geometry.natural_spline import hermite_table, resample_axis
from subtomo.model import Deformation

FloatArray = NDArray[np.float64]

_MOVEMENTS = ("GridMovementX", "GridMovementY")


def number_of(path: Path, element: ElementTree.Element, name: str) -> float:
    """Read an attribute as a number; 0 where Warp's version does not write it.

    Raises
    ------
    FormatError
        If it is not a finite number.
    """
    text = element.get(name, "0")
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise FormatError(f"{path}: {name} of <{element.tag}> is {text!r}; expected a number")
    return value


def node_values(path: Path, root: ElementTree.Element, tag: str) -> FloatArray:
    """Read the values of all nodes of a grid in the order of the file: (n,), empty without it."""
    nodes = root.iterfind(f"{tag}/Node")
    return np.array([number_of(path, node, "Value") for node in nodes])


def per_tilt(path: Path, root: ElementTree.Element, tag: str, n: int) -> FloatArray:
    """Read a grid that has one node, or one a tilt.

    Returns
    -------
    (n,); zeros where there is no such grid

    Raises
    ------
    FormatError
        If it has other nodes.
    """
    nodes = root.findall(f"{tag}/Node")
    values = {_place(node): number_of(path, node, "Value") for node in nodes}
    if len(nodes) <= 1:
        return np.full(n, next(iter(values.values()), 0.0))
    expected = [("0", "0", str(tilt)) for tilt in range(n)]
    if sorted(values) != sorted(expected):
        raise FormatError(
            f"{path}: <{tag}> has {len(nodes)} nodes; expected one, or one a tilt ({n})"
        )
    return np.array([values[place] for place in expected])


def movement_deformation(
    path: Path, root: ElementTree.Element, n: int, pixel_size: float
) -> Deformation | None:
    """Read the movement of the images as RELION's deformation.

    Parameters
    ----------
    path : for messages
    root : of the file
    n : number of tilts
    pixel_size : Å of the images

    Returns
    -------
    Deformation of the n images, or None where nothing moves

    Raises
    ------
    FormatError
        If a grid lacks nodes, or has margins.

    Notes
    -----
    Warp subtracts a natural cubic spline with nodes from edge to edge of the image. Between nodes
    it is bicubic, as RELION's patches are: the two agree inside the image, to rounding.
    """
    grids = [_movement(path, root, tag, n) for tag in _MOVEMENTS]
    if not any(grid.any() for grid in grids):
        return None
    height, width = (max(2, *(grid.shape[axis] for grid in grids)) for axis in (1, 2))
    same = [resample_axis(resample_axis(grid, height, 1), width, 2) for grid in grids]
    table = hermite_table(-np.stack(same, axis=1) / pixel_size)  # (tilt, x or y, y, x, 4)
    return Deformation("spline", (width, height), table.reshape(n, -1))


def _movement(path: Path, root: ElementTree.Element, tag: str, n: int) -> FloatArray:
    """Read a grid of movements, a slice a tilt: (n, y, x) Å."""
    element = root.find(tag)
    if element is None or not node_values(path, root, tag).any():
        return np.zeros((n, 1, 1))
    if any(number_of(path, element, f"Margin{axis}") for axis in "XYZ"):
        raise FormatError(
            f"{path}: <{tag}> has margins; expected nodes from edge to edge of the images"
        )
    return resample_axis(_whole_grid(path, element), n, 0)


def _whole_grid(path: Path, element: ElementTree.Element) -> FloatArray:
    """Read the nodes of a grid, each at its place: (z, y, x)."""
    shape = tuple(int(number_of(path, element, name)) for name in ("Depth", "Height", "Width"))
    nodes = {_place(node): number_of(path, node, "Value") for node in element.iterfind("Node")}
    is_whole = min(shape) > 0 and len(nodes) == math.prod(shape)
    places = [(str(x), str(y), str(z)) for z, y, x in np.ndindex(*shape)] if is_whole else []
    if not is_whole or not all(place in nodes for place in places):
        raise FormatError(
            f"{path}: <{element.tag}> has {len(nodes)} nodes; expected every one of "
            f"{' x '.join(str(size) for size in shape[::-1])}"
        )
    return np.array([nodes[place] for place in places]).reshape(shape)


def _place(node: ElementTree.Element) -> tuple[str, str, str]:
    """Give the indices of a node in its grid, as in the file."""
    return node.get("X", "0"), node.get("Y", "0"), node.get("Z", "0")
