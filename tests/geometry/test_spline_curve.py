import numpy as np
import pytest
from scipy.integrate import quad

from subtomo.errors import DataError, ShapeError
from subtomo.geometry.spline_curve import SplineCurve


def circle(n: int = 24, radius: float = 100.0) -> np.ndarray:
    angle = 2 * np.pi * np.arange(n) / n
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def test_a_closed_curve_through_a_circle_is_the_circle():
    curve = SplineCurve.through(circle(), is_closed=True)
    assert curve.length == pytest.approx(2 * np.pi * 100, rel=2e-5)
    s = np.linspace(0, curve.length, 100)
    np.testing.assert_allclose(np.linalg.norm(curve.at(s), axis=1), 100, atol=0.01)
    np.testing.assert_allclose((curve.tangent(s) * curve.at(s)).sum(axis=1), 0, atol=0.05)
    np.testing.assert_allclose(curve.at(curve.length + 7), curve.at(7), atol=1e-9)


def test_a_parabola_is_reproduced_and_measured():
    # y = x² from 0 to 2; its length in closed form by quadrature of sqrt(1 + 4 x²).
    x = np.linspace(0, 2, 30)
    curve = SplineCurve.through(np.stack([x, x**2], axis=1))
    assert curve.length == pytest.approx(quad(lambda t: np.hypot(1, 2 * t), 0, 2)[0], rel=1e-5)
    found = curve.at(np.linspace(0, curve.length, 50))
    np.testing.assert_allclose(found[:, 1], found[:, 0] ** 2, atol=1e-4)


def test_it_goes_through_its_points_at_even_speed():
    points = np.random.default_rng(0).random((7, 3))
    curve = SplineCurve.through(points)
    np.testing.assert_allclose(curve.at(curve.lengths_at_points), points, atol=1e-9)
    s = np.linspace(0, curve.length, 5001)
    steps = np.linalg.norm(np.diff(curve.at(s), axis=0), axis=1)
    np.testing.assert_allclose(steps, curve.length / 5000, rtol=1e-3)
    np.testing.assert_allclose(curve.at([-1.0, curve.length + 1]), points[[0, -1]], atol=1e-9)


def test_two_points_are_a_line():
    curve = SplineCurve.through([[0, 0, 0], [3, 4, 0]])
    assert curve.length == pytest.approx(5)
    np.testing.assert_allclose(curve.tangent(2.0), [0.6, 0.8, 0])


def test_steps_divide_it_evenly():
    line = SplineCurve.through([[0, 0], [10, 0]])
    np.testing.assert_allclose(line.steps(3.0), [0, 10 / 3, 20 / 3, 10])
    ring = SplineCurve.through(circle(), is_closed=True)
    assert len(ring.steps(ring.length / 8)) == 8
    assert ring.steps(ring.length / 8)[-1] < ring.length * 0.9


@pytest.mark.parametrize(
    ("points", "is_closed", "words"),
    [
        ([[0, 0]], False, "1 points; a curve needs at least 2"),
        ([[0, 0], [1, 1]], True, "a closed curve needs at least 3"),
        ([[0, 0], [1, 1], [1, 1]], False, "points 2 and 3 are both at"),
        ([[0, 0], [1, np.nan]], False, "point 2 is"),
    ],
)
def test_points_that_make_no_curve_are_named(points, is_closed, words):
    with pytest.raises(DataError, match=words):
        SplineCurve.through(points, is_closed)


def test_other_columns_are_refused():
    with pytest.raises(ShapeError, match=r"\(4,\)"):
        SplineCurve.through([1, 2, 3, 4])
