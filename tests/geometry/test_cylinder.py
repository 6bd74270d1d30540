import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from subtomo.errors import DataError, ShapeError
from subtomo.geometry.cylinder import Cylinder, fit_cylinder


def bent_tube() -> Cylinder:
    """A tube in the xy plane, leaning, flattened across the beam and bent by 20 Å at its ends."""
    direction = np.array([-0.3, 0.9, 0.1])
    direction /= np.linalg.norm(direction)
    first = np.array([0.0, 0.0, 1.0]) - direction[2] * direction
    first /= np.linalg.norm(first)
    across = np.stack([first, np.cross(direction, first)])
    return Cylinder(
        centre=np.array([500.0, 1000.0, 200.0]),
        direction=direction,
        across=across,
        half_axes=np.array([130.0, 105.0]),
        bend=np.array([-8e-6, 2e-5]),
    )


def strewn_on(tube: Cylinder, n: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    """Points on the wall (or near it), by the definition in the class's docstring."""
    s, phi = rng.uniform(-1000, 1000, n), rng.uniform(-np.pi, np.pi, n)
    a = tube.half_axes[0] * np.cos(phi) + tube.bend[0] * s**2
    b = tube.half_axes[1] * np.sin(phi) + tube.bend[1] * s**2
    points = tube.centre + np.outer(s, tube.direction) + np.stack([a, b], axis=1) @ tube.across
    return points + rng.normal(0, spread, (n, 3)) if spread else points


@pytest.mark.parametrize("direction", [(0, 0, 0), (3, 2, 1)])
def test_points_on_a_line_have_no_tube(direction):
    points = 500 + np.outer(np.arange(40.0), direction)
    with pytest.raises(DataError, match="40 points lie on one line or in one place"):
        fit_cylinder(points)


def test_the_tube_is_found_again_from_points_on_its_wall() -> None:
    tube = bent_tube()
    found = fit_cylinder(strewn_on(tube, 400, 0.0, np.random.default_rng(1)))
    np.testing.assert_allclose(found.half_axes, [130, 105], atol=0.01)
    assert found.direction @ tube.direction > 1 - 1e-6
    # s = 0 lies elsewhere along the axis: compare points of the axis
    s = np.linspace(-900, 900, 7)
    height, _, distance = tube.coordinates(found.points(s, 0.0, 0.0))
    assert np.ptp(height) == pytest.approx(1800, rel=1e-4)
    np.testing.assert_allclose(distance, 0, atol=0.2)


def test_strays_and_noise_move_the_axis_little() -> None:
    rng = np.random.default_rng(2)
    tube = bent_tube()
    wall = strewn_on(tube, 400, 6.0, rng)
    strays = rng.uniform([0, 0, 0], [1000, 2000, 400], (900, 3))
    found = fit_cylinder(np.concatenate([wall, strays]))
    np.testing.assert_allclose(found.half_axes, [130, 105], atol=4)
    _, _, distance = tube.coordinates(found.points(np.linspace(-900, 900, 7), 0.0, 0.0))
    assert distance.max() < 6


@pytest.mark.slow
def test_scores_find_the_tube_amid_twenty_times_as_many_strays() -> None:
    rng = np.random.default_rng(6)
    tube = bent_tube()
    wall = strewn_on(tube, 250, 6.0, rng)
    strays = rng.uniform([0, 0, 0], [1000, 2000, 400], (5000, 3))
    points = np.concatenate([wall, strays])
    scores = np.concatenate([rng.normal(4.2, 0.4, 250), rng.normal(3.4, 0.3, 5000)])
    np.testing.assert_allclose(fit_cylinder(points, scores).half_axes, [130, 105], atol=6)
    assert np.abs(fit_cylinder(points).half_axes - [130, 105]).max() > 20


def test_coordinates_and_points_are_inverses() -> None:
    rng = np.random.default_rng(3)
    tube = bent_tube()
    s, phi, r = rng.uniform(-900, 900, 50), rng.uniform(-3.1, 3.1, 50), rng.uniform(20, 200, 50)
    height, angle, distance = tube.coordinates(tube.points(s, phi, r))
    np.testing.assert_allclose(height, s, atol=1e-9)
    np.testing.assert_allclose(angle, phi, atol=1e-9)
    np.testing.assert_allclose(distance, r, atol=1e-9)


def test_angles_turn_right_handed_about_the_direction() -> None:
    # axis along y through the origin; the beam z is at angle 0, and a right-handed quarter turn
    # about y takes z to x
    tube = fit_cylinder(
        [
            [100 * np.sin(a), y, 100 * np.cos(a)]
            for a in np.arange(0, 6.2, 0.5)
            for y in (-300, 0, 300)
        ]
    )
    assert tube.direction[1] == pytest.approx(1)
    _, angle, distance = tube.coordinates([[0, 0, 50], [50, 0, 0], [0, 0, -50]])
    np.testing.assert_allclose(np.degrees(angle)[:2], [0, 90], atol=1e-3)
    assert abs(np.degrees(angle)[2]) == pytest.approx(180, abs=1e-3)
    np.testing.assert_allclose(distance, 50, atol=1e-3)


def test_wall_distances_are_negative_inside() -> None:
    tube = bent_tube()
    at = [tube.points(0.0, 0.0, r) for r in (110.0, 130.0, 150.0)]
    # along the long half axis, 20 Å of 130 Å, scaled to the mean radius sqrt(130 · 105) Å
    np.testing.assert_allclose(
        tube.wall_distances(at), np.array([-20, 0, 20]) / 130 * np.sqrt(130 * 105), atol=1e-9
    )


def test_frames_are_rotations_with_z_along_the_bent_axis_and_x_outwards() -> None:
    tube = bent_tube()
    s, phi = np.array([-800.0, 0.0, 700.0]), np.array([0.3, 2.0, -1.5])
    frames = tube.frames(s, phi)
    np.testing.assert_allclose(
        frames @ frames.transpose(0, 2, 1), np.tile(np.eye(3), (3, 1, 1)), atol=1e-12
    )
    np.testing.assert_allclose(np.linalg.det(frames), 1)
    tangent = (tube.points(s + 0.01, 0.0, 0.0) - tube.points(s - 0.01, 0.0, 0.0)) / 0.02
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    np.testing.assert_allclose(frames[:, :, 2], tangent, atol=1e-6)
    outwards = tube.points(s, phi, 100.0) - tube.points(s, 0.0, 0.0)
    assert np.all(np.sum(frames[:, :, 0] * outwards, axis=1) > 99.9)


def test_a_tube_along_the_beam_is_found_too() -> None:
    rng = np.random.default_rng(4)
    s, phi = rng.uniform(-600, 600, 300), rng.uniform(0, 2 * np.pi, 300)
    points = np.stack([90 * np.cos(phi), 90 * np.sin(phi), s], axis=1)
    found = fit_cylinder(points)
    assert found.direction[2] == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(found.half_axes, 90, rtol=1e-3)
    assert Rotation.from_matrix([*found.across, found.direction]).as_matrix() == pytest.approx(
        np.stack([*found.across, found.direction])
    )


def test_too_few_points_are_refused() -> None:
    with pytest.raises(DataError, match="15 points are too few"):
        fit_cylinder(np.zeros((15, 3)))


def test_points_of_two_columns_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(20, 2\)"):
        fit_cylinder(np.zeros((20, 2)))


def test_scores_of_another_length_are_refused() -> None:
    with pytest.raises(ShapeError, match=r"\(3,\); expected \(20,\)"):
        fit_cylinder(np.zeros((20, 3)), [1.0, 2.0, 3.0])
