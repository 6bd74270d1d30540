import numpy as np
import pytest
import torch
from planted import asymmetric_density

from subtomo.averaging.box import Box
from subtomo.averaging.initial_model.model import ModelMaker
from subtomo.averaging.sums import particle_sums
from subtomo.signal.wedge import missing_wedge

N = 16
BOX = Box(N, 10.0)
AXES = np.array([0.0, 0.0, 0.0, 1.0])


def maker(**options):
    return ModelMaker(BOX, 25.0, torch.ones(N, N, N), **options)


@pytest.fixture(scope="module")
def one():
    """One particle with a missing wedge, and the density it is of."""
    density = asymmetric_density(N, width=1.6)
    wedge = missing_wedge((N, N, N), (-50.0, 50.0))
    seen = torch.fft.irfftn(torch.fft.rfftn(density) * wedge, s=(N, N, N))
    whole = maker().make(
        particle_sums(
            density[None], torch.ones_like(wedge)[None], torch.eye(3)[None], torch.zeros(1, 3), BOX
        ),
        None,
        AXES,
    )
    sums = particle_sums(seen[None], wedge[None], torch.eye(3)[None], torch.zeros(1, 3), BOX)
    return sums, whole


def in_wedge(volume):
    missing = missing_wedge((N, N, N), (-50.0, 50.0)) < 0.1
    missing &= BOX.shells < 4
    return float((torch.fft.rfftn(volume).abs() ** 2 * missing).sum())


def test_the_wedge_is_filled_with_the_model_before(one):
    sums, whole = one
    filled = maker().make(sums, whole, AXES)
    faded = maker(fill_wedge=False).make(sums, whole, AXES)
    assert in_wedge(filled) > 0.5 * in_wedge(whole)
    assert in_wedge(faded) < 0.2 * in_wedge(whole)
    assert torch.equal(maker().make(sums, None, AXES), faded)


def test_real_space_leaves_weights_alone(one):
    sums, _ = one
    twice = sums + sums
    uneven = sums.weight.clone()
    uneven[:, :, 1:3] *= 5
    changed = type(sums)(sums.data, uneven, sums.power, sums.count)
    plain = maker(space="real")
    assert torch.allclose(plain.make(sums, None, AXES), plain.make(changed, None, AXES))
    assert torch.allclose(plain.make(sums, None, AXES), plain.make(twice, None, AXES), atol=1e-6)
    fourier = maker()
    assert not torch.allclose(fourier.make(sums, None, AXES), fourier.make(changed, None, AXES))


def test_symmetry_is_applied_about_the_axes(one):
    sums, _ = one
    quarter = np.array([0.0, np.sqrt(0.5), 0.0, np.sqrt(0.5)])  # z to x
    model = maker(symmetry="C2").make(sums, None, quarter)
    turned = model.flip((0, 1)).roll((1, 1), (0, 1))  # half a turn about x
    inner = (slice(2, -1),) * 3
    assert torch.allclose(model[inner], turned[inner], atol=2e-2 * float(model.abs().max()))
