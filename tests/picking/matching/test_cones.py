import numpy as np

from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.model import Volume
from subtomo.picking.matching.cones import cone_patches, normals_near
from subtomo.picking.matching.tiling import Tile
from subtomo.picking.surfaces.surface import Surface

PX = 10.0


def plane(height):
    """A square at z = height, its normal up."""
    corners = [[0, 0, height], [400, 0, height], [400, 400, height], [0, 400, height]]
    return Surface(np.array(corners, dtype=float), np.array([[0, 1, 2], [0, 2, 3]]))


def test_positions_near_a_plane_by_hand():
    volume = Volume(np.zeros((40, 40, 40), np.float32), PX, (5.0, 0.0, 0.0))
    tile = Tile((3, 4, 5), (20, 11, 13), (48, 48, 48))
    index, normal = normals_near({"p": plane(104.0)}, volume, tile, 21.0)
    # heights 83 to 125 Å are z = 9 to 12 of the volume, 6 to 9 of the tile
    assert len(index) == 4 * 11 * 13
    assert set(index[:, 0]) == {6, 7, 8, 9}
    np.testing.assert_allclose(normal, np.broadcast_to([0, 0, 1], normal.shape), atol=1e-9)
    far, _ = normals_near({"p": plane(1000.0)}, volume, tile, 21.0)
    assert not len(far)


def test_patches_hold_every_position_once_with_orientations_in_its_cone():
    rng = np.random.default_rng(0)
    normal = rng.normal(size=(300, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    index = np.argwhere(np.ones((5, 6, 10), bool))
    matrices = matrices_from_quaternions(orientation_grid(20.0, "C1"))
    patches = cone_patches(
        Tile((7, 8, 9), (5, 6, 10), (20, 20, 24)), index, normal, matrices, 40, 9
    )
    seen = np.zeros((5, 6, 10), int)
    for patch in patches:
        low = np.array(patch.tile.first) - (7, 8, 9)
        mine = np.argwhere(patch.counts) + low
        np.add.at(seen, tuple(mine.T), 1)
        rows = np.ravel_multi_index(tuple(mine.T), seen.shape)
        cosines = matrices[patch.rotations, :, 2] @ normal[rows].T
        # normals are rounded by a few degrees
        assert np.degrees(np.arccos(cosines.min())) < 40 + 8
        all_cosines = matrices[:, :, 2] @ normal[rows].T
        inside = np.flatnonzero((np.degrees(np.arccos(all_cosines)) < 40 - 8).all(axis=1))
        assert set(inside) <= set(patch.rotations)
        assert all(b >= c + 8 for b, c in zip(patch.tile.block, patch.tile.count, strict=True))
    assert (seen == 1).all()
    narrow = cone_patches(Tile((0, 0, 0), (5, 6, 10), (16,) * 3), index, normal, matrices, 1, 9)
    assert all(len(patch.rotations) for patch in narrow)
