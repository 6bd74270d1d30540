"""Small tomograms with planted particles, and the command that finds them."""

import csv
from pathlib import Path

import numpy as np
import torch

from subtomo.formats.particles import read_particles
from subtomo.geometry.orientation_grid import orientation_grid
from subtomo.geometry.rotations import matrices_from_quaternions
from subtomo.jobs.job import Job
from subtomo.jobs.words import check_settings
from subtomo.picking.matching.run import run
from subtomo.picking.matching.settings import MatchSettings
from subtomo.signal.filters import apply_filter, bandpass
from subtomo.signal.masks import soft_sphere
from subtomo.signal.rotation import rotate_volumes

PX, STEP, SHAPE = 10.0, 50.0, (36, 40, 44)
PLACES = np.array([[10, 9, 8], [30, 12, 20], [14, 29, 25], [33, 30, 11]])  # x, y, z
TURNS = [3, 17, 40, 77]


def density(seed=1, n=16, radius=5.0):
    rng = np.random.default_rng(seed)
    band = bandpass((n,) * 3, PX, low_pass=45.0)
    rough = apply_filter(torch.from_numpy(rng.normal(size=(n,) * 3)).float(), band)
    lumps = (rough.abs() / rough.std() + 0.5) * soft_sphere((n,) * 3, radius - 1.5, 1.5)
    return lumps.numpy()


def planted(volume, particle, places=PLACES, turns=TURNS, symmetry="C1"):
    orientations = orientation_grid(STEP, symmetry)
    matrices = torch.from_numpy(matrices_from_quaternions(orientations[turns])).float()
    turned = rotate_volumes(torch.from_numpy(particle), matrices, oversampling=2).numpy()
    half = len(particle) // 2
    for (x, y, z), one in zip(places, turned, strict=True):
        start = np.array([z, y, x]) - half
        low, high = np.maximum(start, 0), np.minimum(start + len(particle), volume.shape)
        inside = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        own = tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))
        volume[inside] += one[own]
    return orientations[turns]


def noise(sd=0.3, seed=0, shape=SHAPE):
    return np.random.default_rng(seed).normal(scale=sd, size=shape).astype(np.float32)


def match(folder: Path, name="out", **options):
    defaults = {
        "tomograms": [folder / "tomo.mrc"],
        "template": [folder / "lump.mrc"],
        "angular_step": STEP,
        "diameter": [90.0],
        "executor": "inline",
    }
    settings = check_settings(MatchSettings, {"output_dir": folder / name, **defaults, **options})
    job = Job("pick match", settings, quiet=True)
    return read_particles(run(settings, job))


def voxels(picks):
    return {tuple(int(v) for v in np.rint(p / PX)) for p in picks.position}


def places(indices=range(4)):
    return {tuple(int(v) for v in PLACES[i]) for i in indices}


def thresholds(folder, name):
    with (folder / name / "thresholds.csv").open() as file:
        return list(csv.DictReader(file))
