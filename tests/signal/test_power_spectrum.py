import numpy as np
import torch

from subtomo.signal.power_spectrum import block_origins, flattening_weights, radial_average


def test_blocks_overlap_by_half_and_stay_inside():
    origins = block_origins((20, 13), 8)
    np.testing.assert_array_equal(np.unique(origins[:, 0]), [0, 4, 8, 12])
    np.testing.assert_array_equal(np.unique(origins[:, 1]), [0, 4])
    assert len(origins) == 8
    np.testing.assert_array_equal(origins[1], [4, 0])  # along x first


def test_a_power_that_is_linear_in_frequency_is_averaged_to_itself():
    x, y = torch.arange(9.0), torch.fft.fftfreq(16, 1 / 16)
    radius = torch.hypot(x, y[:, None])
    shells = radial_average(3 + 0 * radius)
    torch.testing.assert_close(shells, torch.full((9,), 3.0, dtype=torch.float64))
    rising = radial_average(radius)
    assert (rising[:8] - torch.arange(8)).abs().max() < 0.6
    assert (rising.diff() > 0).all()


def test_each_value_is_shared_by_its_two_shells():
    power = torch.zeros(8, 5)
    power[1, 1] = 1.0  # radius √2: 0.586 to shell 1, 0.414 to shell 2
    shells = radial_average(power)
    assert shells[0] == 0
    assert shells[1] > 0
    assert shells[2] > 0
    assert shells[3:].sum() == 0


def test_weights_flatten_and_are_read_between_shells():
    shells = torch.tensor([4.0, 1.0, 0.25, 0.25, 0.25], dtype=torch.float64)
    weights = flattening_weights(shells, 8, 1.0)
    torch.testing.assert_close(weights[0, :4], torch.tensor([0.5, 1.0, 2.0, 2.0]))
    binned = flattening_weights(shells, 8, 0.5)
    torch.testing.assert_close(binned[0, :3], torch.tensor([0.5, 0.75, 1.0]))
    far = flattening_weights(shells, 8, 3.0)
    assert far[4, 4] == 2.0  # beyond the last shell its value
