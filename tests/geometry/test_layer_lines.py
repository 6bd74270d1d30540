import numpy as np
import pytest

from subtomo.errors import ShapeError
from subtomo.geometry.layer_lines import grid_power, point_power

ORDERS = np.arange(-20, 21)


def lattice(n: int, repeat: float, start: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Monomers of n protofilaments: each `start · repeat / n` higher than its neighbour."""
    j, k = np.meshgrid(np.arange(n), np.arange(rows), indexing="ij")
    heights = k * repeat + j * start * repeat / n
    return heights.ravel(), (2 * np.pi * j / n).ravel()


@pytest.mark.parametrize(("n", "repeat", "start"), [(11, 35.0, 2), (13, 41.0, -3), (16, 52.0, 4)])
def test_a_lattice_has_power_only_at_the_orders_that_its_geometry_allows(n, repeat, start) -> None:
    heights, angles = lattice(n, repeat, start, 20)
    power = point_power(heights, angles, ORDERS, [0.0, 1 / repeat])
    # all monomers in phase: power = count² / count
    full = 20.0 * n
    on_equator = ORDERS % n == 0
    on_line = (ORDERS - start) % n == 0
    np.testing.assert_allclose(power[on_equator, 0], full, rtol=1e-9)
    np.testing.assert_allclose(power[on_line, 1], full, rtol=1e-9)
    np.testing.assert_allclose(power[~on_equator, 0], 0, atol=1e-6)
    np.testing.assert_allclose(power[~on_line, 1], 0, atol=1e-6)


def test_strewn_points_have_power_one_on_average() -> None:
    rng = np.random.default_rng(5)
    power = point_power(
        rng.uniform(0, 5000, 300), rng.uniform(0, 2 * np.pi, 300), ORDERS, np.arange(5, 200) / 5000
    )
    # 41 x 195 values of an exponential distribution: the mean's deviation is 0.011
    assert power.mean() == pytest.approx(1, abs=0.05)


def test_a_right_handed_helix_has_a_positive_order() -> None:
    turn = np.arange(200) * 0.37
    power = point_power(2 * 40 * turn / (2 * np.pi), turn, ORDERS, [1 / 40])
    assert ORDERS[np.argmax(power[:, 0])] == 2


def test_the_power_of_a_density_wave_is_at_its_order_and_frequency() -> None:
    heights, radii = np.arange(0, 400, 10.0), np.array([50.0, 60.0])
    phi = np.arange(48) * 2 * np.pi / 48
    wave = 7 + np.cos(5 * phi[None, :, None] - 2 * np.pi * heights[None, None, :] / 40)
    values = np.broadcast_to(wave, (2, 48, 40))
    frequencies = np.arange(0, 9) / 160
    power = grid_power(values, heights, radii, ORDERS, frequencies)
    at = np.unravel_index(np.argmax(power), power.shape)
    assert (ORDERS[at[0]], frequencies[at[1]]) == (5, 1 / 40)
    # half of the cosine: (48 · 40 / 2)² on each cylinder, weighted by its radius
    assert power.max() == pytest.approx(110 * 960**2, rel=1e-9)


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ShapeError, match="expected the same"):
        point_power([1.0, 2.0], [1.0], ORDERS, [0.0])


def test_a_grid_that_does_not_fit_its_radii_is_refused() -> None:
    with pytest.raises(ShapeError, match="2 radii, angles, 5 heights"):
        grid_power(np.zeros((3, 8, 5)), np.arange(5), [1.0, 2.0], ORDERS, [0.0])
