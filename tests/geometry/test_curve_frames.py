"""Frames along curves, what lies around them, and curves that meet themselves."""

import numpy as np
import pytest

from subtomo.geometry.axis_frames import quaternions_along, quaternions_with_axes
from subtomo.geometry.curve_crossing import self_crossing
from subtomo.geometry.curve_frames import curve_frames, turned_frames
from subtomo.geometry.euler import dynamo_from_quaternions
from subtomo.geometry.helix import helix_points
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.geometry.spline_curve import SplineCurve


def curve(points):
    return SplineCurve.through(np.array(points, dtype=float))


def test_frames_turn_against_the_torsion_of_a_helix():
    """Against Frenet's frame the frame turns by −torsion · length, torsion = b / (a² + b²)."""
    a, b = 100.0, 30.0
    t = np.linspace(0, 6, 60)
    line = curve(np.stack([a * np.cos(t), a * np.sin(t), b * t], axis=1))
    s = np.linspace(0, line.length, 9)
    e1, _, tangent = np.moveaxis(curve_frames(line, s), -1, 0)
    phase = s / np.hypot(a, b)
    normal = np.stack([-np.cos(phase), -np.sin(phase), 0 * phase], axis=1)
    binormal = np.cross(tangent, normal)
    angle = np.unwrap(np.arctan2((e1 * binormal).sum(1), (e1 * normal).sum(1)))
    assert np.allclose(angle - angle[0], -b / (a * a + b * b) * s, atol=1e-3)


def test_frames_are_rotations_and_do_not_depend_on_where_they_are_asked_for():
    line = curve([[0, 0, 0], [100, 20, 5], [150, 120, 40], [100, 200, 150]])
    s = np.array([line.length, 0.0, 77.7])
    frames = curve_frames(line, s)
    assert np.allclose(np.swapaxes(frames, 1, 2) @ frames, np.eye(3), atol=1e-12)
    assert np.allclose(np.linalg.det(frames), 1)
    assert np.allclose(frames[:, :, 2], line.tangent(s))
    among = curve_frames(line, np.append(s, np.linspace(0, 50, 7)))[:3]
    assert np.allclose(among, frames, atol=1e-6)


def test_the_first_frame_lies_by_the_axis_at_a_right_angle():
    for points, e1 in (([[0, 0, 0], [0, 0, 9]], [1, 0, 0]), ([[0, 0, 0], [9, 0, 1]], [0, 1, 0])):
        assert np.allclose(curve_frames(curve(points), [0.0])[0][:, 0], e1)


def test_turned_frames_turn_from_the_first_axis_to_the_second():
    frames = turned_frames(np.eye(3)[None], [90.0])
    assert np.allclose(frames[0], [[0, -1, 0], [1, 0, 0], [0, 0, 1]])


def test_a_helix_about_a_straight_line_in_closed_form():
    line = curve([[5, 6, 0], [5, 6, 100]])
    k = np.arange(11)
    found = helix_points(line, 20.0, 10.0 * k, 25.0 * k)
    angle = np.radians(25.0 * k)
    expected = np.stack([5 + 20 * np.cos(angle), 6 + 20 * np.sin(angle), 10.0 * k], axis=1)
    assert np.allclose(found.positions, expected)
    assert np.allclose(found.outward[:, :2], (expected[:, :2] - [5, 6]) / 20)
    assert np.allclose(found.along, [0, 0, 1])


@pytest.mark.parametrize(
    ("points", "place"),
    [
        ([[0, 0, 0], [500, 0, 0], [500, 500, 0], [200, -300, 0]], True),
        ([[0, 0, 0], [500, 0, 0], [250, 0, 0], [900, 0, 0]], True),
        ([[0, 0, 0], [500, 0, 0], [500, 500, 90], [200, -300, 90]], False),
        ([[0, 0, 0], [500, 0, 0], [700, 300, 0], [500, 600, 0], [0, 600, 0]], False),
        ([[0, 0, 0], [3, 0, 0]], False),
    ],
)
def test_a_curve_that_meets_itself_is_found(points, place):
    found = self_crossing(curve(points), 10.0)
    assert (found is not None) == place
    if place:
        assert np.abs(found[2]) < 1e-9


def test_orientations_along_axes():
    axes = matrices_from_quaternions(random_quaternions(50, np.random.default_rng(0)))[:, :, 2]
    axes[:3] = [[0, 0, 1], [0, 0, -1], [1, 0, 0]]
    matrices = matrices_from_quaternions(quaternions_along(3 * axes))
    assert np.allclose(matrices[:, :, 2], axes, atol=1e-9)
    assert np.abs(matrices[:, 2, 0]).max() < 1e-9
    tdrot, tilt, _ = dynamo_from_quaternions(quaternions_along(axes[3:])).T
    assert np.allclose(tdrot, np.degrees(np.arctan2(axes[3:, 0], axes[3:, 1])))
    assert np.allclose(tilt, np.degrees(np.arccos(axes[3:, 2])))


def test_the_angle_turns_the_particle_about_its_own_axis():
    z = np.array([[0.3, -0.5, 0.7]])
    plain, turned = (matrices_from_quaternions(quaternions_along(z, a))[0] for a in (0.0, 90.0))
    assert np.allclose(turned[:, 0], plain[:, 1])


def test_x_axes_are_made_perpendicular_to_z():
    matrices = matrices_from_quaternions(quaternions_with_axes([[0, 0, 2.0]], [[0, 5.0, 9.0]]))
    assert np.allclose(matrices[0], [[0, -1, 0], [1, 0, 0], [0, 0, 1]])
