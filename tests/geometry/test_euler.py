import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from subtomo.errors import ShapeError
from subtomo.geometry import (
    angular_distance,
    dynamo_from_quaternions,
    matrices_from_quaternions,
    quaternions_from_dynamo,
    quaternions_from_relion,
    relion_from_quaternions,
)

turn = st.floats(-180, 180)
# both poles and their neighbourhood, where the two turns about z run together
tilt = st.one_of(st.floats(0, 180), st.sampled_from([0.0, 180.0, 1e-7, 180 - 1e-7, 1e-3]))


@given(turn, tilt, turn)
def test_relion_angles_are_the_inverse_of_intrinsic_zyz(rot, tilt_, psi):
    expected = Rotation.from_euler("ZYZ", [rot, tilt_, psi], degrees=True).inv().as_matrix()
    matrix = matrices_from_quaternions(quaternions_from_relion([[rot, tilt_, psi]]))[0]
    np.testing.assert_allclose(matrix, expected, atol=1e-14)


def test_dynamo_angles_put_the_particles_own_z_axis_where_its_table_says():
    tdrot, tilt_, narot = 40.0, 65.0, -110.0
    z = matrices_from_quaternions(quaternions_from_dynamo([[tdrot, tilt_, narot]]))[0, :, 2]
    sin_t = np.sin(np.radians(tilt_))
    expected = [
        np.sin(np.radians(tdrot)) * sin_t,
        np.cos(np.radians(tdrot)) * sin_t,
        np.cos(np.radians(tilt_)),
    ]
    np.testing.assert_allclose(z, expected, atol=1e-15)


@given(turn, tilt, turn)
def test_dynamo_and_relion_angles_differ_by_quarter_turns(tdrot, tilt_, narot):
    dynamo = quaternions_from_dynamo([[tdrot, tilt_, narot]])
    relion = quaternions_from_relion([[narot - 90, tilt_, tdrot + 90]])
    np.testing.assert_allclose(angular_distance(dynamo, relion), 0, atol=1e-10)


@pytest.mark.parametrize(
    ("to_angles", "to_quaternions"),
    [
        (relion_from_quaternions, quaternions_from_relion),
        (dynamo_from_quaternions, quaternions_from_dynamo),
    ],
)
@given(first=turn, tilt_=tilt, last=turn)
def test_angles_come_back_as_the_same_rotation(to_angles, to_quaternions, first, tilt_, last):
    q = to_quaternions([[first, tilt_, last]])
    angles = to_angles(q)
    assert (np.abs(angles) <= 180).all()
    assert 0 <= angles[0, 1] <= 180
    np.testing.assert_allclose(angular_distance(to_quaternions(angles), q), 0, atol=2e-6)


@given(turn, st.floats(1, 179), turn)
def test_away_from_the_poles_the_angles_themselves_come_back(rot, tilt_, psi):
    angles = relion_from_quaternions(quaternions_from_relion([[rot, tilt_, psi]]))[0]
    difference = np.array([rot, tilt_, psi]) - angles
    np.testing.assert_allclose((difference + 180) % 360 - 180, 0, atol=1e-9)


def test_at_the_poles_rot_is_zero():
    angles = relion_from_quaternions(quaternions_from_relion([[30, 0, 50], [30, 180, 50]]))
    np.testing.assert_allclose(angles, [[0, 0, 80], [0, 180, 20]], atol=1e-12)


def test_dimensions_are_named():
    with pytest.raises(ShapeError, match="rot, tilt, psi"):
        quaternions_from_relion(np.zeros((4, 2)))
