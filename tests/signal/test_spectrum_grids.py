import numpy as np
import pytest
import torch

from subtomo.errors import DataError
from subtomo.model import Aberrations, Acquisition, TiltCtf, TiltSeries
from subtomo.signal.ctf import CtfParameters, ctf_at
from subtomo.signal.dose import dose_weight
from subtomo.signal.fourier import frequency_vectors
from subtomo.signal.spectrum_grids import spectrum_grids

SIZE, PIXEL = 24, 3.0


def series(**changes):
    ones = np.ones(2)
    ctf = TiltCtf(22000 * ones, 20000 * ones, 30 * ones, 0 * ones, 80 * ones, 0.9 * ones)
    options = {
        "name": "TS",
        "pixel_size": 2.0,
        "tilt_angles": np.zeros(2),
        "tilt_axis_angles": np.zeros(2),
        "shifts": np.zeros((2, 2)),
        "dose": np.array([0.0, 20.0]),
        "ctf": ctf,
        "acquisition": Acquisition(300.0, 2.7, 0.1),
    }
    return TiltSeries(**(options | changes))


def transfer(grids, depth=0.0):
    return grids.amplitude * torch.sin(2 * np.pi * (grids.turns + depth * grids.turns_per_depth))


def frequencies():
    return frequency_vectors((SIZE, SIZE), PIXEL).double()


def test_transfer_is_ctf_times_dose_weight():
    one = series()
    grids = spectrum_grids(one, SIZE, PIXEL)
    ctf = ctf_at(CtfParameters.of_tilts(one), frequencies())
    dose = dose_weight(frequencies().norm(dim=-1), torch.tensor([0.0, 20.0])[:, None, None])
    torch.testing.assert_close(transfer(grids).double(), ctf * dose, atol=2e-6, rtol=0)


def test_magnification_moves_the_frequencies_of_the_transfer():
    matrix = ((1.03, 0.01), (-0.02, 0.98))
    one = series()
    grids = spectrum_grids(one, SIZE, PIXEL, aberrations=Aberrations(magnification=matrix))
    moved = frequencies() @ torch.tensor(matrix, dtype=torch.float64).T
    ctf = ctf_at(CtfParameters.of_tilts(one), moved)
    dose = dose_weight(moved.norm(dim=-1), torch.tensor([0.0, 20.0])[:, None, None])
    torch.testing.assert_close(transfer(grids).double(), ctf * dose, atol=2e-6, rtol=0)


def test_a_b_factor_by_dose_takes_the_place_of_critical_exposure():
    grids = spectrum_grids(series(dose_bfactor=0.7), SIZE, PIXEL)
    squared = frequencies().square().sum(-1)
    torch.testing.assert_close(grids.dose[0], torch.ones_like(grids.dose[0]))
    wanted = torch.exp(-0.7 * 20 * squared / 4).float()
    torch.testing.assert_close(grids.dose[1], wanted)


def test_depth_changes_defocus_by_handedness_and_slope():
    one = series(handedness=-1, defocus_slope=1.5)
    grids = spectrum_grids(one, SIZE, PIXEL)
    ctf = CtfParameters.of_tilts(one, np.full(2, 400.0))
    assert float(ctf.defocus_u[0]) == 22000 - 1.5 * 400
    found = transfer(grids, 400.0)[0].double()
    torch.testing.assert_close(found, ctf_at(ctf, frequencies())[0], atol=2e-6, rtol=0)


def test_columns_end_where_the_dose_weight_falls_below_the_cutoff():
    grids = spectrum_grids(series(dose_bfactor=12.0), SIZE, PIXEL)
    last = 10  # exp(-12 · 20 · k² / 4) is 0.3 at k = 0.1417 / Å, 10.2 pixels of 1 / 72 Å
    assert grids.ends_above(0.3)[1, 0] == last + 1
    assert grids.ends_above(0.3)[0, 0] == SIZE // 2 + 1  # the whole circle without dose
    assert grids.ends_above(0.0)[0, SIZE // 2] == 1  # the Nyquist row: its first column alone
    cut = grids.cut_off(0.3)
    assert cut.amplitude[1, 0, last + 1 :].abs().max() == 0
    torch.testing.assert_close(cut.amplitude[1, 0, : last + 1], grids.amplitude[1, 0, : last + 1])


def test_without_ctf_the_transfer_is_one():
    grids = spectrum_grids(series(ctf=None), SIZE, PIXEL, ctf=False)
    torch.testing.assert_close(transfer(grids, 500.0), torch.ones_like(grids.amplitude))


def test_a_series_without_ctf_is_refused_by_name():
    with pytest.raises(DataError, match="TS has no CTF"):
        spectrum_grids(series(ctf=None), SIZE, PIXEL)
