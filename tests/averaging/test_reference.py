import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density

from subtomo.averaging.box import Box
from subtomo.averaging.reference import HalfMaps, make_references, noise_to_signal
from subtomo.signal.fsc import FscCurves, fourier_shell_correlation, masked_fsc
from subtomo.signal.masks import soft_sphere

N = 32
BOX = Box(N, PIXEL)


def maps(signal):
    """Half maps of a signal with independent noise, and their curves."""
    half1, half2 = (
        signal + torch.randn(N, N, N, generator=torch.Generator().manual_seed(seed))
        for seed in (1, 2)
    )
    curves = masked_fsc(half1, half2, torch.ones(N, N, N), PIXEL)
    return HalfMaps(
        (half1, half2), (half1 + half2) / 2, torch.ones(N, N, N), curves, torch.ones(N // 2 + 1)
    )


def shell_power(volume):
    return BOX.shell_mean(torch.fft.rfftn(volume).abs() ** 2)


def test_halves_share_what_is_coarse_and_nothing_else():
    first, second = make_references(
        maps(4 * asymmetric_density(N)), BOX, shared_resolution=64.0, resolution=32.0
    )
    agreement = fourier_shell_correlation(first, second).numpy()
    limit = N * PIXEL / 32  # shell 10
    assert np.allclose(agreement[:2], 1, atol=1e-4)  # 64 Å is shell 5, less what leaks
    assert agreement[5] < 0.9999
    assert shell_power(first)[int(limit) + 1 :].max() < 1e-6 * shell_power(first).max()


def test_halves_of_noise_share_nothing_beyond_the_shared_resolution():
    found = maps(torch.zeros(N, N, N))
    first, second = make_references(found, BOX, shared_resolution=64.0, resolution=32.0)
    a, b = (torch.fft.rfftn(x) for x in (first, second))
    beyond = BOX.shells > 6
    cross = (a[beyond] * b[beyond].conj()).real.sum()
    assert abs(float(cross)) < 0.1 * float((a[beyond].abs() ** 2).sum())


def test_detail_is_weighted_by_the_agreement_of_the_halves():
    strong, weak = maps(40 * asymmetric_density(N)), maps(0.2 * asymmetric_density(N))
    ratios = []
    for found in (strong, weak):
        first, _ = make_references(found, BOX, shared_resolution=160.0, resolution=32.0)
        ratios.append(float(shell_power(first)[7] / shell_power(found.halves[0])[7]))
    assert ratios[0] > 0.95
    assert ratios[1] < 0.7


def test_references_are_masked():
    found = maps(asymmetric_density(N))
    masked = HalfMaps(found.halves, found.whole, BOX.sphere, found.curves, found.noise)
    for reference in make_references(masked, BOX, shared_resolution=64.0, resolution=40.0):
        assert torch.all(reference[BOX.sphere == 0] == 0)


def test_noise_to_signal_by_hand():
    found = maps(asymmetric_density(N)).curves
    curves = FscCurves(*[found.frequency] * 4, np.array([1.0, 0.8, 0.5, 0.0, -0.3]), 0.0)
    # (1 - 0.8) / 0.8; where halves do not agree, as if they agreed by 0.02
    assert noise_to_signal(curves, 0.02).numpy() == pytest.approx([1e-3, 0.25, 1.0, 49.0, 49.0])


def test_what_halves_were_aligned_to_share_is_no_resolution_under_a_mask():
    # noise alone; its strong coarse shells are those of one reference, a close mask carries them on
    rng = torch.Generator().manual_seed(0)
    noise = [torch.randn(N, N, N, generator=rng) for _ in range(3)]
    coarse = (BOX.shells >= 2) & (BOX.shells <= 4)
    shared = torch.fft.irfftn(torch.fft.rfftn(noise[0]) * coarse, s=(N, N, N))
    half1, half2 = (6 * shared + 0.05 * one for one in noise[1:])
    mask = soft_sphere((N, N, N), 6.0, 2.0)
    plain = masked_fsc(half1, half2, mask, PIXEL).corrected
    known = masked_fsc(half1, half2, mask, PIXEL, shared_shells=5).corrected
    assert plain[7:].max() > 0.9
    assert known[7:].max() < 0.2  # what chance leaves of shells of a small box
