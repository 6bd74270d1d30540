"""Where the whole command searches."""

import numpy as np
import pytest
from matched import PX, SHAPE, STEP, TURNS, density, match, noise, places, planted, voxels

from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Volume
from subtomo.picking.matching.inputs import Search
from subtomo.picking.surfaces.surface import Surface


@pytest.mark.slow
def test_the_region_of_interest_bounds_the_search(world):
    folder, _ = world
    region = np.zeros(SHAPE, np.float32)
    region[:, :20] = 1
    write_volume(folder / "region.mrc", Volume(region, PX))
    assert voxels(match(folder, roi=folder / "region.mrc")) == places([0, 1])
    holed = region.copy()
    holed[3:14, 4:15, 5:16] = 0  # round the first place; z, y, x
    write_volume(folder / "holed.mrc", Volume(holed, PX))
    assert voxels(match(folder, "holed", roi=folder / "holed.mrc")) == places([1])
    (folder / "regions").mkdir()
    write_volume(folder / "regions/tomo.mrc", Volume(1 - region, PX))
    assert voxels(match(folder, "folder", roi=folder / "regions")) == places([2, 3])


def test_particles_at_the_faces_are_found_with_padding_only(tmp_path):
    volume = noise()
    at_faces = np.array([[1, 20, 20], [30, 38, 20]])
    planted(volume, density(), at_faces, TURNS[:2])
    write_volume(tmp_path / "tomo.mrc", Volume(volume, PX))
    write_volume(tmp_path / "lump.mrc", Volume(density(), PX))
    assert len(match(tmp_path, threshold=7.0)) == 0
    picks = match(tmp_path, "padded", pad_edges=True, threshold=7.0)
    assert len(picks) == 2
    for place in at_faces * PX:
        assert np.linalg.norm(picks.position - place, axis=1).min() < 1.5 * PX


def test_near_a_surface_only_its_cone_is_searched(tmp_path):
    """Particles on a flat membrane at z = 180 Å: two upright, one upside down, one far off."""
    volume = noise()
    grid = orientation_grid(STEP, "C1")
    heights = matrices_from_quaternions(grid)[:, 2, 2]
    turns = [*np.flatnonzero(heights > 0.8)[:2], *np.flatnonzero(heights < -0.8)[:1]]
    turns.append(turns[0])
    where = np.array([[10, 9, 18], [30, 12, 18], [14, 29, 18], [33, 30, 8]])
    planted(volume, density(), where, turns)
    write_volume(tmp_path / "tomo.mrc", Volume(volume, PX))
    write_volume(tmp_path / "lump.mrc", Volume(density(), PX))
    corners = [[-50.0, -50, 180], [500, -50, 180], [500, 500, 180], [-50, 500, 180]]
    flat = Surface(np.array(corners), np.array([[0, 1, 2], [0, 2, 3]]))
    options = {"surface": [tmp_path / "models.json"], "surface_distance": 40.0, "threshold": 7.0}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Search, "surfaces", {"membrane": flat})
        (tmp_path / "models.json").write_text("{}")
        upright = match(tmp_path, cone=60.0, **options)
        every = match(tmp_path, "every", cone=180.0, **options)
    at = {tuple(place) for place in where.tolist()}
    assert {tuple(v) for v in voxels(upright)} == {(10, 9, 18), (30, 12, 18)}
    assert {tuple(v) for v in voxels(every)} == at - {(33, 30, 8)}
    assert (matrices_from_quaternions(upright.orientation)[:, 2, 2] > 0.8).all()
    searched = read_volume(tmp_path / "every/scores/tomo_lump_orientation.mrc").data >= 0
    assert set(np.flatnonzero(searched.any(axis=(1, 2)))) == set(range(14, 23))
