import numpy as np
import pytest
import torch

from subtomo.errors import ShapeError
from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.picking.matching.search import search_block
from subtomo.picking.matching.template import Template
from subtomo.signal.correlation import local_normalised_correlation
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes
from subtomo.signal.wedge import missing_wedge

BOX = 12


def lumpy_template(*, spherical=True, box=BOX, seed=1):
    rng = np.random.default_rng(seed)
    smooth = bandpass((box,) * 3, 1.0, low_pass=4.0)
    density = apply_filter(torch.from_numpy(rng.normal(size=(box,) * 3)).float(), smooth)
    density = (density * soft_sphere((box,) * 3, box / 2 - 3, 2.0)).numpy()
    mask = soft_sphere((box,) * 3, box / 2 - 3, 2.0).numpy()
    if not spherical:
        mask = mask.copy()
        mask[: box // 2 - 1] = 0
    return Template("lumps", density, mask, spherical, 8.0)


def rotations(n):
    return matrices_from_quaternions(orientation_grid(40.0))[:n]


def reference_scores(block, template, matrices, transfer):
    """Roseman's score of every rotation by the plain double-precision implementation."""
    turns = torch.from_numpy(matrices).float()
    density = rotate_volumes(torch.from_numpy(template.density), turns, oversampling=2)
    masks = rotate_volumes(torch.from_numpy(template.mask), turns, oversampling=2).clamp(0, 1)
    box = template.box
    centre = box // 2
    sphere = soft_sphere((box,) * 3, min(centre, box - 1 - centre))  # what fits in the box
    scores = []
    for one, mask in zip(density, masks, strict=True):
        one = one * sphere
        if transfer is not None:
            one = apply_filter(one, transfer)
        mask = torch.from_numpy(template.mask) if template.is_spherical else mask * sphere
        scores.append(
            local_normalised_correlation(torch.from_numpy(block).double(), one.double(), mask)
        )
    inner = tuple(slice(centre, n - box + 1 + centre) for n in block.shape)
    return torch.stack(scores)[(slice(None), *inner)].numpy()


@pytest.mark.parametrize("spherical", [True, False])
@pytest.mark.parametrize("wedge", [True, False])
def test_scores_are_those_of_the_plain_implementation(spherical, wedge):
    rng = np.random.default_rng(0)
    block = (rng.normal(size=(20, 23, 27)) * 3 + 100).astype(np.float32)
    template = lumpy_template(spherical=spherical)
    transfer = missing_wedge((BOX,) * 3, np.arange(-60, 61, 3)) if wedge else None
    matrices = rotations(7)  # odd: the last pair is half empty
    found = search_block(block, template, matrices, transfer=transfer)
    expected = reference_scores(block, template, matrices, transfer)
    assert found.score.shape == expected.shape[1:]
    # float32 against float64: rounding of sums over 12³ voxels
    np.testing.assert_allclose(found.score, expected.max(axis=0), atol=2e-5)
    assert (found.index == expected.argmax(axis=0)).mean() > 0.999
    assert found.n_scores == expected.size
    assert found.total == pytest.approx(expected.sum(), abs=0.05)
    assert found.total_squares == pytest.approx((expected**2).sum(), rel=1e-4)


def test_a_planted_particle_is_found_with_its_orientation():
    matrices = rotations(40)
    template = lumpy_template()
    block = np.random.default_rng(2).normal(size=(30, 34, 36)).astype(np.float32) * 0.02
    turn = torch.from_numpy(matrices[17:18]).float()
    turned = rotate_volumes(torch.from_numpy(template.density), turn, oversampling=2)[0].numpy()
    block[5 : 5 + BOX, 9 : 9 + BOX, 14 : 14 + BOX] += turned
    found = search_block(block, template, matrices)
    assert np.unravel_index(found.score.argmax(), found.score.shape) == (5, 9, 14)
    assert found.index[5, 9, 14] == 17
    assert found.score[5, 9, 14] > 0.95


def test_positions_that_do_not_count_have_no_score_and_no_share_in_the_sums():
    block = np.random.default_rng(3).normal(size=(16, 16, 18)).astype(np.float32)
    searched = np.zeros((5, 5, 7), dtype=bool)
    searched[1:3, 2:4, 3:6] = True
    template, matrices = lumpy_template(), rotations(4)
    everywhere = search_block(block, template, matrices)
    some = search_block(block, template, matrices, searched=searched)
    assert (some.score[~searched] == 0).all()
    assert (some.index[~searched] == -1).all()
    np.testing.assert_array_equal(some.score[searched], everywhere.score[searched])
    assert some.n_scores == searched.sum() * 4


def test_flat_regions_are_not_scored():
    block = np.random.default_rng(4).normal(size=(16, 16, 40)).astype(np.float32)
    block[:, :, 14:] = 5.0
    found = search_block(block, lumpy_template(), rotations(4))
    assert (found.index[:, :, 14:] == -1).all()
    assert (found.index[:, :, :8] >= 0).all()


def test_a_template_larger_than_the_block_is_refused():
    block = np.zeros((10, 30, 30), dtype=np.float32)
    with pytest.raises(ShapeError, match="12 voxels wide"):
        search_block(block, lumpy_template(), rotations(1))
