import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from subtomo.errors import SettingsError
from subtomo.geometry import (
    angular_distance,
    matrices_from_quaternions,
    multiply_quaternions,
    random_quaternions,
    reduce_to_asymmetric_unit,
    symmetry_quaternions,
)

ORDERS = {
    "C1": 1,
    "C2": 2,
    "C7": 7,
    "C13": 13,
    "D1": 2,
    "D2": 4,
    "D7": 14,
    "T": 12,
    "O": 24,
    "I": 60,
    "I1": 60,
    "I2": 60,
    "I3": 60,
    "I4": 60,
}

# RELION's own generators (axis, fold), rounded as it has them
RELION_GENERATORS = {
    "C7": [((0, 0, 1), 7)],
    "D7": [((0, 0, 1), 7), ((1, 0, 0), 2)],
    "T": [((0, 0, 1), 3), ((0, 0.816496, 0.577350), 2)],
    "O": [((1, 1, 1), 3), ((0, 0, 1), 4)],
    "I": [
        ((0, 0, 1), 2),
        ((0.525731114, 0, 0.850650807), 5),
        ((0, 0.356822076, 0.934172364), 3),
    ],
    "I1": [
        ((1, 0, 0), 2),
        ((0.85065080702670, 0, -0.5257311142635), 5),
        ((0.9341723640, 0.3568220765, 0), 3),
    ],
    "I3": [
        ((-0.5257311143, 0, 0.8506508070), 2),
        ((0, 0, 1), 5),
        ((-0.4911234778630044, 0.3568220764705179, 0.7946544753759428), 3),
    ],
    "I4": [
        ((0.5257311143, 0, 0.8506508070), 2),
        ((0.8944271932547096, 0, 0.4472135909903704), 5),
        ((0.4911234778630044, 0.3568220764705179, 0.7946544753759428), 3),
    ],
}


def contains(group, q):
    """Whether the group holds each of the rotations (n, 4), to 1e-5 in the quaternion."""
    return (np.abs(group @ np.atleast_2d(q).T).max(axis=0) > 1 - 1e-10).all()


@pytest.mark.parametrize(("name", "order"), ORDERS.items())
def test_orders_closure_and_inverses(name, order):
    group = symmetry_quaternions(name)
    assert group.shape == (order, 4)
    np.testing.assert_array_equal(group[0], [0, 0, 0, 1])
    similar = np.abs(group @ group.T) > 1 - 1e-9
    np.testing.assert_array_equal(similar, np.eye(order, dtype=bool))  # all different
    for element in group:
        assert contains(group, multiply_quaternions(group, element))
    assert contains(group, group * [-1, -1, -1, 1])


@pytest.mark.parametrize("name", RELION_GENERATORS)
def test_the_group_is_the_one_that_relions_generators_make(name):
    group = symmetry_quaternions(name)
    for axis, fold in RELION_GENERATORS[name]:
        turn = Rotation.from_rotvec(2 * np.pi / fold * np.array(axis) / np.linalg.norm(axis))
        # 1e-6 digits in RELION's T: cos of half the rounding angle
        assert np.abs(group @ turn.as_quat()).max() > 1 - 1e-11


@pytest.mark.parametrize("scipy_name", ["C5", "D6", "O"])
def test_agrees_with_scipys_groups_where_the_settings_are_the_same(scipy_name):
    assert contains(symmetry_quaternions(scipy_name), Rotation.create_group(scipy_name).as_quat())


def test_bare_i_is_i2_which_is_i1_turned_by_a_quarter_about_y():
    i1, i2 = symmetry_quaternions("I1"), symmetry_quaternions("I2")
    assert contains(symmetry_quaternions("i"), i2)
    assert not contains(i1, i2)
    assert contains(i1, Rotation.create_group("I").as_quat())  # scipy's I is RELION's I1
    quarter = Rotation.from_euler("y", 90, degrees=True)
    turned = quarter * Rotation.from_quat(i2) * quarter.inv()
    assert contains(i1, turned.as_quat())


@pytest.mark.parametrize(("name", "fold"), [("T", 3), ("I3", 5), ("I4", 5), ("O", 4), ("I2", 2)])
def test_the_axis_on_z(name, fold):
    group = symmetry_quaternions(name)
    on_z = np.abs(group[:, :2]).max(axis=1) < 1e-9
    assert on_z.sum() == fold


@pytest.mark.parametrize("name", ["C1", "C5", "D3", "T", "O", "I"])
def test_reduction_is_idempotent_and_the_same_for_equivalent_orientations(name):
    q = random_quaternions(50, np.random.default_rng(1))
    reduced = reduce_to_asymmetric_unit(q, name)
    np.testing.assert_allclose(reduce_to_asymmetric_unit(reduced, name), reduced, atol=1e-12)
    np.testing.assert_allclose(angular_distance(reduced, q, name), 0, atol=1e-5)
    for element in symmetry_quaternions(name):
        equivalent = multiply_quaternions(q, element)
        np.testing.assert_allclose(reduce_to_asymmetric_unit(equivalent, name), reduced, atol=1e-12)


@pytest.mark.parametrize("name", ["C5", "D3", "T", "O", "I"])
def test_reduction_turns_with_the_reference(name):
    q = random_quaternions(40, np.random.default_rng(2))
    reduced = reduce_to_asymmetric_unit(q, name)
    for element in symmetry_quaternions(name)[:7]:
        inverse = element * [-1, -1, -1, 1]
        turned = multiply_quaternions(element, multiply_quaternions(q, inverse))
        expected = multiply_quaternions(element, multiply_quaternions(reduced, inverse))
        np.testing.assert_allclose(
            np.abs((reduce_to_asymmetric_unit(turned, name) * expected).sum(axis=1)), 1, atol=1e-12
        )


@pytest.mark.parametrize("name", ["C4", "D2", "O"])
def test_reduction_on_the_border_of_the_unit_is_still_one_choice(name):
    group = symmetry_quaternions(name)
    # a rotation as far from the identity as from a neighbour in the group, and its equivalents
    border = Rotation.from_quat(group[1]).as_rotvec() / 2
    equivalent = multiply_quaternions(Rotation.from_rotvec(border).as_quat(), group)
    reduced = reduce_to_asymmetric_unit(equivalent, name)
    np.testing.assert_allclose(reduced, np.tile(reduced[0], (len(group), 1)), atol=1e-12)


def test_the_unit_of_c4_is_a_quarter_turn_about_z():
    q = random_quaternions(500, np.random.default_rng(3))
    matrices = matrices_from_quaternions(reduce_to_asymmetric_unit(q, "C4"))
    turn = np.arctan2(matrices[:, 1, 0] - matrices[:, 0, 1], matrices[:, 0, 0] + matrices[:, 1, 1])
    assert np.abs(np.degrees(turn)).max() <= 45 + 1e-9


@pytest.mark.parametrize("name", ["", "C0", "C", "D", "X3", "I5", "C-2", "TT"])
def test_unknown_groups_are_refused(name):
    with pytest.raises(SettingsError, match="expected C1"):
        symmetry_quaternions(name)


def test_a_group_cannot_be_changed_by_its_user():
    symmetry_quaternions("C2")[0] = 7
    np.testing.assert_array_equal(symmetry_quaternions("C2")[0], [0, 0, 0, 1])
