import numpy as np

from subtomo.picking.matching.noise import scramble_phases


def test_the_spectrum_stays_and_the_structure_goes():
    rng = np.random.default_rng(0)
    smooth = rng.normal(size=(48, 48, 48))
    for axis in range(3):
        smooth = smooth + np.roll(smooth, 1, axis) + np.roll(smooth, -1, axis)
    noise = scramble_phases(smooth.astype(np.float32), seed=3)
    power = [np.abs(np.fft.rfftn(x)) ** 2 for x in (smooth, noise)]
    low = [p[:6, :6, :6].sum() / p.sum() for p in power]
    assert abs(low[0] / low[1] - 1) < 0.15
    assert abs(np.corrcoef(smooth.ravel(), noise.ravel())[0, 1]) < 0.02


def test_the_seed_decides():
    block = np.random.default_rng(1).normal(size=(16, 16, 16)).astype(np.float32)
    np.testing.assert_array_equal(scramble_phases(block, 5), scramble_phases(block, 5))
    assert not np.allclose(scramble_phases(block, 5), scramble_phases(block, 6))
