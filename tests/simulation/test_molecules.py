"""Made-up molecules: their mass, volume and shape."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.spatial.transform import Rotation

from subtomo.errors import DataError, SettingsError, ShapeError
from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.geometry.symmetry import symmetry_quaternions
from subtomo.simulation.densities import body_mask, density_of_molecule
from subtomo.simulation.molecules import Molecule, double_ring_of, made_up_molecule, ring_of


@pytest.mark.parametrize("mass", [60, 900, 3000])
def test_mass_and_centre(mass):
    molecule = made_up_molecule(mass, 5)
    assert molecule.mass == pytest.approx(1000 * mass)
    assert np.allclose(molecule.masses @ molecule.positions, 0, atol=1e-6 * molecule.mass)


def test_mass_is_the_integral_of_the_density_at_any_pixel_size():
    molecule = made_up_molecule(500, 3)
    for pixel_size in (4.0, 7.5, 13.0):
        density = density_of_molecule(molecule, pixel_size)
        assert density.sum() * pixel_size**3 == pytest.approx(500e3, rel=2e-3)


@pytest.mark.parametrize("seed", [1, 2])
def test_volume_is_that_of_protein(seed):
    # 0.81 Da/Å³: 1000 kDa are 1.2346e6 Å³
    density = density_of_molecule(made_up_molecule(1000, seed), 5.0)
    assert body_mask(density).sum() * 5.0**3 == pytest.approx(1.2346e6, rel=0.25)


def test_same_seed_same_molecule():
    first, second = made_up_molecule(400, 8), made_up_molecule(400, 8)
    assert np.array_equal(first.positions, second.positions)
    assert np.array_equal(first.masses, second.masses)


def _coarse(molecule):
    """Density at 20 Å pixels in a box of 24, normalised."""
    density = density_of_molecule(molecule, 20.0)
    out = np.zeros((24, 24, 24))
    n = min(len(density), 24)
    inner, outer = len(density) // 2 - n // 2, 12 - n // 2
    cut = density[inner : inner + n, inner : inner + n, inner : inner + n]
    out[outer : outer + n, outer : outer + n, outer : outer + n] = cut
    return out


def _correlation(a, b):
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def _turned(volume, quaternion):
    # points are x, y, z, arrays z, y, x
    matrix = Rotation.from_quat(quaternion).as_matrix()[::-1, ::-1]
    offset = 12 - matrix @ np.full(3, 12)
    return ndimage.affine_transform(volume, matrix, offset=offset, order=1)


@pytest.mark.parametrize("seed", [101, 9101, 501])
@pytest.mark.slow
def test_asymmetric(seed):
    body = _coarse(made_up_molecule(3000, seed))
    turns = orientation_grid(40.0)
    angles = np.degrees(Rotation.from_quat(turns).magnitude())
    far = [_correlation(body, _turned(body, q)) for q in turns[angles > 45]]
    assert max(far) < 0.9
    # nor does a mirror image fit
    mirrored = body[:, :, ::-1]
    assert max(_correlation(mirrored, _turned(body, q)) for q in turns) < 0.9


def test_seeds_give_different_bodies():
    turns = orientation_grid(40.0)
    bodies = [_coarse(made_up_molecule(2000, seed)) for seed in (1, 2, 3)]
    for a, b in [(0, 1), (0, 2), (1, 2)]:
        best = max(_correlation(bodies[a], _turned(bodies[b], q)) for q in turns)
        assert best < 0.9


def _principal_lengths(molecule):
    spread = np.cov(molecule.positions.T, aweights=molecule.masses)
    return np.sqrt(np.linalg.eigvalsh(spread))


def test_elongation_makes_long_and_flat_bodies():
    seeds = range(20, 26)
    long, compact, flat = (
        np.mean([_principal_lengths(made_up_molecule(800, s, elongation=e)) for s in seeds], axis=0)
        for e in (4.0, 1.0, 0.25)
    )
    assert long[2] / long[1] > 1.25 * compact[2] / compact[1]
    assert flat[0] / flat[1] < compact[0] / compact[1]


@pytest.mark.parametrize(("mass", "elongation"), [(0, 1), (-3, 1), (100, 0)])
def test_refuses_what_is_not_positive(mass, elongation):
    with pytest.raises(SettingsError, match="more than 0"):
        made_up_molecule(mass, 0, elongation=elongation)


def test_molecule_checks_its_columns():
    with pytest.raises(ShapeError, match="3 masses"):
        Molecule(np.zeros((2, 3)), np.ones(3), np.ones(3))
    with pytest.raises(DataError, match="not finite"):
        Molecule(np.full((1, 3), np.nan), np.ones(1), np.ones(1))
    with pytest.raises(DataError, match="mass of 0"):
        Molecule(np.zeros((1, 3)), np.zeros(1), np.ones(1))


def test_a_ring_of_copies():
    one = made_up_molecule(60, 3)
    ring = ring_of(one, 5, 80.0)
    assert ring.mass == pytest.approx(300e3)
    assert ring.centred().positions == pytest.approx(ring.positions, abs=1e-6)
    angle = 2 * np.pi / 5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    copies = ring.positions.reshape(5, -1, 3)
    assert copies[0] == pytest.approx(one.positions + np.array([80, 0, 0]))
    for first, second in pairwise(copies):
        assert second[:, :2] == pytest.approx(first[:, :2] @ turn.T)
        assert second[:, 2] == pytest.approx(first[:, 2])


def test_two_rings_have_dihedral_symmetry():
    one = made_up_molecule(60, 3)
    body = double_ring_of(ring_of(one, 3, 50.0), 3, 40.0)
    assert body.mass == pytest.approx(360e3)
    matrices = matrices_from_quaternions(symmetry_quaternions("D3"))
    assert len(matrices) == 6
    tree = cKDTree(body.positions)
    for matrix in matrices:
        assert tree.query(body.positions @ matrix.T)[0].max() < 1e-6
    quarter = matrices_from_quaternions(symmetry_quaternions("C4"))[1]
    assert tree.query(body.positions @ quarter.T)[0].max() > 10
    weights = body.masses.reshape(6, -1, 1)
    copies = (weights * body.positions.reshape(6, -1, 3)).sum(axis=1) / weights.sum(axis=1)
    assert np.linalg.norm(copies[:, :2], axis=1) == pytest.approx(np.full(6, 50.0))
    assert copies[:, 2] == pytest.approx([40] * 3 + [-40] * 3)
    # over the gaps of the other: neighbours are as far apart as can be
    azimuths = np.sort(np.degrees(np.arctan2(copies[:, 1], copies[:, 0])) % 360)
    assert np.diff(azimuths) == pytest.approx(np.full(5, 60.0))
