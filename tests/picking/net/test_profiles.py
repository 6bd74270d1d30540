"""Profiles against shells that are worked by hand."""

import pytest
import torch

from subtomo.picking.net.profiles import N_PROFILES, shell_profiles


def test_of_an_even_block_they_are_its_value_and_its_square():
    profiles = shell_profiles(torch.full((1, 16, 16, 16), 2.0))
    assert profiles.shape == (1, N_PROFILES, 8, 8, 8)
    assert profiles[0, :6].flatten().tolist() == pytest.approx([2.0] * 6 * 512, abs=1e-4)
    assert profiles[0, 6:].flatten().tolist() == pytest.approx([4.0] * 6 * 512, abs=1e-4)


def test_a_bright_shell_shows_at_its_own_radius():
    axis = torch.arange(40) - 20.5  # place 10 is at 20.5
    radius = (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2).sqrt()
    profiles = shell_profiles(torch.exp(-((radius - 4.2) ** 2))[None])
    assert int(profiles[0, :6, 10, 10, 10].argmax()) == 3
