"""The command with and without ``--exhaustive``."""

from pathlib import Path

import numpy as np
import pytest
import torch

from subtomo.formats.particles import read_particles
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.jobs.job import Job
from subtomo.jobs.words import check_settings
from subtomo.model import Volume
from subtomo.picking.matching import coarse_search
from subtomo.picking.matching.run import run
from subtomo.picking.matching.settings import MatchSettings
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes

PX, BOX, STEP = 10.0, 20, 60.0
PLACES = np.array([[15, 14, 13], [14, 28, 27]])  # z, y, x


def body():
    ball = soft_sphere((BOX,) * 3, 6.0, 2.0).numpy()
    z, y, x = np.mgrid[:BOX, :BOX, :BOX] - BOX // 2
    return (ball * (1 + 0.5 * np.sin(x / 2) + 0.3 * np.cos(y / 3) * (z > 0))).astype(np.float32)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    volume = rng.normal(scale=1.0, size=(30, 40, 40)).astype(np.float32)
    turns = matrices_from_quaternions(orientation_grid(STEP)[[5, 60]])
    turned = rotate_volumes(
        torch.from_numpy(body()), torch.from_numpy(turns).float(), oversampling=2
    )
    for place, one in zip(PLACES, turned.numpy(), strict=True):
        volume[tuple(slice(a - BOX // 2, a + BOX // 2) for a in place)] += one
    write_volume(tmp_path / "tomo.mrc", Volume(volume, PX))
    write_volume(tmp_path / "body.mrc", Volume(body(), PX))
    return tmp_path


def match(folder: Path, name, *, exhaustive):
    values = {
        "tomograms": [folder / "tomo.mrc"],
        "template": [folder / "body.mrc"],
        "angular_step": STEP,
        "diameter": [140.0],
        "threshold_score": 0.3,
        "exhaustive": exhaustive,
        "executor": "inline",
        "output_dir": folder / name,
    }
    settings = check_settings(MatchSettings, values)
    picks = read_particles(run(settings, Job("pick match", settings, quiet=True)))
    return picks, read_volume(folder / name / "scores/tomo_body_score.mrc").data


def test_the_same_picks_come_with_fewer_exact_scores(folder, monkeypatch):
    monkeypatch.setattr(coarse_search, "_LEAST_WORK", 0)
    monkeypatch.setattr(coarse_search, "_LEAST_ROTATIONS", 10)
    picks, score = match(folder, "coarse", exhaustive=False)
    expected, exact = match(folder, "exhaustive", exhaustive=True)
    assert len(expected) == len(PLACES)
    np.testing.assert_allclose(picks.score, expected.score, atol=1e-5)
    np.testing.assert_allclose(picks.orientation, expected.orientation)
    np.testing.assert_allclose(picks.position, expected.position, atol=0.2 * PX)
    same = np.isclose(score, exact, atol=1e-5)[exact != 0]
    assert 0 < same.mean() < 0.5
