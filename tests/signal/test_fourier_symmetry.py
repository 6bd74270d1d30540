import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from subtomo.errors import SettingsError
from subtomo.signal.fourier_sums import FourierSums
from subtomo.signal.fourier_symmetry import Helix, symmetrise, symmetry_operations


def sums_of(volume):
    """Sums as if the whole transform had been measured, weight 1."""
    data = torch.fft.rfftn(torch.fft.ifftshift(torch.as_tensor(volume, dtype=torch.float64)))
    return FourierSums(torch.stack([data.real, data.imag, torch.ones_like(data.real)], dim=-1))


def volume_of(sums):
    return torch.fft.fftshift(torch.fft.irfftn(sums.data, s=(sums.box_size,) * 3, dim=(0, 1, 2)))


def blob(size, point, width=2.5):
    """A Gaussian at a point (x, y, z) from the centre."""
    axis = np.arange(size) - size // 2
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    squared = (x - point[0]) ** 2 + (y - point[1]) ** 2 + (z - point[2]) ** 2
    return np.exp(-squared / (2 * width**2))


@pytest.mark.parametrize(("symmetry", "order"), [("C3", 3), ("D2", 4), ("T", 12), ("I1", 60)])
def test_a_blob_appears_at_all_its_equivalent_places(symmetry, order):
    size, point = 32, np.array([2.0, 3.0, 1.0])
    operations = symmetry_operations(symmetry)
    assert len(operations) == order
    averaged = symmetrise(sums_of(blob(size, point)), operations)
    expected = sum(blob(size, m @ point) for m in operations.matrices) / order
    # between voxels the transform is read linearly, which fades the outer parts
    np.testing.assert_allclose(volume_of(averaged), expected, atol=0.1 * expected.max())
    np.testing.assert_allclose(averaged.weight, 1.0, rtol=1e-12)


def test_turns_that_map_the_grid_to_itself_are_exact():
    size = 8
    volume = np.zeros((size,) * 3)
    inner = slice(1, size)  # plane 0 has no opposite one
    volume[inner, inner, inner] = np.random.default_rng(0).normal(size=(size - 1,) * 3)
    expected = np.zeros_like(volume)
    for turn in range(4):
        expected[inner, inner, inner] += np.rot90(volume[inner, inner, inner], turn, (1, 2)) / 4
    averaged = symmetrise(sums_of(volume), symmetry_operations("C4"))
    kept = np.abs(np.fft.fftfreq(size, 1 / size)) < size // 2
    np.testing.assert_allclose(
        averaged.data[kept][:, kept][..., :-1],
        sums_of(expected).data[kept][:, kept][..., :-1],
        atol=1e-12,
    )


@pytest.mark.parametrize(("n_units", "units"), [(3, [-1, 0, 1]), (4, [-2, -1, 0, 1])])
def test_a_helix_repeats_a_blob_along_z(n_units, units):
    size, point, rise, twist = 32, np.array([3.0, 1.0, 0.5]), 2.5, 40.0
    averaged = symmetrise(
        sums_of(blob(size, point)), symmetry_operations("C1", Helix(n_units, rise, twist))
    )
    turns = [Rotation.from_euler("z", j * twist, degrees=True).as_matrix() for j in units]
    places = [turn @ point + [0, 0, j * rise] for j, turn in zip(units, turns, strict=True)]
    expected = sum(blob(size, place) for place in places) / n_units
    np.testing.assert_allclose(volume_of(averaged), expected, atol=0.05 * expected.max())


def test_point_group_and_helix_are_joined_not_multiplied():
    operations = symmetry_operations("C2", Helix(3, 1.0, 30.0))
    assert len(operations) == 4
    np.testing.assert_array_equal(operations.rises_px, [0, 0, 1, -1])


def test_entries_that_should_be_zero_are():
    for name in ("C3", "D7", "T", "O", "I1", "I2", "I3", "I4"):
        matrices = np.abs(symmetry_operations(name).matrices)
        assert not np.any((matrices > 0) & (matrices < 1e-6))


def test_without_symmetry_the_sums_are_the_same_object():
    sums = FourierSums.empty(4)
    assert symmetrise(sums, symmetry_operations("C1")) is sums


def test_an_unknown_group_is_refused():
    with pytest.raises(SettingsError, match="'X3'"):
        symmetry_operations("X3")
