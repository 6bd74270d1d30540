import numpy as np

from subtomo.picking.matching.peaks import find_peaks, suppress


def paraboloid(shape, centre, height=1.0):
    grids = np.meshgrid(*[np.arange(n) for n in shape], indexing="ij")
    r2 = sum((g - c) ** 2 for g, c in zip(grids, centre, strict=True))
    return (height - 0.01 * r2).astype(np.float32)


def everywhere(score):
    return np.ones(score.shape, dtype=bool)


def test_the_top_of_a_paraboloid_is_found_between_the_voxels():
    score = paraboloid((12, 14, 16), (5.3, 6.8, 8.1))
    peaks = find_peaks(score, everywhere(score), min_distance_px=3, at_most=5)
    assert len(peaks) == 1
    np.testing.assert_allclose((peaks.voxel + peaks.offset)[0], (5.3, 6.8, 8.1), atol=1e-3)


def test_lower_peaks_closer_than_the_distance_are_dropped():
    score = np.zeros((5, 5, 30), np.float32)
    for x, value in ((3, 5), (7, 4), (9, 3), (20, 2)):
        score[2, 2, x] = value
    near = find_peaks(score, everywhere(score), min_distance_px=5, at_most=9)
    # 7 gives way to 3; 9 is 6 from 3, and what dropped 7 does not drop 9
    assert near.voxel[:, 2].tolist() == [3, 9, 20]
    assert near.height.tolist() == [5, 3, 2]
    wide = find_peaks(score, everywhere(score), min_distance_px=4, at_most=9)
    assert wide.voxel[:, 2].tolist() == [3, 7, 20]


def test_no_more_peaks_than_asked_for_and_none_below_the_limit():
    score = np.zeros((3, 3, 40), np.float32)
    score[1, 1, 4::8] = [5, 1, 4, 2, 3]
    found = find_peaks(score, everywhere(score), min_distance_px=2, at_most=3)
    assert found.height.tolist() == [5, 4, 3]
    assert len(find_peaks(score, everywhere(score), min_distance_px=2, at_most=9, above=2.5)) == 3


def test_what_was_not_searched_is_neither_peak_nor_neighbour():
    score = paraboloid((9, 9, 9), (4.2, 4.0, 4.0))
    searched = everywhere(score)
    searched[5] = False
    score[5] = 99
    peaks = find_peaks(score, searched, min_distance_px=4, at_most=5)
    assert peaks.voxel.tolist() == [[4, 4, 4]]
    assert peaks.offset[0, 0] == 0


def test_slabs_do_not_show(monkeypatch):
    score = np.random.default_rng(0).normal(size=(30, 20, 20)).astype(np.float32)
    whole = find_peaks(score, everywhere(score), min_distance_px=3, at_most=500)
    monkeypatch.setattr("subtomo.picking.matching.peaks._SLAB_VOXELS", 1300)
    slabs = find_peaks(score, everywhere(score), min_distance_px=3, at_most=500)
    np.testing.assert_array_equal(whole.voxel, slabs.voxel)


def test_suppression_without_a_distance_keeps_all():
    assert suppress(np.zeros((4, 3)), 0.0).tolist() == [0, 1, 2, 3]
