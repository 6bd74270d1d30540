import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from subtomo.errors import ShapeError
from subtomo.geometry import (
    angular_distance,
    invert_quaternions,
    matrices_from_quaternions,
    multiply_quaternions,
    quaternions_from_matrices,
    random_quaternions,
    rotate_points,
    symmetry_quaternions,
)

seeds = st.integers(0, 2**32 - 1)


def draw(seed, n=5):
    return random_quaternions(n, np.random.default_rng(seed))


def test_a_quarter_turn_about_z_takes_x_to_y():
    quarter = np.array([0, 0, np.sin(np.pi / 4), np.cos(np.pi / 4)])
    turned = rotate_points(quarter, np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]]))
    np.testing.assert_allclose(turned, [[0, 1, 0], [-1, 0, 0], [0, 0, 1]], atol=1e-15)


@given(seeds)
def test_matrices_agree_with_scipy(seed):
    q = draw(seed)
    expected = Rotation.from_quat(q).as_matrix()
    np.testing.assert_allclose(matrices_from_quaternions(q), expected, atol=1e-14)


@given(seeds)
def test_matrices_and_quaternions_invert_each_other(seed):
    q = draw(seed)
    back = quaternions_from_matrices(matrices_from_quaternions(q))
    np.testing.assert_allclose(np.abs((back * q).sum(axis=1)), 1, atol=1e-14)
    assert (back[:, 3] >= 0).all()


@given(seeds)
def test_products_apply_the_second_first(seed):
    a, b = draw(seed), draw(seed + 1)
    expected = matrices_from_quaternions(a) @ matrices_from_quaternions(b)
    product = matrices_from_quaternions(multiply_quaternions(a, b))
    np.testing.assert_allclose(product, expected, atol=1e-14)


@given(seeds)
def test_a_rotation_times_its_inverse_is_the_identity(seed):
    q = draw(seed)
    identity = multiply_quaternions(q * 3, invert_quaternions(q)) / 3
    np.testing.assert_allclose(identity, np.tile([0, 0, 0, 1.0], (5, 1)), atol=1e-14)


def test_one_rotation_turns_all_points_and_many_turn_each_its_own():
    q, points = draw(1), np.arange(15.0).reshape(5, 3)
    each = rotate_points(q, points)
    for index in range(5):
        np.testing.assert_allclose(rotate_points(q[index], points)[index], each[index], atol=1e-13)


def test_random_rotations_have_the_moments_of_haar_measure():
    matrices = matrices_from_quaternions(draw(0, 40_000))
    np.testing.assert_allclose(matrices.mean(axis=0), 0, atol=0.015)  # 5 σ of 1/√(3n)
    second = np.einsum("nij,nkl->ijkl", matrices, matrices) / len(matrices)
    expected = np.einsum("ik,jl->ijkl", np.eye(3), np.eye(3)) / 3
    np.testing.assert_allclose(second, expected, atol=0.015)


@given(seeds, st.floats(0, 180))
def test_distance_is_the_angle_turned_by(seed, degrees):
    q = draw(seed)
    axis = np.random.default_rng(seed).normal(size=3)
    turn = Rotation.from_rotvec(degrees * axis / np.linalg.norm(axis), degrees=True).as_quat()
    distance = angular_distance(q, multiply_quaternions(q, turn))
    np.testing.assert_allclose(distance, degrees, atol=1e-6)


def test_distance_is_exact_for_tiny_angles():
    turn = Rotation.from_rotvec([0, 0, 1e-6], degrees=True).as_quat()
    np.testing.assert_allclose(angular_distance([0, 0, 0, 1.0], turn), [1e-6], rtol=1e-9)


@pytest.mark.parametrize("symmetry", ["C4", "D3", "T", "O", "I"])
def test_equivalent_orientations_are_at_distance_zero(symmetry):
    q = draw(3, 1)
    group = symmetry_quaternions(symmetry)
    equivalent = multiply_quaternions(q, group)
    np.testing.assert_allclose(angular_distance(q, equivalent, symmetry), 0, atol=1e-5)
    # the symmetry is the reference's: turning it in the tomogram is another orientation
    assert angular_distance(q, multiply_quaternions(group, q), symmetry).max() > 1


@pytest.mark.slow
def test_distance_over_many_pairs_is_that_of_each():
    a, b = draw(5, 200_000), draw(6, 200_000)
    together = angular_distance(a, b, "I")
    some = [0, 17_475, 17_476, 199_999]
    np.testing.assert_allclose(together[some], angular_distance(a[some], b[some], "I"))
    assert together.max() < 45  # no rotation is farther from the icosahedral group


def test_wrong_shapes_are_named():
    with pytest.raises(ShapeError, match=r"\(2, 3\); expected \(\.\.\., 4\)"):
        matrices_from_quaternions(np.zeros((2, 3)))
    with pytest.raises(ShapeError, match="3, 3"):
        quaternions_from_matrices(np.zeros((2, 4)))
