import numpy as np
import pytest

from subtomo.geometry.deformation import deformation_shifts
from subtomo.model import Deformation

SIZE = (200, 120)
POINTS = np.array([[[100.0, 60.0], [150.0, 90.0], [50.0, 30.0]]])  # one tilt, three points


def shifts(kind, grid, coefficients, points=POINTS):
    deformation = Deformation(kind, grid, np.array([coefficients], dtype=np.float64))
    return deformation_shifts(deformation, points, SIZE)


def test_linear_by_hand():
    found = shifts("linear", (1, 1), [0.01, 0.002, -0.03])
    wanted = [[0, 0], [0.5, 0.1 - 0.9], [-0.5, -0.1 + 0.9]]
    np.testing.assert_allclose(found, [wanted], atol=1e-12)


def test_fourier_by_hand():
    # a 2 x 2 grid has the frequencies (1, 0) and (1, -1): a cosine of the first moves x, a sine of
    # the second y
    found = shifts("fourier", (2, 2), [1.5, 0, 0, 0, 0, 0, 0, 2.0])
    x, y = POINTS[0].T
    wanted = [
        1.5 * np.cos(np.pi * x / 200),
        2.0 * np.sin(np.pi * (x / 200 - y / 120)),
    ]
    np.testing.assert_allclose(found[0].T, wanted, atol=1e-12)


def spline_of(function, slope_x, slope_y, twist, grid):
    """Value, slopes and twist at the points of a grid, the same for x and y."""
    x, y = np.meshgrid(np.arange(grid[0]), np.arange(grid[1]))
    parts = [function(x, y), slope_x(x, y), slope_y(x, y), twist(x, y)]
    corners = np.stack(np.broadcast_arrays(*parts), axis=-1).astype(float)
    return np.stack([corners, 2 * corners]).ravel()


def test_splines_are_exact_for_cubics():
    grid = (5, 4)
    coefficients = spline_of(
        lambda x, y: x**3 - 2 * x * y + y**2,
        lambda x, y: 3 * x**2 - 2 * y,
        lambda x, y: -2 * x + 2 * y,
        lambda x, y: -2 + 0 * x,
        grid,
    )
    found = shifts("spline", grid, coefficients)
    x, y = POINTS[0, :, 0] / (200 / 4), POINTS[0, :, 1] / (120 / 3)  # in cells of the grid
    wanted = x**3 - 2 * x * y + y**2
    np.testing.assert_allclose(found[0], np.stack([wanted, 2 * wanted], axis=1), atol=1e-9)


def test_splines_stop_at_the_borders_of_the_grid():
    def one(x, y):
        return 1 + 0 * x

    coefficients = spline_of(lambda x, y: x + y, one, one, lambda x, y: 0 * x, (3, 3))
    outside, corner = (
        shifts("spline", (3, 3), coefficients, np.array([[point]]))
        for point in ([260.0, -5.0], [200.0, 0.0])
    )
    np.testing.assert_allclose(outside, corner)


@pytest.mark.parametrize(("kind", "n"), [("linear", 3), ("spline", 8 * 6), ("fourier", 20)])
def test_coefficients_are_counted(kind, n):
    assert Deformation.coefficient_count(kind, (3, 2) if kind == "spline" else (3, 4)) == n
