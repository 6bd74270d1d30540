import numpy as np

from subtomo.picking.matching.background import correct_background, without_structure
from subtomo.picking.matching.template import Template


def test_the_background_is_taken_off_beyond_its_mean_by_hand():
    score = np.array([[[0.5, 0.6, 0.0]]], np.float32)
    background = np.array([[[0.1, 0.5, 9.0]]], np.float32)
    found = correct_background(score, background, np.array([[[True, True, False]]]))
    # the mean of what was searched is 0.3; the last stays
    np.testing.assert_allclose(found, [[[0.7, 0.4, 0.0]]], atol=1e-6)
    nowhere = np.zeros((1, 1, 3), bool)
    np.testing.assert_array_equal(correct_background(score, background, nowhere), score)


def test_the_template_keeps_its_power_and_loses_its_structure():
    rng = np.random.default_rng(0)
    # zero at its faces, so that their taper changes little
    density = np.pad(rng.normal(size=(8, 8, 8)), 8).astype(np.float32)
    template = Template("t", density, np.ones((24,) * 3, np.float32), True, 100.0, "C3")
    other = without_structure(template, 1)
    power = [np.abs(np.fft.fftn(d))[:, :, 1:] for d in (density - density.mean(), other.density)]
    np.testing.assert_allclose(*power, rtol=0.05, atol=0.5)
    assert abs(np.corrcoef(density.ravel(), other.density.ravel())[0, 1]) < 0.1
    assert (other.symmetry, other.mask is template.mask) == ("C3", True)
    again, another = without_structure(template, 1), without_structure(template, 2)
    np.testing.assert_array_equal(other.density, again.density)
    assert not np.array_equal(other.density, another.density)
