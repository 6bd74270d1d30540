"""Boxes of a known phantom in known poses, cut from a tomogram by the command that cuts boxes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from planted import blobs

from subtomo.extraction.run import run as extract
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.formats.particles import write_particles
from subtomo.formats.volumes import write_volume
from subtomo.geometry.axis_frames import quaternions_along
from subtomo.geometry.rotations import matrices_from_quaternions, random_quaternions
from subtomo.jobs.job import Job
from subtomo.model import Particles, TomogramFrame, Volume
from subtomo.signal.wedge import missing_wedge

PIXEL, N, SHAPE = 10.0, 20, (48, 96, 96)
WIDTH = 1.5  # voxels, of the blobs
# asymmetric, within 6 voxels of the centre
POINTS = np.array([[5, 0, 0], [-2, 4, 1], [0, -3, 4], [1, 1, -5], [-3, -3, -1], [2, 2, 2.0]])
CORNER = np.array([8.0, 8.0, 8.0])  # a corner of the box, which turns out of it
GRID = np.array([[x, y, 23.0] for x in (16, 38, 60, 80) for y in (17, 47, 78)])
POSES = len(GRID)


@dataclass(frozen=True, eq=False)
class Phantoms:
    """Where tomogram and table of boxes are, and the truth."""

    tomogram: Path
    table: Path
    density: torch.Tensor
    particles: Particles


def make_phantoms(
    folder,
    *,
    tilt_range=None,
    points=POINTS,
    seed=3,
    halves=False,
    n=POSES,
    axis=None,
    **options,
):
    """Plant phantoms into a tomogram and cut them out; in closed form, between voxels too.

    With an axis the z axes of all of them point there.
    """
    rng = np.random.default_rng(seed)
    positions_px = (GRID + rng.uniform(-0.5, 0.5, GRID.shape))[:n]
    orientation = random_quaternions(n, rng)
    if axis is not None:
        orientation = quaternions_along(np.tile(axis, (n, 1)))
    tomogram = np.zeros(SHAPE, dtype=np.float32)
    for centre, matrix in zip(positions_px, matrices_from_quaternions(orientation), strict=True):
        for point in points:
            add_blob(tomogram, centre + matrix @ point)
    if tilt_range is not None:
        wedge = missing_wedge(SHAPE, tilt_range)
        transform = torch.fft.rfftn(torch.from_numpy(tomogram)) * wedge
        tomogram = torch.fft.irfftn(transform, s=SHAPE).numpy()
        options["tilt_range"] = tilt_range
    folder.mkdir(parents=True, exist_ok=True)
    write_volume(folder / "TS_1.mrc", Volume(tomogram, PIXEL))
    half = np.arange(n) % 2 + 1 if halves else np.zeros(n, dtype=np.int64)
    particles = Particles(np.full(n, "TS_1"), positions_px * PIXEL, orientation, half=half)
    frames = {"TS_1": TomogramFrame(SHAPE[::-1], PIXEL)}
    write_particles(folder / "picks.star", particles, frames)
    settings = ExtractVolumesSettings(
        particles=folder / "picks.star",
        tomograms=(folder / "TS_1.mrc",),
        output_dir=folder / "boxes",
        executor="inline",
        border="pad",
        **{"box_size": N, "normalise": "none", **options},
    )
    table = extract(settings, Job("extract volumes", settings, quiet=True))
    return Phantoms(folder / "TS_1.mrc", table, blobs(N, points, WIDTH), particles)


def add_blob(tomogram, place):
    """Add a Gaussian at a place (x, y, z), voxels."""
    factors = [
        np.exp(-((np.arange(size) - at) ** 2) / (2 * WIDTH**2))
        for size, at in zip(tomogram.shape, place[::-1], strict=True)
    ]
    tomogram += (factors[0][:, None, None] * factors[1][:, None] * factors[2]).astype(np.float32)
