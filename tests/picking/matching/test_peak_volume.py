import numpy as np

from subtomo.picking.matching.peak_volume import peak_volumes


def test_volumes_of_connected_voxels_by_hand():
    score = np.zeros((5, 6, 7), np.float32)
    score[1, 1, 1:4] = 0.5
    score[1, 2, 4] = 0.9  # touches by an edge only
    score[3, 4, 5] = 0.3
    voxels = np.array([[1, 1, 1], [1, 1, 3], [1, 2, 4], [3, 4, 5], [0, 0, 0]])
    assert peak_volumes(score, 0.4, voxels, 10.0).tolist() == [3000, 3000, 1000, 0, 0]
    assert peak_volumes(score, 0.2, voxels, 10.0)[3] == 1000
    assert peak_volumes(score, 0.4, voxels[:0], 10.0).shape == (0,)
