from unittest.mock import patch

import numpy as np
import pytest
import torch
from planted import PIXEL, asymmetric_density, plant

from subtomo.averaging.refinement.results import SCORE
from subtomo.averaging.refinement.run import run
from subtomo.averaging.refinement.settings import AlignSettings
from subtomo.formats.particles import read_particles
from subtomo.formats.volumes import read_volume
from subtomo.geometry.rotations import angular_distance
from subtomo.jobs.job import Job
from subtomo.signal.fsc import fourier_shell_correlation

N = 24


def align(table, folder, *, with_report=False, **options):
    values = {"executor": "inline", "local_resolution": False, "candidates": 1, **options}
    settings = AlignSettings(particles=table, output_dir=folder, **values)
    job = Job("align", settings, quiet=True)
    if with_report:
        run(settings, job)
    else:  # drawing takes longer than aligning so few particles
        with patch("subtomo.averaging.refinement.run.write_report"):
            run(settings, job)
    return read_particles(folder / "particles.star")


def load(path):
    return torch.tensor(read_volume(path).load())


@pytest.fixture(scope="module")
def rough(tmp_path_factory):
    """Particles whose poses are off by some 8° and 0.8 voxels."""
    folder = tmp_path_factory.mktemp("rough")
    return plant(folder, asymmetric_density(N), 40, snr=0.3, turn_deg=9.0, shift_px=0.8, seed=1)


@pytest.fixture(scope="module")
def aligned(rough, tmp_path_factory):
    """Folder of their alignment."""
    folder = tmp_path_factory.mktemp("aligned") / "out"
    align(rough.table, folder, with_report=True, rounds=2, angular_range=15.0, angular_step=7.5)
    return folder


def errors(planted, particles):
    """Median errors of poses: degrees, voxels."""
    turns = angular_distance(particles.orientation, planted.orientation)
    places = np.linalg.norm(particles.position - planted.position, axis=1) / PIXEL
    return float(np.median(turns)), float(np.median(places))


def test_poses_come_closer_to_the_truth(rough, aligned):
    before = errors(rough, read_particles(rough.table))
    found = read_particles(aligned / "particles.star")
    after = errors(rough, found)
    assert after[0] < 0.6 * before[0]
    assert after[1] < 0.4 * before[1]
    assert np.all(found.extra[SCORE] > 0)
    ours, mask = load(aligned / "average_unfiltered.mrc"), load(aligned / "mask.mrc")
    agreement = fourier_shell_correlation(ours * mask, rough.density * mask).numpy()
    assert agreement[1:7].min() > 0.9
    page = (aligned / "report.html").read_text()
    for said in ("round_1", "round_2", "rotations tried", "postprocess.mrc"):
        assert said in page
