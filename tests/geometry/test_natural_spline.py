import numpy as np

from subtomo.geometry.natural_spline import hermite_table, resample_axis

RNG = np.random.default_rng(7)


def test_slopes_of_three_nodes_by_hand() -> None:
    # A natural spline through 0, 1, 0 is 1.5 t - 0.5 t^3 on its first half.
    table = hermite_table(np.array([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0]]))
    np.testing.assert_allclose(table[0, :, 1], [1.5, 0, -1.5])
    np.testing.assert_allclose(table[..., 2:], 0, atol=1e-12)  # nothing changes along y


def test_twist_of_a_product_is_the_product_of_slopes() -> None:
    x, y = RNG.normal(size=5), RNG.normal(size=4)
    table = hermite_table(y[:, None] * x)
    np.testing.assert_allclose(table[..., 3] * table[..., 0], table[..., 1] * table[..., 2])


def test_leading_axes_are_kept_apart() -> None:
    values = RNG.normal(size=(3, 2, 4, 5))
    np.testing.assert_allclose(hermite_table(values)[2, 1], hermite_table(values[2, 1]))


def test_resampling_keeps_nodes_and_repeats_single_ones() -> None:
    values = RNG.normal(size=(2, 3))
    finer = resample_axis(values, 5, 1)
    np.testing.assert_allclose(finer[:, ::2], values)
    assert not np.allclose(finer[:, 1], (values[:, 0] + values[:, 1]) / 2)  # it is curved
    np.testing.assert_allclose(resample_axis(np.array([[0.0, 2.0]]), 5, 1), [[0, 0.5, 1, 1.5, 2]])
    np.testing.assert_array_equal(resample_axis(values[:, :1], 4, 1), values[:, [0] * 4])
