import numpy as np
import pytest
import torch

from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.picking.matching.template import Template
from subtomo.picking.matching.variants import (
    Comparison,
    compare_contrasts,
    compare_hands,
    mirrored,
)
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes

BOX = 16


def chiral():
    """Four balls at no plane's mirror places."""
    z, y, x = np.indices((BOX,) * 3) - BOX // 2
    density = np.zeros((BOX,) * 3, np.float32)
    for a, b, c, size in ((0, 0, 0, 2), (3.5, 0, 0, 1.6), (0, 3.5, 0, 1.3), (0, 0, 3.5, 1.0)):
        density += np.exp(-((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) / (2 * size**2) * 2)
    mask = soft_sphere((BOX,) * 3, 6.0, 1.0).numpy()
    return Template("four", density, mask, True, 120.0)


def blocks_of(template, n=8, sd=0.05):
    rng = np.random.default_rng(3)
    turns = orientation_grid(40.0, "C1")[rng.integers(0, 200, n)]
    matrices = torch.from_numpy(matrices_from_quaternions(turns)).float()
    turned = rotate_volumes(torch.from_numpy(template.density), matrices).numpy()
    padded = np.pad(turned, [(0, 0), *[(1, 1)] * 3])
    return [one + rng.normal(scale=sd, size=one.shape).astype(np.float32) for one in padded]


def test_mirroring_twice_gives_the_template_and_keeps_its_centre():
    template = chiral()
    once = mirrored(template)
    np.testing.assert_array_equal(mirrored(once).density, template.density)
    # the ball above the centre is below it now
    c = BOX // 2
    assert once.density[c - 3, c, c] == pytest.approx(template.density[c + 3, c, c])


def test_the_hand_that_made_the_sample_scores_higher():
    template = chiral()
    blocks = blocks_of(template)
    right, wrong = (compare_hands(blocks, t, None) for t in (template, mirrored(template)))
    assert not right.is_other_better
    assert wrong.is_other_better
    assert right.given == pytest.approx(wrong.other, abs=0.03)
    assert right.given > 0.9
    assert right.given - right.other > 5 * right.error


def test_a_body_without_hand_is_not_warned_of():
    ball = chiral()
    ball = Template("ball", ball.mask * ball.mask, ball.mask, True, 120.0)
    found = compare_hands(blocks_of(ball, sd=0.2), ball, None)
    assert not found.is_other_better


def test_the_contrast_that_made_the_sample_scores_higher():
    template = chiral()
    volume = np.random.default_rng(1).normal(scale=0.3, size=(40, 40, 40)).astype(np.float32)
    for i, one in enumerate(blocks_of(template, 8)):
        z, y, x = (20 * ((i >> k) & 1) + 1 for k in range(3))
        volume[z : z + BOX + 2, y : y + BOX + 2, x : x + BOX + 2] += one
    bright, dark = (compare_contrasts(sign * volume, template, None) for sign in (1, -1))
    assert not bright.is_other_better
    assert dark.is_other_better
    assert dark.other == pytest.approx(bright.given, abs=1e-4)


def test_too_few_places_tell_nothing():
    assert not Comparison(0.1, 0.9, 0.01, 3).is_other_better
    assert Comparison(0.1, 0.9, 0.01, 4).is_other_better
    assert not Comparison(0.1, 0.15, 0.02, 50).is_other_better
