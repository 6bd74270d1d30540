import numpy as np
import pytest
import torch

from subtomo.signal.pseudo_subtomogram import PseudoSums
from subtomo.signal.pseudo_volumes import (
    data_volume,
    divided_volume,
    per_multiplicity,
    weight_per_multiplicity,
    whole_volume,
)

C = 6
RNG = np.random.default_rng(5)
VOLUME = torch.from_numpy(RNG.normal(size=(C, C, C)))


def sums_of(volume, weight, multiplicity):
    data = torch.fft.rfftn(torch.fft.ifftshift(volume), norm="ortho")
    lanes = [data.real, data.imag, weight.expand(data.shape), multiplicity.expand(data.shape)]
    return PseudoSums(torch.stack(lanes, dim=-1).double())


def test_data_come_back_from_their_transform():
    sums = sums_of(VOLUME, torch.ones(1), torch.ones(1))
    np.testing.assert_allclose(data_volume(sums, 0.5), VOLUME / 2, atol=1e-12)


def test_division_by_multiplicity():
    half = torch.full((C, C, C // 2 + 1), 4.0, dtype=torch.float64)
    np.testing.assert_allclose(per_multiplicity(VOLUME, half), VOLUME / 4, atol=1e-12)
    half[0, 0, 0] = 0
    np.testing.assert_allclose(
        per_multiplicity(VOLUME, half), (VOLUME - VOLUME.mean()) / 4, atol=1e-12
    )
    weights = weight_per_multiplicity(sums_of(VOLUME, torch.tensor(6.0), half))
    assert weights[0, 0, 0] == 0
    assert weights[1, 2, 3] == 1.5


# A Wiener filter of constant weight is a factor; the taper subtracts the mean inside the sphere.
def test_division_by_weight():
    weight = torch.full((C, C, C // 2 + 1), 3.0, dtype=torch.float64)
    found = divided_volume(VOLUME, weight, snr=0.5, taper_px=2.0)
    again = divided_volume(VOLUME / 5, torch.zeros_like(weight), snr=1.0, taper_px=2.0)
    np.testing.assert_allclose(found, again, atol=1e-12)
    assert found[0, 0, 0] == 0
    sharper = divided_volume(VOLUME, weight, snr=0.5, taper_px=1.0)
    assert not torch.allclose(found, sharper)
    default = divided_volume(VOLUME, weight, snr=None, taper_px=2.0)
    assert default.std() < found.std() * 5 / 3


def test_all_of_a_symmetric_volume():
    power = torch.fft.fftn(VOLUME).abs() ** 2
    half = power[:, :, : C // 2 + 1]
    np.testing.assert_allclose(whole_volume(half), torch.fft.fftshift(power), atol=1e-9)


@pytest.mark.parametrize(
    ("at", "counts"), [((-1, 2), True), ((1, -2), False), ((0, -1), True), ((0, 1), False)]
)
def test_at_the_edge_one_of_two_mirror_images_counts(at, counts):
    half = torch.zeros((C, C, C // 2 + 1))
    half[at[0], at[1], -1] = 1
    found = whole_volume(half)[:, :, 0]
    z, y = at[0] + C // 2, at[1] + C // 2
    assert found[z, y] == found[C - z, C - y] == float(counts)
