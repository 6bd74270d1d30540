import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from subtomo.errors import ShapeError
from subtomo.geometry import (
    angular_distance,
    multiply_quaternions,
    random_quaternions,
    symmetry_quaternions,
)
from subtomo.geometry.mean_orientation import mean_orientations


def near(quaternion, degrees, n, rng):
    axes = rng.normal(size=(n, 3))
    axes *= np.radians(degrees) / np.linalg.norm(axes, axis=1)[:, None]
    return (Rotation.from_quat(quaternion) * Rotation.from_rotvec(axes)).as_quat()


def test_agrees_with_scipy_without_symmetry():
    rng = np.random.default_rng(1)
    q = np.stack([near(one, 25, 5, rng) for one in random_quaternions(20, rng)])
    weights = rng.uniform(0.2, 3, size=(20, 5))
    mean, spread = mean_orientations(q, weights)
    for i in range(20):
        expected = Rotation.from_quat(q[i]).mean(weights[i]).as_quat()
        assert angular_distance(mean[i], expected)[0] < 1e-5
        angles = angular_distance(q[i], expected)
        assert spread[i] == pytest.approx((weights[i] * angles).sum() / weights[i].sum())


def test_signs_of_quaternions_do_not_matter():
    q = random_quaternions(6, np.random.default_rng(2)).reshape(2, 3, 4)
    signs = np.array([1, -1, -1])[None, :, None]
    a, b = (
        mean_orientations(q, np.ones((2, 3)))[0],
        mean_orientations(q * signs, np.ones((2, 3)))[0],
    )
    np.testing.assert_allclose(a, b, atol=1e-12)


@pytest.mark.parametrize("symmetry", ["C3", "D2", "O", "I"])
def test_equivalent_orientations_have_one_mean(symmetry):
    rng = np.random.default_rng(3)
    truth, group = random_quaternions(10, rng), symmetry_quaternions(symmetry)
    q = np.stack([near(one, 3, 4, rng) for one in truth])
    mates = multiply_quaternions(q, group[rng.integers(len(group), size=(10, 4))])
    plain, spread = mean_orientations(q, np.ones((10, 4)))
    found, found_spread = mean_orientations(mates, np.ones((10, 4)), symmetry)
    assert angular_distance(found, plain, symmetry).max() < 1e-5
    np.testing.assert_allclose(found_spread, spread, atol=1e-6)


def test_weight_zero_is_ignored_and_nothing_known_is_the_identity():
    q = random_quaternions(2, np.random.default_rng(4))[None]
    mean, spread = mean_orientations(q, [[1.0, 0.0]], "C2")
    assert angular_distance(mean, q[0, 0], "C2")[0] < 1e-5
    assert spread[0] == pytest.approx(0, abs=1e-5)
    mean, spread = mean_orientations(q, [[0.0, 0.0]], "C2")
    assert mean.tolist() == [[0, 0, 0, 1]]
    assert np.isnan(spread).all()
    assert len(mean_orientations(np.empty((0, 3, 4)), np.empty((0, 3)))[0]) == 0


def test_shapes_that_do_not_fit_are_refused():
    with pytest.raises(ShapeError, match=r"expected \(n, k, 4\)"):
        mean_orientations(np.ones((2, 4)), np.ones(2))
