import numpy as np
import pytest

from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import angular_distance, matrices_from_quaternions
from subtomo.picking.matching.axis_range import within_axis_range


def tilts(orientations):
    return np.degrees(np.arccos(matrices_from_quaternions(orientations)[:, 2, 2].clip(-1, 1)))


def test_only_axes_in_the_range_are_left():
    grid = orientation_grid(20.0, "C1")
    kept = within_axis_range(grid, "C1", 60, 120)
    assert (tilts(kept) >= 60 - 1e-6).all()
    assert (tilts(kept) <= 120 + 1e-6).all()
    # the axes that are left fill half of the sphere, between ±30° of latitude
    assert len(kept) / len(grid) == pytest.approx(0.5, abs=0.05)
    np.testing.assert_allclose(within_axis_range(grid, "C1", 0, 180), grid, atol=1e-12)


@pytest.mark.parametrize("symmetry", ["C4", "D3", "T", "O", "I"])
def test_of_equal_orientations_the_one_in_the_range_is_kept(symmetry):
    whole, reduced = orientation_grid(15.0, "C1"), orientation_grid(15.0, symmetry)
    kept = within_axis_range(reduced, symmetry, 0, 25)
    assert (tilts(kept) <= 25 + 1e-6).all()
    # nothing is lost: every orientation in the range has one near it
    inside = whole[tilts(whole) <= 15]
    nearest = [
        angular_distance(np.broadcast_to(q, kept.shape), kept, symmetry).min() for q in inside
    ]
    assert max(nearest) < 20
