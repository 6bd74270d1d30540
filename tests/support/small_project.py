"""A RELION project of two tilt series of two tilts, as text that tests can change."""

from pathlib import Path

import numpy as np

from subtomo.formats.mrc_writer import write_mrc
from subtomo.sources.settings import LocalSource

TOMOGRAMS = """
data_global

loop_
_rlnTomoName
_rlnVoltage
_rlnSphericalAberration
_rlnAmplitudeContrast
_rlnTomoTiltSeriesPixelSize
_rlnTomoHand
_rlnOpticsGroupName
_rlnTomoTiltSeriesStarFile
_rlnTomoSizeX
_rlnTomoSizeY
_rlnTomoSizeZ
A 300 2.7 0.1 4 1 first A.star 301 319 121
B 300 2.7 0.1 4 -1 second B.star 300 320 120
"""

TILT_COLUMNS = """_rlnMicrographPreExposure
_rlnTomoYTilt
_rlnTomoZRot
_rlnTomoXShiftAngst
_rlnTomoYShiftAngst
_rlnDefocusU
_rlnDefocusV
_rlnDefocusAngle
"""

TILTS = f"""
data_{{name}}

loop_
_rlnMicrographName
{TILT_COLUMNS}1@{{stack}} 0 10 85 1.5 -2 30000 29000 10
2@{{stack}} 3 -10 85 0 0 30000 29000 10
"""

OPTICS = """
data_optics

loop_
_rlnOpticsGroup
_rlnOpticsGroupName
_rlnSphericalAberration
_rlnVoltage
_rlnAmplitudeContrast
_rlnTomoTiltSeriesPixelSize
1 first 2.7 300 0.1 4
2 second 2.7 300 0.1 4
"""

PARTICLES = """
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
_rlnTomoSubtomogramRot
_rlnTomoSubtomogramTilt
_rlnTomoSubtomogramPsi
_rlnAngleRot
_rlnAngleTilt
_rlnAnglePsi
_rlnRandomSubset
_rlnOpticsGroup
A A/1 8 -4 0 4 0 0 90 0 0 0 0 0 1 1
B B/1 8 -4 0 4 0 0 0 90 0 0 0 90 2 2
A A/2 0 0 0 0 0 0 0 0 0 10 20 30 1 1
"""

MOTION = """
data_general

_rlnParticleNumber 3

data_A/1

loop_
_rlnOriginXAngst
_rlnOriginYAngst
_rlnOriginZAngst
1 2 3
4 5 6

data_B/1

loop_
_rlnOriginXAngst
_rlnOriginYAngst
_rlnOriginZAngst
0 0 0
0 0 1

data_A/2

loop_
_rlnOriginXAngst
_rlnOriginYAngst
_rlnOriginZAngst
0 0 0
0 1 0
"""


def write_project(
    folder: Path,
    *,
    particles: str = OPTICS + PARTICLES,
    tomograms: str = TOMOGRAMS,
    tilts: str = TILTS,
    motion: str | None = None,
) -> LocalSource:
    """Write the tables, and stacks of two images of 6 x 8 pixels."""
    for name in "AB":
        write_mrc(folder / f"{name}.mrcs", np.zeros((2, 8, 6), np.int16), 4.0, is_stack=True)
        (folder / f"{name}.star").write_text(tilts.format(name=name, stack=f"{name}.mrcs"))
    (folder / "tomograms.star").write_text(tomograms)
    (folder / "particles.star").write_text(particles)
    if motion is not None:
        (folder / "motion.star").write_text(motion)
    return LocalSource(
        particles_starfile=folder / "particles.star",
        tomograms_starfile=folder / "tomograms.star",
        trajectories_starfile=None if motion is None else folder / "motion.star",
    )
