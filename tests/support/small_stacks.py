"""Extracted particles of two tilt series, as text that tests can change, with made-up images."""

from pathlib import Path
from typing import Any

import numpy as np
import small_project
from small_project import OPTICS, TILT_COLUMNS

from subtomo.formats.relion_stack import write_image_stack
from subtomo.sources.particle_stacks import ParticleStacks
from subtomo.sources.settings import StackSource
from subtomo.sources.stack_tables import open_particle_stacks

BOX, PIXEL = 8, 8.0

TOMOGRAMS = (
    small_project.TOMOGRAMS.replace("_rlnOpticsGroupName\n_rlnTomoTiltSeriesStarFile\n", "")
    .replace(" first A.star", "")
    .replace(" second B.star", "")
    + f"""
data_A

loop_
{TILT_COLUMNS}0 0 0 0 0 30000 29000 10
3 30 0 0 0 30000 29000 10
6 -30 90 0 0 30000 29000 10

data_B

loop_
{TILT_COLUMNS}0 0 0 0 0 30000 29000 10
3 30 0 0 0 30000 29000 10
"""
)

PARTICLES = (
    """
data_general

_rlnTomoSubTomosAre2DStacks 1
"""
    + OPTICS.replace(
        "_rlnTomoTiltSeriesPixelSize\n",
        "_rlnTomoTiltSeriesPixelSize\n_rlnCtfDataAreCtfPremultiplied\n_rlnImageDimensionality\n"
        "_rlnImagePixelSize\n_rlnImageSize\n",
    )
    .replace("1 first 2.7 300 0.1 4", "1 first 2.7 300 0.1 4 1 2 8 8")
    .replace("2 second 2.7 300 0.1 4", "2 second 2.7 300 0.1 4 0 2 8 8")
    + """
data_particles

loop_
_rlnTomoName
_rlnTomoParticleName
_rlnCenteredCoordinateXAngst
_rlnCenteredCoordinateYAngst
_rlnCenteredCoordinateZAngst
_rlnOriginXAngst
_rlnOriginYAngst
_rlnOriginZAngst
_rlnAngleRot
_rlnAngleTilt
_rlnAnglePsi
_rlnOpticsGroup
_rlnRandomSubset
_rlnImageName
_rlnTomoVisibleFrames
A A/1 0 0 100 0 0 0 0 0 0 1 1 A_1.mrcs [1,1,1]
B B/1 8 0 0 0 0 0 0 0 0 2 2 B_1.mrcs [1,1]
A A/2 0 40 0 16 0 8 0 90 0 1 2 A_2.mrcs [1,0,1]
"""
)

COUNTS = {"A_1.mrcs": 3, "B_1.mrcs": 2, "A_2.mrcs": 2}


def write_stacks(
    folder: Path,
    *,
    particles: str = PARTICLES,
    tomograms: str = TOMOGRAMS,
    counts: dict[str, int] = COUNTS,
    size: int = BOX,
) -> Path:
    """Write tables, an optimisation set and stacks; give the set's path.

    Image i of a file is i + 1 everywhere, and 10 more in the corner.
    """
    (folder / "particles.star").write_text(particles)
    (folder / "tomograms.star").write_text(tomograms)
    optimisation_set = folder / "optimisation_set.star"
    optimisation_set.write_text(
        "data_\n\n_rlnTomoParticlesFile particles.star\n_rlnTomoTomogramsFile tomograms.star\n"
    )
    for name, count in counts.items():
        images = np.ones((count, size, size), dtype=np.float32) * np.arange(1, count + 1)[
            :, None, None
        ].astype(np.float32)
        images[:, 0, 0] += 10
        write_image_stack(folder / name, images, PIXEL)
    return optimisation_set


def opened(folder: Path, options: dict[str, Any] | None = None, **texts: Any) -> ParticleStacks:
    """Write stacks and open them."""
    path = write_stacks(folder, **texts)
    return open_particle_stacks(StackSource(particles=path, **(options or {})))
