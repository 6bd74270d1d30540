from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from subtomo.errors import FormatError
from subtomo.formats.warp_grids import movement_deformation
from subtomo.geometry.deformation import deformation_shifts

FILE = Path("TS_1.xml")


def grid(tag: str, values: np.ndarray, extra: str = "") -> str:
    depth, height, width = values.shape
    nodes = "".join(
        f'<Node X="{x}" Y="{y}" Z="{z}" Value="{values[z, y, x]}"/>'
        for z, y, x in np.ndindex(values.shape)
    )
    return f'<{tag} Width="{width}" Height="{height}" Depth="{depth}" {extra}>{nodes}</{tag}>'


def root_of(*grids: str) -> ElementTree.Element:
    return ElementTree.fromstring(f"<TiltSeries>{''.join(grids)}</TiltSeries>")


def test_nodes_are_at_the_edges_and_subtracted_in_pixels() -> None:
    x = np.arange(2 * 3 * 4.0).reshape(2, 3, 4)
    root = root_of(grid("GridMovementX", x), grid("GridMovementY", 10 * x))
    deformation = movement_deformation(FILE, root, 2, 2.0)
    assert deformation is not None
    assert deformation.grid == (4, 3)
    corners = np.array([[[0, 0], [300, 200], [100, 0]]] * 2, dtype=float)
    shifts = deformation_shifts(deformation, corners, (300, 200))
    np.testing.assert_allclose(shifts[..., 0], -x.reshape(2, 12)[:, [0, 11, 1]] / 2)
    np.testing.assert_allclose(shifts[..., 1], 10 * shifts[..., 0])


def test_one_slice_is_of_all_tilts_and_one_node_of_the_whole_image() -> None:
    root = root_of(
        grid("GridMovementX", np.full((1, 1, 1), 3.0)), grid("GridMovementY", np.ones((1, 2, 3)))
    )
    deformation = movement_deformation(FILE, root, 4, 1.0)
    assert deformation is not None
    shifts = deformation_shifts(deformation, np.full((4, 1, 2), 7.0), (30, 20))
    np.testing.assert_allclose(shifts, np.broadcast_to([-3, -1], (4, 1, 2)))


def test_nothing_moves() -> None:
    assert movement_deformation(FILE, root_of(), 3, 1.0) is None
    zeros = grid("GridMovementX", np.zeros((1, 2, 2)), 'MarginX="0.1"')
    assert movement_deformation(FILE, root_of(zeros), 3, 1.0) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (grid("GridMovementX", np.ones((1, 2, 2)), 'MarginX="0.1"'), "has margins"),
        (
            grid("GridMovementX", np.ones((1, 2, 2))).replace('Width="2"', 'Width="3"'),
            "has 4 nodes; expected every one of 3 x 2 x 1",
        ),
        (
            grid("GridMovementX", np.ones((1, 2, 2))).replace('X="1" Y="1"', 'X="5" Y="1"'),
            "has 4 nodes; expected every one of 2 x 2 x 1",
        ),
        (
            grid("GridMovementX", np.ones((1, 2, 2))).replace('Value="1.0"', 'Value="inf"'),
            "Value of <Node> is 'inf'; expected a number",
        ),
    ],
)
def test_bad_grids(text: str, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        movement_deformation(FILE, root_of(text), 2, 1.0)
