"""Tables of picks and the tomograms that they are in, as files."""

import csv

import numpy as np

from subtomo.cli.main import run
from subtomo.formats.particles import write_particles
from subtomo.formats.volumes import write_volume
from subtomo.model import Particles, Volume


def table(positions, *, tomogram="t1", **columns):
    positions = np.asarray(positions, dtype=float).reshape(-1, 3)
    return Particles(np.full(len(positions), tomogram), positions, **columns)


def on_line(*xs, **columns):
    return table([[x, 50, 50] for x in xs], **columns)


def write(path, particles):
    write_particles(path, particles)
    return str(path)


def tomogram(path, *, size=10, pixel_size=10.0, value=0.0):
    data = np.full((size, size, size), value, dtype=np.float32)
    data[0, 0, 0] = 1
    write_volume(path, Volume(data, pixel_size))
    return str(path)


def subtomo(*words):
    """Run a command line; its exit status."""
    return run([str(word) for word in words])


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
