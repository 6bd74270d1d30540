import numpy as np
import pytest

from subtomo.averaging.reconstruction.views import slice_matrices
from subtomo.geometry.tilt_projection import tilt_rotations
from subtomo.model import Aberrations, TiltSeries


def series(pixel_size):
    angles = np.array([-50.0, 0.0, 20.0])
    return TiltSeries(
        name="TS_01",
        pixel_size=pixel_size,
        tilt_angles=angles,
        tilt_axis_angles=np.full(3, 85.0),
        shifts=np.zeros((3, 2)),
        dose=np.zeros(3),
    )


def test_at_equal_pixel_sizes_slices_are_turned_only():
    found = slice_matrices(series(2.0), 2.0, Aberrations())
    np.testing.assert_allclose(found, tilt_rotations(series(2.0)), atol=1e-15)


def test_a_smaller_pixel_puts_a_frequency_closer_to_zero():
    """One Fourier voxel of the map is 1/(n · 3 Å); of images at 2 Å, 1/(n · 2 Å)."""
    found = slice_matrices(series(2.0), 3.0, Aberrations())
    np.testing.assert_allclose(found, tilt_rotations(series(2.0)) * 2 / 3, atol=1e-15)


def test_a_magnification_is_another_pixel_size():
    """Frequencies of the object that are 1.25 times those of the image: pixels of 2 / 1.25 Å."""
    magnified = Aberrations(magnification=((1.25, 0.0), (0.0, 1.25)))
    found = slice_matrices(series(2.0), 2.0, magnified)
    smaller = slice_matrices(series(2.0 / 1.25), 2.0, Aberrations())
    np.testing.assert_allclose(found[:, :2], smaller[:, :2], atol=1e-15)
    np.testing.assert_allclose(found[:, 2], tilt_rotations(series(2.0))[:, 2], atol=1e-15)


def test_a_stretch_along_x_moves_columns_not_rows():
    stretched = Aberrations(magnification=((2.0, 0.0), (0.0, 1.0)))
    plain, found = (slice_matrices(series(2.0), 2.0, each) for each in (Aberrations(), stretched))
    np.testing.assert_allclose(found[:, 0], plain[:, 0] / 2)
    np.testing.assert_allclose(found[:, 1:], plain[:, 1:])
    assert found[1, 0, 0] == pytest.approx(np.cos(np.radians(85)) / 2)
