"""What follows half maps: masks, curves, sharpened maps, their files and the report."""

import csv
from functools import lru_cache

import mrcfile
import numpy as np
import pytest
import torch

from subtomo.averaging.box import Box
from subtomo.averaging.given_mask import given_mask
from subtomo.averaging.reconstruction.postprocess import postprocess, write_postprocessed
from subtomo.averaging.reconstruction.postprocess_settings import PostprocessOptions
from subtomo.errors import DataError, ShapeError
from subtomo.formats.relion_stack import write_relion_volume
from subtomo.signal.filters import apply_filter
from subtomo.signal.fourier import frequency_radius
from subtomo.signal.masks import soft_sphere

N, PIXEL, B = 32, 2.0, 120.0
SHAPE = (N, N, N)
BOX = Box(N, PIXEL)
QUICK = PostprocessOptions(local_resolution=False, guinier_from=10.0)


@lru_cache
def maps():
    """Half maps of a blurred ball of detail and noise, and their mean."""
    draws = [torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed)) for seed in range(3)]
    truth = (2 * draws[0] + 1) * soft_sphere(SHAPE, 8, 3)
    blurred = apply_filter(truth, torch.exp(-B / 4 * frequency_radius(SHAPE, PIXEL) ** 2))
    halves = [blurred + 0.2 * draw for draw in draws[1:]]
    return halves[0], halves[1], (halves[0] + halves[1]) / 2


def test_the_b_factor_is_found_and_taken_off():
    result = postprocess(*maps(), PIXEL, QUICK)
    assert result.b_factor == pytest.approx(-B, rel=0.1)
    assert result.low_pass == pytest.approx(result.found.resolution)
    radius = frequency_radius(SHAPE, PIXEL)
    fine = (radius > 0.15) & (radius < 1 / result.low_pass - 0.03)
    raised = [torch.fft.rfftn(one)[fine].abs().mean() for one in (result.sharpened, maps()[2])]
    middle = float(radius[fine].mean())
    assert float(raised[0] / raised[1]) == pytest.approx(np.exp(B / 4 * middle**2), rel=0.15)


def test_options_act():
    plain = postprocess(*maps(), PIXEL, QUICK)
    for name, value in (("b_factor", 0.0), ("low_pass", 12.0), ("guinier_from", 7.0)):
        other = postprocess(*maps(), PIXEL, QUICK.model_copy(update={name: value}))
        change = (other.sharpened - plain.sharpened).abs().max()
        assert change > 0.02 * plain.sharpened.std(), name
    assert plain.local is None
    local = {
        (window, threshold): postprocess(
            *maps(),
            PIXEL,
            PostprocessOptions(b_factor=0, local_window=window, local_threshold=threshold),
        ).local.resolution
        for window, threshold in ((None, 0.5), (30.0, 0.5), (None, 0.9))
    }
    first, narrow, strict = local.values()
    assert not torch.equal(first, narrow)
    assert strict[16, 16, 16] > first[16, 16, 16]


def test_a_map_too_coarse_for_a_guinier_plot_is_not_sharpened():
    options = QUICK.model_copy(update={"guinier_from": 4.1})
    result = postprocess(*maps(), PIXEL, options)
    assert result.guinier.b_factor is None
    assert result.b_factor == 0


def test_the_mask_that_is_made_holds_the_density():
    mask = postprocess(*maps(), PIXEL, QUICK).found.mask
    assert mask[soft_sphere(SHAPE, 8, 0) > 0.5].min() > 0.9
    assert mask[0].max() < mask.max() / 2
    assert mask.mean() < 0.5


def test_masks_that_are_given(tmp_path):
    sphere = given_mask(PostprocessOptions(mask_diameter=36.0), BOX)
    assert sphere[16, 16, 16 + 9] == 1
    assert sphere[16, 16, 16 + 14] == 0
    write_relion_volume(tmp_path / "mask.mrc", sphere.numpy(), PIXEL)
    read = given_mask(PostprocessOptions(mask=tmp_path / "mask.mrc"), BOX)
    assert torch.equal(read, sphere)
    assert given_mask(PostprocessOptions(), BOX) is None
    result = postprocess(*maps(), PIXEL, QUICK, sphere)
    assert torch.equal(result.found.mask, sphere)


def test_masks_that_do_not_fit_are_refused(tmp_path):
    write_relion_volume(tmp_path / "small.mrc", np.ones((8, 8, 8), np.float32), PIXEL)
    write_relion_volume(tmp_path / "coarse.mrc", np.ones(SHAPE, np.float32), 4.0)
    write_relion_volume(tmp_path / "high.mrc", np.full(SHAPE, 3, np.float32), PIXEL)
    for name, error, message in (
        ("small", ShapeError, "8 x 8 x 8 voxels of 2 Å for maps of 32"),
        ("coarse", ShapeError, "of 4 Å for maps of 32 voxels of 2 Å"),
        ("high", DataError, "values from 3 to 3; expected 0 to 1"),
    ):
        with pytest.raises(error, match=message):
            given_mask(PostprocessOptions(mask=tmp_path / f"{name}.mrc"), BOX)


def test_files_hold_what_was_found(tmp_path):
    options = QUICK.model_copy(update={"local_resolution": True})
    result = postprocess(*maps(), PIXEL, options)
    write_postprocessed(tmp_path, result, PIXEL)
    with mrcfile.open(tmp_path / "postprocess_masked.mrc") as file:
        np.testing.assert_allclose(file.data, result.sharpened * result.found.mask, rtol=1e-6)
        assert file.voxel_size.x == pytest.approx(PIXEL)
    with mrcfile.open(tmp_path / "locres.mrc") as file:
        np.testing.assert_allclose(file.data, result.local.resolution, rtol=1e-6)
        assert 4.0 <= file.data.min() <= file.data.max() <= N * PIXEL
    rows = list(csv.DictReader((tmp_path / "guinier.csv").read_text().splitlines()))
    assert len(rows) == N // 2
    assert float(rows[9]["resolution"]) == pytest.approx(N * PIXEL / 10, abs=1e-3)
    assert float(rows[9]["ln_amplitude"]) == pytest.approx(result.guinier.measured[10], abs=1e-4)
    assert (tmp_path / "fsc.csv").read_text().startswith("frequency,resolution,unmasked,masked")
