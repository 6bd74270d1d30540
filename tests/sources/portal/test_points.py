import json

import numpy as np
import pytest

from subtomo.errors import FormatError
from subtomo.formats.nearest_rotation import nearest_rotation
from subtomo.geometry.euler import quaternions_from_relion, relion_from_quaternions
from subtomo.geometry.rotations import matrices_from_quaternions, quaternions_from_matrices
from subtomo.sources.portal.points import parse_points

QUARTER = [[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]  # about z


def lines(*points):
    return "\n".join(json.dumps(point) for point in points).encode()


def point(matrix=None, **location):
    location = {"x": 1.5, "y": 2.0, "z": 3.0, **location}
    values = {"type": "point", "location": location, "instance_id": 4}
    if matrix is None:
        return values
    return {**values, "type": "orientedPoint", "xyz_rotation_matrix": matrix}


def test_points_with_and_without_orientation():
    points = parse_points(lines(point(QUARTER), point(x=-7)) + b"\n\n", "file")
    assert points.position.tolist() == [[1.5, 2, 3], [-7, 2, 3]]
    assert np.allclose(points.rotation, [QUARTER, np.eye(3)])
    assert points.is_oriented.tolist() == [True, False]


def test_an_empty_file_has_no_points():
    assert len(parse_points(b"", "file")) == 0


def test_the_matrix_takes_the_particle_into_the_tomogram():
    """Its x axis lies along the tomogram's y: RELION's angles, by hand, are 0, 0, -90."""
    rotation = parse_points(lines(point(QUARTER)), "file").rotation
    assert np.allclose(rotation[0] @ [1, 0, 0], [0, 1, 0])
    angles = relion_from_quaternions(quaternions_from_matrices(rotation))
    assert np.allclose(angles[0, 1], 0, atol=1e-6)
    assert np.allclose((angles[0, 0] + angles[0, 2]) % 360, 270)


@pytest.mark.parametrize("tilt", [0.0, 180.0, 1e-7, 90.0])
def test_poles_come_back(tilt):
    angles = [[25.0, tilt, -40.0]]
    matrix = matrices_from_quaternions(quaternions_from_relion(angles))[0].round(8)
    rotation = parse_points(lines(point(matrix.tolist())), "file").rotation
    again = relion_from_quaternions(quaternions_from_matrices(rotation))
    back = matrices_from_quaternions(quaternions_from_relion(again))[0]
    assert np.allclose(back, matrix, atol=1e-7)


def test_rounded_matrices_are_set_right():
    matrix = matrices_from_quaternions(quaternions_from_relion([[25.0, 50.0, -40.0]]))[0]
    rotation = nearest_rotation(matrix.round(3).tolist(), "file")
    assert np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-14)
    assert np.allclose(rotation, matrix, atol=1e-3)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{}", "line 1: not a point with a location"),
        (lines(point()) + b"\n[1]", "line 2: not a point"),
        (lines(point()) + b"\n{nonsense", "line 2: not JSON"),
        (lines(point()) + b"\n" + b"[" * 10**5, "line 2: not JSON that can be read: lists or"),
        (
            lines(point(QUARTER), {**point(), "type": "orientedPoint"}),
            "line 2: an oriented point without an xyz_rotation_matrix",
        ),
        (
            lines({**point(QUARTER), "xyz_rotation_matrix": None}),
            "line 1: an oriented point without an xyz_rotation_matrix",
        ),
        (lines(point([[1, 0, 0], [0, 1], [0, 0, 1]])), "line 1: the rotation .*not orthonormal"),
        (lines(point(x=None)), "line 1: not a point"),
        (lines(point(x=float("nan"))), "line 1: location .*expected finite"),
        (lines(point([[1, 0, 0], [0, 1, 0], [0, 0, 2]])), "line 1: the rotation .*not orthonormal"),
        (lines(point([[1, 0], [0, 1]])), "line 1: the rotation .*not orthonormal"),
        (lines(point([[1, 0, 0], [0, 1, 0], [0, 0, -1]])), "line 1: the rotation .*mirror"),
        (lines(point("matrix")), "line 1: the rotation .*not orthonormal"),
    ],
)
def test_damaged_files_name_the_line(content, words):
    with pytest.raises(FormatError, match=f"^file, {words}"):
        parse_points(content, "file")
