import numpy as np
import pytest

from subtomo.errors import DataError, ShapeError, SubtomoError
from subtomo.model import Deformation
from subtomo.model.deformation import DeformationKind


# Fourier frequencies listed by hand: 4 x 4 has (1,0) (2,0), (0,1) (1,1) (2,1), (1,-2) (2,-2),
# (1,-1) (2,-1); 3 x 3 has (1,0), (1,-2), (1,-1).
@pytest.mark.parametrize(
    ("kind", "grid", "count"),
    [
        ("linear", (1, 1), 3),
        ("spline", (3, 4), 96),
        ("fourier", (2, 2), 4 * 2),
        ("fourier", (3, 3), 4 * 3),
        ("fourier", (4, 4), 4 * 9),
        ("fourier", (2, 1), 4 * 1),
        ("fourier", (1, 1), 0),
    ],
)
def test_number_of_coefficients(kind: DeformationKind, grid: tuple[int, int], count: int) -> None:
    assert Deformation.coefficient_count(kind, grid) == count
    assert Deformation(kind, grid, np.zeros((2, count))).coefficients.shape == (2, count)


def test_a_fourier_table_may_be_longer() -> None:
    assert Deformation("fourier", (2, 2), np.zeros((2, 16))).coefficients.shape == (2, 16)


@pytest.mark.parametrize(
    ("kind", "grid", "coefficients", "error", "message"),
    [
        ("linear", (1, 1), np.zeros((2, 4)), ShapeError, r"\(2, 4\); expected \(tilt, 3\)"),
        ("spline", (2, 2), np.zeros((2, 33)), ShapeError, "spline .* on a grid of 2 x 2"),
        ("fourier", (2, 2), np.zeros((2, 7)), ShapeError, "expected"),
        ("linear", (1, 1), np.zeros(3), ShapeError, "expected"),
        ("spline", (1, 3), np.zeros((2, 24)), DataError, "1 x 3; expected at least 2 x 2"),
        ("cubic", (1, 1), np.zeros((2, 3)), DataError, "'cubic'; expected one of linear"),
        ("linear", (1, 1), np.array([[0, 0, np.nan]]), DataError, "coefficient 3 of tilt 1 is nan"),
    ],
)
def test_what_is_no_deformation(
    kind: DeformationKind,
    grid: tuple[int, int],
    coefficients: np.ndarray,
    error: type[SubtomoError],
    message: str,
) -> None:
    with pytest.raises(error, match=message):
        Deformation(kind, grid, coefficients)


def test_tilts_are_selected() -> None:
    deformation = Deformation("linear", (1, 1), np.arange(9.0).reshape(3, 3))
    np.testing.assert_array_equal(deformation.select(slice(1, 2)).coefficients, [[3, 4, 5]])
