import numpy as np
import pytest

from subtomo.geometry.particle_views import ViewGrid, neighbourhoods, particle_views
from subtomo.model import TiltSeries

CENTRE = np.array([[100.0, 80.0, 40.0]])  # Å of a tomogram of 100 x 80 x 40 pixels of 2 Å


@pytest.fixture
def series():
    return TiltSeries(
        "TS",
        pixel_size=2.0,
        tilt_angles=np.array([0.0, 60.0, 0.0]),
        tilt_axis_angles=np.zeros(3),
        shifts=np.array([[0.0, 0.0], [0.0, 0.0], [5.0, -3.0]]),
        dose=np.array([0.0, 3.0, 6.0]),
        tomogram_size_px=(100, 80, 40),
        image_size_px=(120, 90),
    )


def test_a_particle_at_the_centre_is_seen_at_the_images_centre(series):
    views = particle_views(series, CENTRE, ViewGrid(16, 1.0, 8.0))
    np.testing.assert_array_equal(views.tilt, [0, 1, 2])
    # the last image is shifted by 2.5 and -1.5 pixels: halves are rounded away from zero
    np.testing.assert_array_equal(views.first, [[52, 37], [52, 37], [55, 36]])
    np.testing.assert_allclose(views.shift, [[0, 0], [0, 0], [-0.5, -0.5]], atol=1e-12)
    np.testing.assert_allclose(views.depth, 0, atol=1e-12)


def test_depth_and_place_of_a_tilted_particle(series):
    views = particle_views(series, np.add(CENTRE, [0, 0, 20.0]), ViewGrid(16, 1.0, 8.0))
    # Ry(60°) takes (0, 0, 10) pixels to (8.66, 0, 5)
    np.testing.assert_allclose(views.depth, [20, 10, 20], atol=1e-9)
    assert views.first[1, 0] + 8 + views.shift[1, 0] == pytest.approx(60 + 8.660254)


def test_binning_enlarges_the_window_and_scales_the_shift(series):
    grid = ViewGrid(16, 1.5, 8.0)
    views = particle_views(series, np.add(CENTRE, [1.0, 0, 0]), grid)  # half a pixel along x
    assert grid.window_size == 24
    np.testing.assert_array_equal(views.first[0], [61 - 12, 45 - 12])
    np.testing.assert_allclose(views.shift[0], [-0.5 / 1.5, 0], atol=1e-12)


def test_margin_and_dose_say_what_is_visible(series):
    near_border = np.add(CENTRE, [-2 * (60 - 20.0), 0, 0])  # at x = 20 on the untilted image
    assert particle_views(series, near_border, ViewGrid(16, 1.0, 19.9)).visible[0, 0]
    assert not particle_views(series, near_border, ViewGrid(16, 1.0, 20.0)).visible[0, 0]
    early = particle_views(series, CENTRE, ViewGrid(16, 1.0, 8.0, max_dose=3.0))
    np.testing.assert_array_equal(early.visible, [[True, True, False]])
    np.testing.assert_array_equal(early.tilt, [0, 1])


def test_motion_moves_the_window_but_not_the_depth(series):
    motion = np.zeros((1, 3, 3))
    motion[0, 0] = [4.0, 0.0, 6.0]
    still, moved = (
        particle_views(series, CENTRE, ViewGrid(16, 1.0, 8.0), trajectories=path)
        for path in (None, motion)
    )
    np.testing.assert_array_equal(moved.first - still.first, [[2, 0], [0, 0], [0, 0]])
    np.testing.assert_allclose(moved.depth, still.depth)


def test_neighbours_share_a_square_of_512_pixels():
    x = [0, 511.9, 512, 100, 1500, 600, -3]
    y = [0, 511, 0, 600, 600, 512, 0]
    found = neighbourhoods(np.stack([x, y, np.zeros(7)], axis=1))
    assert found[0] == found[1]
    assert len(set(found)) == 6
    assert sorted(range(7), key=lambda i: found[i]) == [6, 0, 1, 2, 3, 5, 4]


def test_no_particles_have_no_squares():
    assert len(neighbourhoods(np.zeros((0, 3)))) == 0
