import numpy as np
import pytest

from subtomo.picking.matching.resampling import resample_about_centre


def gaussian(n, sigma_px, centre_px=(0.0, 0.0, 0.0)):
    z, y, x = np.meshgrid(*[np.arange(n) - n // 2] * 3, indexing="ij")
    r2 = (x - centre_px[0]) ** 2 + (y - centre_px[1]) ** 2 + (z - centre_px[2]) ** 2
    return np.exp(-r2 / (2 * sigma_px**2))


@pytest.mark.parametrize("n", [40, 41])
@pytest.mark.parametrize(("old", "new", "box"), [(5.14, 10.52, 20), (10.0, 7.3, 51), (4, 4, 40)])
def test_a_gaussian_stays_the_same_gaussian(n, old, new, box):
    # smooth enough for either grid, and gone at the border: the closed form is the truth
    sigma, centre = 22.0, np.array([8.0, -5.0, 11.0])  # Å
    volume = gaussian(n, sigma / old, centre / old)
    expected = gaussian(box, sigma / new, centre / new)
    inside = expected > 1e-3
    got = resample_about_centre(volume, old, new, box)
    np.testing.assert_allclose(got[inside], expected[inside], atol=4e-3)


def test_detail_that_the_new_grid_cannot_hold_is_removed():
    checkerboard = np.indices((24, 24, 24)).sum(axis=0) % 2 * 2.0 - 1
    got = resample_about_centre(checkerboard, 5.0, 10.0, 10)
    assert np.abs(got).max() < 1e-6


def test_outside_the_old_box_is_zero():
    got = resample_about_centre(np.ones((8, 8, 8)), 10.0, 10.0, 16)
    assert (got[:, :, :4] == 0).all()
    assert (got[:, :, 12:] == 0).all()
    np.testing.assert_allclose(got[4:12, 4:12, 4:12], 1, atol=1e-6)
