import numpy as np

from subtomo.model import Volume
from subtomo.picking.surfaces import surfaces_from_segmentation
from subtomo.picking.surfaces.surface import unit_vectors


def test_normals_of_both_faces_of_a_thin_shell_of_voxels_are_right():
    """A shell 4 voxels thick of radius 20: without the mean they are wrong by 22° at worst."""
    centre = np.array([25.3, 24.8, 25.1])
    away = np.moveaxis(np.indices((50, 50, 50)), 0, -1)[..., ::-1] - centre
    shell = np.abs(np.linalg.norm(away, axis=-1) - 18) <= 2
    surface = surfaces_from_segmentation(Volume(shell.astype(np.int8), 10.0), smoothing=10.0)[1]
    radial = unit_vectors(surface.vertices / 10 - centre)
    is_outer = np.linalg.norm(surface.vertices / 10 - centre, axis=1) > 18
    outward = np.where(is_outer[:, None], radial, -radial)
    angle = np.degrees(np.arccos(np.clip((surface.normals * outward).sum(axis=1), -1, 1)))
    assert np.median(angle) < 1
    assert angle.max() < 4
