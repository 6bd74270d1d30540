"""Extractions of small projects."""

import numpy as np
import pytest

from subtomo.extraction.run import run
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.subtomograms import box_files
from subtomo.formats.volumes import read_volume, write_volume
from subtomo.geometry.rotations import random_quaternions
from subtomo.jobs.job import Job
from subtomo.model import Particles, TomogramFrame, Volume

PIXEL, SHAPE = 10.0, (24, 28, 32)


@pytest.fixture
def extract():
    """Run the command on what a folder holds; give the path of its table."""

    def extract(folder, particles="particles.star", tomograms="tomograms", **options):
        settings = ExtractVolumesSettings(
            particles=folder / particles,
            tomograms=(folder / tomograms,),
            output_dir=folder / "out",
            **{"executor": "inline", **options},
        )
        return run(settings, Job("extract volumes", settings, quiet=True))

    return extract


@pytest.fixture
def read_boxes():
    """Read the boxes that a table names."""

    def read_boxes(table):
        return [read_volume(path) for path in box_files(read_particles(table), table)]

    return read_boxes


@pytest.fixture
def project(tmp_path):
    """Two tomograms of noise and a table with five particles, one of them at the border."""
    rng = np.random.default_rng(0)
    frames = {}
    (tmp_path / "tomograms").mkdir()
    for name in ("a", "b"):
        data = rng.standard_normal(SHAPE).astype(np.float32)
        write_volume(tmp_path / "tomograms" / f"{name}.mrc", Volume(data, PIXEL))
        frames[name] = TomogramFrame(SHAPE[::-1], PIXEL)
    voxels = np.array([[16, 14, 12], [12, 13, 11], [15, 15, 12], [2, 14, 12], [10, 12, 10.0]])
    particles = Particles(
        np.array(["a", "b", "a", "a", "b"]),
        voxels * PIXEL,
        random_quaternions(5, rng),
        box_size=np.full(5, 12),
        extra={"rlnSomething": np.arange(5)},
    )
    write_particles(tmp_path / "particles.star", particles, frames)
    return tmp_path
