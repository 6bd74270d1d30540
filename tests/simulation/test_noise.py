"""The definition of the noise levels, and the statistics of counts."""

import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial.transform import Rotation

from subtomo.simulation.densities import density_of_molecule, particle_radius
from subtomo.simulation.molecules import made_up_molecule
from subtomo.simulation.noise import (
    SIGNAL_TO_NOISE,
    CountModel,
    count_model,
    counted,
    expected_counts,
    signal_to_noise_in_circle,
    signal_variance,
)


def test_levels():
    assert SIGNAL_TO_NOISE == {"easy": 0.3, "medium": 0.1, "hard": 0.03}


@pytest.mark.slow
def test_signal_variance_against_rotations_in_real_space():
    density = density_of_molecule(made_up_molecule(400, 2), 10.0)
    radius, n = particle_radius(density), len(density)
    y, x = np.indices((n, n)) - n // 2
    circle = x**2 + y**2 <= radius**2
    found = []
    for matrix in Rotation.random(20, rng=np.random.default_rng(4)).as_matrix():
        offset = n // 2 - matrix @ np.full(3, n // 2)
        turned = ndimage.affine_transform(density, matrix, offset=offset, order=3)
        found.append(turned.sum(axis=0)[circle].var())
    assert signal_variance(density, radius) == pytest.approx(np.mean(found), rel=0.12)


def test_signal_variance_of_a_ball():
    # inside its circle a ball's projection is 2 √(R² - r²): mean 4R/3, mean square 2R²
    n, radius = 28, 11
    z, y, x = np.indices((n, n, n)) - n // 2
    ball = (x**2 + y**2 + z**2 <= radius**2).astype(np.float32)
    expected = (2 - 16 / 9) * radius**2
    assert signal_variance(ball, radius) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("pixel_size", [5.0, 10.0, 20.0])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_model_holds_the_ratio_at_any_pixel_size(pixel_size, share):
    model = count_model(
        0.1, 9.0, dose=3.0, transmission=0.8, pixel_size=pixel_size, detector_share=share
    )
    assert model.mean_counts == pytest.approx(3 * 0.8 * pixel_size**2)
    noise = model.mean_counts + model.detector_sd**2
    assert model.detector_sd**2 == pytest.approx(share * noise)
    # averaged to 10 Å pixels, white noise keeps variance · area; the signal keeps its variance
    signal = (model.mean_counts * model.modulation) ** 2 * 9.0
    assert signal / (noise * (pixel_size / 10) ** 2) == pytest.approx(0.1)


def test_counts_are_poisson():
    model = CountModel(mean_counts=40.0, modulation=0.0, detector_sd=0.0)
    expected = expected_counts(model, np.zeros((1, 300, 300), np.float32), np.array([0.5]))
    images = counted(model, expected, np.random.default_rng(1))
    assert np.all(images == np.rint(images))
    # mean and variance are both 20: their estimates from 90000 pixels err by 0.015 and 0.095
    assert images.mean() == pytest.approx(20, abs=0.08)
    assert images.var() == pytest.approx(20, abs=0.5)
    # P(count = 20) = 20^20 e^-20 / 20! = 0.08884
    assert (images == 20).mean() == pytest.approx(0.08884, abs=0.005)


def test_detector_noise_adds_to_shot_noise():
    model = CountModel(mean_counts=40.0, modulation=0.0, detector_sd=3.0)
    expected = np.full((1, 300, 300), 40.0, np.float32)
    images = counted(model, expected, np.random.default_rng(1))
    assert images.mean() == pytest.approx(40, abs=0.1)
    assert images.var() == pytest.approx(49, rel=0.03)


def test_protein_is_dark_and_counts_are_not_negative():
    model = CountModel(mean_counts=100.0, modulation=0.01, detector_sd=0.0)
    signal = np.array([[[0.0, 10.0, -10.0, 200.0]]], np.float32)
    counts = expected_counts(model, signal, np.array([1.0]))
    assert counts[0, 0].tolist() == pytest.approx([100, 90, 110, 0])


def test_measure():
    rng = np.random.default_rng(0)
    signal, noise = rng.normal(scale=2, size=(50, 21, 21)), rng.normal(scale=5, size=(50, 21, 21))
    signal[:, 0] = 1e3  # outside the circle
    assert signal_to_noise_in_circle(signal, noise, 8) == pytest.approx(4 / 25, rel=0.03)
