"""Tilts about one axis or two, as turns that RELION's table can hold."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from subtomo.formats.acquisition_file import AcquiredTilts, AxisTilts
from subtomo.geometry.tilt_projection import tilt_rotations
from subtomo.model import Acquisition, TomogramFrame
from subtomo.signal.wedge import missing_wedge, tilt_transfer
from subtomo.tomograms.import_tomograms.tilts import tilt_series_of

FRAME = TomogramFrame((64, 64, 32), 4.0)


def series(first: AxisTilts, second: AxisTilts | None = None):
    return tilt_series_of("a", AcquiredTilts(first, second), FRAME, Acquisition())


def test_one_axis() -> None:
    one = series(AxisTilts(-60, 60, 3, 85.0))
    np.testing.assert_allclose(one.tilt_angles, np.arange(-60, 61, 3), atol=1e-9)
    np.testing.assert_allclose(one.tilt_axis_angles, 85)
    np.testing.assert_array_equal(one.x_tilts, 0)
    assert one.tomogram_size_px == (64, 64, 32)


def test_a_step_that_does_not_divide_the_range_keeps_its_ends() -> None:
    one = series(AxisTilts(-50, 51, 2.5, 0))
    assert (one.tilt_angles[0], one.tilt_angles[-1], len(one)) == (-50, 51, 41)


# The specimen is turned by the angle between the axes and tilted about the microscope's axis: the
# product of the turns, by scipy.
@pytest.mark.parametrize("between", [90.0, -90.0, 37.0])
def test_two_axes(between: float) -> None:
    two = series(AxisTilts(-60, 60, 30, 10.0), AxisTilts(-40, 50, 15, 10.0 + between))
    expected = [
        Rotation.from_euler("ZYZ", [10.0 + between, tilt, -between], degrees=True).as_matrix()
        for tilt in np.linspace(-40, 50, 7)
    ]
    np.testing.assert_allclose(tilt_rotations(two)[5:], expected, atol=1e-7)


def test_the_second_axis_fills_the_wedge() -> None:
    shape = (24, 24, 24)
    single = series(AxisTilts(-50, 50, 2, 0))
    double = series(AxisTilts(-50, 50, 2, 0), AxisTilts(-50, 50, 2, 90))
    covered = [float((tilt_transfer(shape, 4.0, s) > 0).float().mean()) for s in (single, double)]
    assert covered[1] > covered[0] + 0.1
    # what only the second covers lies in the wedge of the first, and in the slab of the second
    about_x = tilt_transfer(shape, 4.0, double).numpy() > 0
    slab = missing_wedge(shape, [-50, 50], tilt_axis_angle_deg=90.0).numpy() > 0
    first = tilt_transfer(shape, 4.0, single).numpy() > 0
    assert not (about_x & ~first & ~slab).any()
