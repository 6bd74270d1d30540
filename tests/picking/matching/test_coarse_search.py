"""The search from coarse to fine against the exhaustive one."""

import numpy as np
import pytest
import torch

from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.picking.matching import coarse_search
from subtomo.picking.matching.coarse_search import search_coarse_to_fine
from subtomo.picking.matching.peaks import find_peaks
from subtomo.picking.matching.search import search_block
from subtomo.picking.matching.template import Template
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes
from subtomo.signal.wedge import missing_wedge

BOX, SHAPE = 20, (38, 44, 40)
PLACES = np.array([[2, 3, 4], [13, 20, 3], [16, 8, 17]])


@pytest.fixture(autouse=True)
def _coarse_however_little_there_is(monkeypatch):
    monkeypatch.setattr(coarse_search, "_LEAST_WORK", 0)


def lumpy_template(*, spherical=True):
    rng = np.random.default_rng(3)
    smooth = bandpass((BOX,) * 3, 1.0, low_pass=6.0)
    rough = apply_filter(torch.from_numpy(rng.normal(size=(BOX,) * 3)).float(), smooth)
    ball = soft_sphere((BOX,) * 3, 6.0, 2.0)
    density = ((rough / rough.std() + 0.5) * ball).numpy()
    mask = soft_sphere((BOX,) * 3, 7.0, 2.0).numpy()
    if not spherical:
        mask = np.minimum(mask, mask[::-1] * np.linspace(0, 2, BOX, dtype=np.float32)).clip(0, 1)
    return Template("lumps", density, mask, spherical, 12.0)


def planted(template, matrices, *, noise, seed=0):
    rng = np.random.default_rng(seed)
    volume = rng.normal(scale=noise, size=SHAPE).astype(np.float32)
    turns = matrices[rng.integers(0, len(matrices), len(PLACES))]
    turned = rotate_volumes(
        torch.from_numpy(template.density), torch.from_numpy(turns).float(), oversampling=2
    )
    for place, one in zip(PLACES, turned.numpy(), strict=True):
        volume[tuple(slice(a, a + BOX) for a in place)] += one
    return volume


@pytest.mark.parametrize("spherical", [True, False])
def test_peaks_scores_and_statistics_are_those_of_the_exhaustive_search(spherical):
    template = lumpy_template(spherical=spherical)
    matrices = matrices_from_quaternions(orientation_grid(40.0))[:120]
    transfer = missing_wedge((BOX,) * 3, (-60.0, 60.0))
    block = planted(template, matrices, noise=1.5)
    whole = search_block(block, template, matrices, transfer=transfer)
    found = search_coarse_to_fine(block, template, matrices, transfer=transfer)
    assert 0 < found.exact.mean() < 0.5
    assert whole.exact.all()
    np.testing.assert_array_less(found.score[found.exact], whole.score[found.exact] + 1e-5)
    # the three that are there
    expected = find_peaks(whole.score, whole.exact, min_distance_px=6, at_most=3)
    peaks = find_peaks(found.score, found.exact, min_distance_px=6, at_most=3)
    np.testing.assert_array_equal(peaks.voxel, expected.voxel)
    np.testing.assert_allclose(peaks.height, expected.height, atol=2e-5)
    voxels = tuple(expected.voxel.T)
    np.testing.assert_array_equal(found.index[voxels], whole.index[voxels])
    assert found.n_scores == whole.n_scores
    deviation, sampled = (
        np.sqrt(r.total_squares / r.n_scores - (r.total / r.n_scores) ** 2) for r in (whole, found)
    )
    assert sampled == pytest.approx(deviation, rel=0.03)  # 15 360 of a million scores
    assert found.total / found.n_scores == pytest.approx(
        whole.total / whole.n_scores, abs=0.03 * deviation
    )
    assert np.corrcoef(found.score.ravel(), whole.score.ravel())[0, 1] > 0.8


def test_what_is_not_searched_has_no_score():
    template = lumpy_template()
    matrices = matrices_from_quaternions(orientation_grid(40.0))[:120]
    block = planted(template, matrices, noise=1.0)
    searched = np.zeros([n - BOX + 1 for n in SHAPE], dtype=bool)
    searched[10:, 5:, 2:] = True
    found = search_coarse_to_fine(block, template, matrices, searched=searched)
    assert (found.score[~searched] == 0).all()
    assert (found.index[~searched] == -1).all()
    assert not found.exact[~searched].any()
    assert (found.index[searched] >= 0).all()
    assert found.n_scores == searched.sum() * len(matrices)
    assert found.exact[tuple(PLACES[1])]


def test_other_positions_are_scored_exactly_where_asked():
    template = lumpy_template()
    matrices = matrices_from_quaternions(orientation_grid(40.0))[:120]
    block = planted(template, matrices, noise=1.0)
    also = np.zeros([n - BOX + 1 for n in SHAPE], dtype=bool)
    also[5, 5:15, 5:15] = True
    whole = search_block(block, template, matrices)
    without = search_coarse_to_fine(block, template, matrices)
    found = search_coarse_to_fine(block, template, matrices, also=also)
    assert not without.exact[also].all()
    assert found.exact[also].all()
    np.testing.assert_allclose(found.score[also], whole.score[also], atol=2e-3)


def test_a_template_of_fine_detail_is_searched_exhaustively():
    rng = np.random.default_rng(1)
    mask = soft_sphere((BOX,) * 3, 7.0, 2.0).numpy()
    sharp = rng.normal(size=(BOX,) * 3).astype(np.float32) * mask
    template = Template("sharp", sharp, mask, True, 12.0)
    matrices = matrices_from_quaternions(orientation_grid(40.0))[:100]
    block = rng.normal(size=(26, 26, 26)).astype(np.float32)
    # white noise and a white template: nothing is left on a coarser grid
    assert search_coarse_to_fine(block, template, matrices).exact.all()


def test_few_rotations_or_little_work_are_searched_exhaustively(monkeypatch):
    template = lumpy_template()
    matrices = matrices_from_quaternions(orientation_grid(40.0))
    block = planted(template, matrices, noise=1.0)
    assert search_coarse_to_fine(block, template, matrices[:99]).exact.all()
    monkeypatch.setattr(coarse_search, "_LEAST_WORK", block.size * 120 + 1)
    assert search_coarse_to_fine(block, template, matrices[:120]).exact.all()
