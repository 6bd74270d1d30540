import numpy as np
import pytest

from subtomo.errors import DataError, ShapeError
from subtomo.formats.volumes import read_volume
from subtomo.model import Volume
from subtomo.picking.matching.template import prepare_template
from subtomo.signal.masks import soft_sphere


def ball(n=32, radius=8.0, pixel_size=5.0):
    return Volume(soft_sphere((n,) * 3, radius).numpy(), pixel_size)


def test_the_diameter_of_a_ball_is_found():
    template = prepare_template(ball(radius=8.0), "ball", pixel_size=5.0)
    assert template.diameter == pytest.approx(1.1 * (2 * 8 * 5 + 5), abs=5)


def test_the_box_holds_the_mask_and_no_more():
    template = prepare_template(ball(), "ball", pixel_size=10.0, diameter=80.0, mask_edge=20.0)
    faces = template.mask.copy()
    faces[1:-1, 1:-1, 1:-1] = 0
    assert faces.max() == 0
    assert template.box % 2 == 0
    assert template.box <= 80 / 10 + 2 * 20 / 10 + 3
    centre = template.box // 2
    assert template.mask[centre, centre, centre + 4] == 1
    assert 0 < template.mask[centre, centre, centre + 5] < 1


def test_the_background_is_taken_off_and_the_contrast_turned():
    dark = ball().with_data(100 - 30 * ball().data)
    template = prepare_template(dark, "ball", pixel_size=5.0, invert=True)
    bright = prepare_template(ball(), "ball", pixel_size=5.0)
    np.testing.assert_allclose(template.density, 30 * bright.density, atol=1e-4)
    assert template.diameter == bright.diameter


def test_tubulin_resampled_to_twice_its_pixel_keeps_its_mass(shared_data):
    tubulin = read_volume(shared_data / "cylindra_microtubules" / "beta-tubulin.mrc")
    coarse = prepare_template(tubulin, "tubulin", pixel_size=10.52)
    fine = prepare_template(tubulin, "tubulin", pixel_size=tubulin.pixel_size)
    mass = [t.density.sum() * size**3 for t, size in ((coarse, 10.52), (fine, tubulin.pixel_size))]
    assert mass[0] == pytest.approx(mass[1], rel=0.02)
    assert coarse.diameter == fine.diameter
    assert 50 < coarse.diameter < 100  # Å; a monomer of 50 kDa


def test_a_given_mask_comes_along():
    mask = ball(radius=6.0)
    template = prepare_template(ball(), "ball", pixel_size=10.0, mask=mask)
    assert not template.is_spherical
    assert template.mask.shape == template.density.shape == (16, 16, 16)
    # the sharp edge rings on the coarser grid and is cut off at 0 and 1
    assert template.mask.sum() * 8 == pytest.approx(mask.data.sum(), rel=0.1)


def test_a_mask_of_another_grid_is_refused():
    with pytest.raises(ShapeError, match="one grid"):
        prepare_template(ball(), "ball", pixel_size=5.0, mask=ball(n=30))


def test_a_flat_density_is_refused():
    flat = Volume(np.ones((16, 16, 16), np.float32), 5.0)
    with pytest.raises(DataError, match="template flat is nowhere brighter than at the faces"):
        prepare_template(flat, "flat", pixel_size=5.0)
    with pytest.raises(DataError, match="flat under its mask"):
        prepare_template(flat, "flat", pixel_size=5.0, diameter=40.0)


def test_values_whose_squares_overflow_are_refused():
    with pytest.raises(DataError, match=r"values up to 1e\+30; expected at most 1e\+15"):
        prepare_template(ball().with_data(1e30 * ball().data), "vast", pixel_size=5.0)


def test_nan_in_the_density_is_refused():
    data = ball().data.copy()
    data[3, 4, 5] = np.nan
    with pytest.raises(DataError, match="1 voxels are NaN"):
        prepare_template(Volume(data, 5.0), "broken", pixel_size=5.0)
