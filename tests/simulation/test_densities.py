"""Densities on a grid."""

import numpy as np
import pytest

from subtomo.errors import DataError
from subtomo.formats.volumes import read_volume
from subtomo.model import Volume
from subtomo.simulation.densities import (
    body_mask,
    density_from_map,
    density_of_molecule,
    gold_bead,
    particle_radius,
)
from subtomo.simulation.molecules import Molecule, made_up_molecule


def _centre_of_mass(density):
    """In voxels from voxel n // 2, x, y, z."""
    weights = density.astype(np.float64)
    axes = np.indices(density.shape) - np.array(density.shape)[:, None, None, None] // 2
    return (axes * weights).sum(axis=(1, 2, 3))[::-1] / weights.sum()


def test_axes_and_centre():
    # one Gaussian of 1000 Da, 30 Å along x, 20 Å along y, -10 Å along z
    molecule = Molecule(np.array([[30.0, 20.0, -10.0]]), np.array([1000.0]), np.array([14.0]))
    density = density_of_molecule(molecule, 10.0)
    assert _centre_of_mass(density) == pytest.approx([3, 2, -1], abs=1e-3)
    n = len(density)
    assert n % 2 == 0
    z, y, x = np.unravel_index(density.argmax(), density.shape)
    assert (x - n // 2, y - n // 2, z - n // 2) == (3, 2, -1)


@pytest.mark.parametrize("pixel_size", [5.0, 9.0, 14.0])
def test_map_keeps_mass_and_centre_at_any_pixel_size(pixel_size):
    molecule = made_up_molecule(800, 4)
    original = density_of_molecule(molecule, 7.0)
    resampled = density_from_map(Volume(original + 3.0, 7.0), pixel_size, mass=800)
    assert resampled.sum() * pixel_size**3 == pytest.approx(800e3, rel=1e-5)
    assert _centre_of_mass(resampled) * pixel_size == pytest.approx([0, 0, 0], abs=1.5)
    direct = density_of_molecule(molecule, pixel_size)
    n = min(len(direct), len(resampled)) // 2
    a, b = (
        d[tuple(slice(len(d) // 2 - n, len(d) // 2 + n) for _ in range(3))]
        for d in (direct, resampled)
    )
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.97


def test_map_without_a_mass_gets_the_density_of_protein():
    molecule = made_up_molecule(1500, 4)
    original = density_of_molecule(molecule, 10.0)
    resampled = density_from_map(Volume(37 * original, 10.0), 10.0)
    inside = resampled[resampled > 0.5 * resampled.max()]
    assert inside.mean() == pytest.approx(0.81, rel=0.25)
    # whatever unit the map had
    again = density_from_map(Volume(0.002 * original, 10.0), 10.0)
    assert np.allclose(again, resampled, rtol=1e-4, atol=1e-6)


def test_map_that_is_not_cubic_keeps_its_centre():
    data = np.zeros((20, 26, 31), np.float32)
    data[8:13, 11:16, 13:18] = 1  # about voxel n // 2 of each axis: 10, 13, 15
    density = density_from_map(Volume(data, 10.0), 10.0)
    assert len(set(density.shape)) == 1
    assert _centre_of_mass(density) == pytest.approx([0, 0, 0], abs=1e-3)


def test_flat_map_is_refused():
    with pytest.raises(DataError, match="nowhere brighter"):
        density_from_map(Volume(np.ones((8, 8, 8), np.float32), 10.0), 10.0)


def test_real_map(shared_data):
    # PDB 4CR2, the 26S proteasome: about 2 MDa
    volume = read_volume(shared_data / "templates_polnet" / "mrcs_10A" / "4cr2.mrc.gz")
    density = density_from_map(volume, 10.0)
    assert density.sum() * 1000 == pytest.approx(2.0e6, rel=0.25)
    assert len(density) < max(volume.shape)  # empty borders are cut


@pytest.mark.parametrize("pixel_size", [5.0, 10.0])
def test_gold(pixel_size):
    # a ball 100 Å across has 523599 Å³; 19.3 g/cm³ are 11.62 Da/Å³
    bead = gold_bead(100.0, pixel_size)
    assert bead.sum() * pixel_size**3 == pytest.approx(11.62 * 523599, rel=1e-4)
    assert _centre_of_mass(bead) == pytest.approx([0, 0, 0], abs=1e-4)
    assert particle_radius(bead) * pixel_size == pytest.approx(50, abs=pixel_size)


def test_body_has_no_holes():
    shell = np.zeros((16, 16, 16), np.float32)
    shell[4:12, 4:12, 4:12] = 1
    shell[6:10, 6:10, 6:10] = 0
    assert body_mask(shell).sum() == 8**3
