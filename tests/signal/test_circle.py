import numpy as np
import torch

from subtomo.signal.circle import circle_weights, gridding_weights, radii, subtract_background

CPU = torch.device("cpu")


def test_the_background_goes_and_the_middle_stays():
    r = radii(32, CPU)
    image = torch.where(r < 8, 7.0, 3.0)[None].float()  # 4 above a background of 3
    subtract_background(image, 14.0)
    torch.testing.assert_close(image[0][r < 8], torch.full_like(image[0][r < 8], 4.0))
    assert image[0][r >= 8].abs().max() < 1e-5


def test_the_edge_is_a_raised_cosine_inside_the_radius():
    _, circle = circle_weights(32, 12.0, CPU)
    np.testing.assert_allclose(circle[16, 16:30], [1] * 8 + edge(8, 9, 10, 11) + [0, 0], atol=1e-6)


def edge(*r):
    return [0.5 - 0.5 * np.cos(np.pi * (12 - one) / 5) for one in r]


def test_without_pixels_outside_nothing_is_subtracted():
    image = torch.full((1, 8, 8), 5.0)
    subtract_background(image, 20.0)
    torch.testing.assert_close(image, torch.full((1, 8, 8), 5.0))


def test_gridding_weights_by_hand():
    weights = gridding_weights(16, 8.0, CPU)
    assert weights[8, 8] == 1
    assert np.isclose(weights[8, 12], 4 / np.sin(np.pi * 4 / 8))
    assert weights[8, 15] == 0
