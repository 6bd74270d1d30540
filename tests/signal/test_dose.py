import numpy as np
import pytest
import torch

from subtomo.signal.dose import dose_weight


def test_weight_by_hand():
    # at 1/10 Å the critical dose is 0.245 · 10^1.665 + 2.81 = 14.139; exp(-30 / 28.278) = 0.3461
    assert dose_weight(torch.tensor(0.1), 30.0) == pytest.approx(0.3461, abs=1e-4)


def test_voltage_factor_scales_the_critical_dose():
    k = torch.tensor([0.02, 0.1, 0.25])
    assert torch.allclose(dose_weight(k, 24.0, voltage_factor=0.8), dose_weight(k, 30.0))


def test_zero_frequency_and_zero_dose_keep_all():
    assert dose_weight(torch.tensor(0.0), 1000.0) == 1
    assert torch.equal(dose_weight(torch.linspace(0, 0.5, 5), 0.0), torch.ones(5))


def test_weights_fall_with_dose_and_frequency():
    k = torch.linspace(0.01, 0.5, 20)
    weights = dose_weight(k, torch.tensor([1.0, 10, 100])[:, None])
    assert weights.shape == (3, 20)
    assert np.all(np.diff(weights.numpy(), axis=0) < 0)
    assert np.all(np.diff(weights.numpy(), axis=1) < 0)
