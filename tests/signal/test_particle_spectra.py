import math

import numpy as np
import pytest
import torch

from subtomo.model import Acquisition, TiltCtf, TiltSeries
from subtomo.signal.ctf import CtfParameters, ctf_2d
from subtomo.signal.particle_spectra import particle_spectra, particle_spectra_torch
from subtomo.signal.spectrum_grids import SpectrumGrids, spectrum_grids


def series(n=3, **changes):
    columns = {
        "defocus_u": np.linspace(20000, 31000, n),
        "defocus_v": np.linspace(19000, 32000, n),
        "defocus_angle": np.linspace(-40, 70, n),
        "phase_shift": np.linspace(0, 90, n),
        "bfactor": np.linspace(0, 100, n),
        "scale": np.linspace(1, 0.8, n),
    }
    return TiltSeries(
        "TS",
        pixel_size=2.0,
        tilt_angles=np.zeros(n),
        tilt_axis_angles=np.zeros(n),
        shifts=np.zeros((n, 2)),
        dose=np.zeros(n),
        ctf=TiltCtf(**columns),
        acquisition=Acquisition(200.0, 2.0, 0.08),
        handedness=-1,
        **changes,
    )


def random_grids(s, *, whitening, aberration):
    generator = torch.Generator().manual_seed(3)
    shape = (3, s, s // 2 + 1)

    def draw(*size):
        return torch.rand(size, generator=generator)

    return SpectrumGrids(
        turns=draw(*shape) - 0.5,
        turns_per_depth=draw(*shape[1:]) / 500,
        amplitude=draw(*shape),
        dose=draw(*shape),
        whitening=draw(*shape) if whitening else None,
        aberration=torch.polar(torch.ones(shape[1:]), 6 * draw(*shape[1:])) if aberration else None,
    )


TILTS = torch.tensor([0, 2, 2, 1])
SHIFTS = torch.tensor([[0.0, 0.0], [0.4, -0.3], [-0.5, 0.49], [3.2, -7.0]], dtype=torch.float64)
DEPTHS = torch.tensor([0.0, 800.0, -1500.0, 20.0])
NOTHING = SHIFTS * 0


@pytest.mark.parametrize("whitening", [False, True])
@pytest.mark.parametrize("aberration", [False, True])
@pytest.mark.parametrize("window", [16, 22])
def test_kernel_and_torch_agree(whitening, aberration, window):
    grids = random_grids(16, whitening=whitening, aberration=aberration)
    spectra = torch.fft.rfft2(torch.randn(4, window, window))
    found, transfer = particle_spectra(spectra, SHIFTS, TILTS, DEPTHS, grids, -0.5)
    wanted, wanted_transfer = particle_spectra_torch(spectra, SHIFTS, TILTS, DEPTHS, grids, -0.5)
    torch.testing.assert_close(found, wanted, atol=1e-5 * float(wanted.abs().std()), rtol=1e-5)
    torch.testing.assert_close(transfer, wanted_transfer, atol=3e-6, rtol=0)


def test_transfer_is_the_ctf_at_the_particles_depth():
    one = series()
    grids = spectrum_grids(one, 32, 2.0)
    spectra = torch.ones((4, 32, 17), dtype=torch.complex64)
    _, transfer = particle_spectra(spectra, NOTHING, TILTS, DEPTHS, grids, 1.0)
    depths = np.repeat(DEPTHS.numpy().astype(float)[:, None], 3, axis=1)
    ctf = ctf_2d(CtfParameters.of_tilts(one, depths), (32, 32), 2.0)
    wanted = ctf[torch.arange(4), TILTS]
    torch.testing.assert_close(transfer.double(), wanted, atol=3e-6, rtol=0)


def test_a_shift_by_whole_pixels_rolls_the_image():
    grids = spectrum_grids(series(), 16, 2.0, ctf=False)
    image = torch.randn(1, 16, 16)
    spectra, _ = particle_spectra(
        torch.fft.rfft2(image),
        torch.tensor([[3.0, -2.0]], dtype=torch.float64),
        torch.tensor([0]),
        torch.tensor([0.0]),
        grids,
        1.0,
    )
    moved = torch.fft.irfft2(spectra, s=(16, 16))
    torch.testing.assert_close(moved, image.roll((2, -3), (1, 2)), atol=1e-5, rtol=0)


def test_a_fourier_crop_keeps_a_slow_wave():
    x = torch.arange(24) * 2 * math.pi / 24
    wave = torch.cos(2 * x[None, :] + 3 * x[:, None])[None]
    grids = spectrum_grids(series(), 16, 3.0, ctf=False)
    nothing = torch.zeros((1, 2), dtype=torch.float64)
    spectra, _ = particle_spectra(
        torch.fft.rfft2(wave), nothing, torch.tensor([0]), torch.zeros(1), grids, (16 / 24) ** 2
    )
    x = torch.arange(16) * 2 * math.pi / 16
    wanted = torch.cos(2 * x[None, :] + 3 * x[:, None])[None]
    torch.testing.assert_close(torch.fft.irfft2(spectra), wanted, atol=1e-5, rtol=0)
