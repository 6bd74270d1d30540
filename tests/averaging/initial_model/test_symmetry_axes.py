import numpy as np
import pytest
from planted import blobs
from scipy.spatial.transform import Rotation

from subtomo.averaging.box import Box
from subtomo.averaging.correlation import Band
from subtomo.averaging.initial_model.symmetry_axes import find_axes
from subtomo.geometry.rotations import angular_distance, matrices_from_quaternions
from subtomo.geometry.symmetry import symmetry_quaternions

N = 20
BAND = Band(Box(N, 16.0), 6.0, 4.0)
POINTS = np.array([[4.5, 1.0, 2.0], [2.0, 3.5, 4.0], [5.0, -1.5, 3.0]])


def body(symmetry, axes, centre):
    """Three blobs a unit; symmetric about axes that are turned, around a centre."""
    group = matrices_from_quaternions(symmetry_quaternions(symmetry))
    points = POINTS @ group.transpose(0, 2, 1)
    return blobs(N, points.reshape(-1, 3) @ axes.as_matrix().T + centre, width=1.2)


@pytest.mark.parametrize("symmetry", ["C3", "D2"])
def test_axes_and_centre_are_found(symmetry):
    axes = Rotation.from_euler("zyz", [40, 65, 110], degrees=True)
    centre = np.array([0.8, -0.6, 0.4])
    if symmetry == "C3":  # along the axis anything goes
        along = axes.as_matrix()[:, 2]
        centre = centre - along * (along @ centre)
    found = find_axes(body(symmetry, axes, centre).float(), BAND, symmetry)
    assert found.score > 0.97
    assert found.centre_px == pytest.approx(centre, abs=0.15)
    # up to the turns that leave the group as it is: about the axis; exchanges of two-fold axes
    if symmetry == "C3":
        z = matrices_from_quaternions(found.axes)[:, 2]
        assert abs(z @ axes.as_matrix()[:, 2]) > np.cos(np.radians(2))
    else:
        assert angular_distance(found.axes, axes.as_quat(), "O") < 2


def test_what_has_no_symmetry_agrees_less():
    lopsided = blobs(N, POINTS, width=1.2).float()
    symmetric = body("C2", Rotation.identity(), np.zeros(3)).float()
    assert find_axes(lopsided, BAND, "C2").score < find_axes(symmetric, BAND, "C2").score - 0.1
