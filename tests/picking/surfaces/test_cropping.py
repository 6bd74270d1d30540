import numpy as np
import pytest
from scipy.spatial import cKDTree
from surface_truths import VOXEL, half_cylinder, saddle, vesicle

from subtomo.errors import SettingsError
from subtomo.picking.surfaces import Surface, crop_points, surface_from_levels
from subtomo.picking.surfaces.cropping import median_spacing

SIZES = {"control_interval": 25 * VOXEL, "mesh_parameter": 20 * VOXEL, "subdivisions": 0}
EMPTY = Surface(np.empty((0, 3)), np.empty((0, 3), dtype=int))


@pytest.mark.parametrize("truth", [half_cylinder(), saddle(), vesicle()], ids=lambda t: t.name)
@pytest.mark.parametrize("spacing", [90.0, 250.0])
def test_neighbours_are_as_far_apart_as_asked(truth, spacing):
    surface = surface_from_levels(truth.clicks, truth.levels, **SIZES)
    positions, normals = crop_points(surface, spacing)
    assert median_spacing(positions) == pytest.approx(spacing, rel=0.05)
    nearest = cKDTree(positions).query(positions, k=2)[0][:, 1]
    assert nearest.min() > 0.6 * spacing
    assert surface.closest(positions).distance.max() < 1e-6
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)
    # No hole: every vertex has a point near it.
    assert cKDTree(positions).query(surface.vertices)[0].max() < 1.3 * spacing


def test_triangles_of_any_size_have_their_share():
    # A square, one half of which is one triangle and the other a hundred small ones.
    n = 10
    u, v = np.meshgrid(np.linspace(0, 1, n + 1), np.linspace(0, 1, n + 1))
    grid = np.stack([u.ravel(), (u * v).ravel(), 0 * u.ravel()], axis=1) * 1000
    cells = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    fine = np.concatenate(
        [
            np.stack([cells, cells + 1, cells + n + 2], axis=1),
            np.stack([cells, cells + n + 2, cells + n + 1], axis=1),
        ]
    )
    vertices = np.concatenate([grid, [[0, 0, 0], [1000, 1000, 0], [0, 1000, 0]]])
    faces = np.concatenate([fine, [[len(grid), len(grid) + 1, len(grid) + 2]]])
    positions, _ = crop_points(Surface(vertices, faces), 60.0)
    below = positions[:, 1] < positions[:, 0]
    assert below.mean() == pytest.approx(0.5, abs=0.05)


def test_the_same_surface_gives_the_same_points():
    truth = saddle()
    surface = surface_from_levels(truth.clicks, truth.levels, **SIZES)
    np.testing.assert_array_equal(crop_points(surface, 120)[0], crop_points(surface, 120)[0])


def test_a_spacing_beyond_the_surface_gives_one_point():
    positions, normals = crop_points(Surface(np.eye(3), [[0, 1, 2]]), 50.0)
    assert positions.shape == normals.shape == (1, 3)
    assert crop_points(EMPTY, 50.0)[0].shape == (0, 3)


def test_wrong_spacings_are_named():
    surface = Surface(1e5 * np.eye(3), [[0, 1, 2]])
    for wrong in (0.0, -3.0, np.nan):
        with pytest.raises(SettingsError, match="cropping_parameter"):
            crop_points(surface, wrong)
    with pytest.raises(SettingsError, match="at most 50000: enlarge it"):
        crop_points(surface, 1.0)
    assert np.isnan(median_spacing(np.zeros((1, 3))))
