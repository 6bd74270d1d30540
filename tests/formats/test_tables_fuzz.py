"""Damaged tables give one of the package's errors, never another one."""

import random
import re
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from subtomo.errors import SubtomoError
from subtomo.formats.aretomo import read_aln
from subtomo.formats.imod import read_xf
from subtomo.formats.mdoc import dose_before, match_sections, read_mdoc
from subtomo.formats.optimisation_set import read_optimisation_set
from subtomo.formats.particles import read_particles
from subtomo.formats.relion_tomograms import read_tomograms_star
from subtomo.formats.warp_xml import read_warp_xml
from subtomo.model import TomogramFrame

PARTICLES = """
data_optics
loop_
_rlnOpticsGroup #1
_rlnTomoTiltSeriesPixelSize #2
1 4.0

data_particles
loop_
_rlnTomoName #1
_rlnCoordinateX #2
_rlnCoordinateY #3
_rlnCoordinateZ #4
_rlnOriginXAngst #5
_rlnOriginYAngst #6
_rlnOriginZAngst #7
_rlnAngleRot #8
_rlnAngleTilt #9
_rlnAnglePsi #10
_rlnRandomSubset #11
_rlnOpticsGroup #12
_rlnImageName #13
T 191.9 249.6 93.9 -0.7 0.1 2.5 0 85.4 30 2 1 'a b.mrc'
T 65.7 67.4 75.6 0.0 0.0 0.0 10 83.9 0 1 1 c#d.mrc
"""
CENTRED = re.sub("Coordinate([XYZ])", r"CenteredCoordinate\1Angst", PARTICLES)
TOMOGRAMS = """
data_global
loop_
_rlnTomoName
_rlnVoltage
_rlnSphericalAberration
_rlnAmplitudeContrast
_rlnTomoTiltSeriesPixelSize
_rlnTomoHand
_rlnTomoSizeX
_rlnTomoSizeY
_rlnTomoSizeZ
T 300 2.7 0.1 2 1 100 100 50

data_T
loop_
_rlnMicrographPreExposure
_rlnTomoProjX
_rlnTomoProjY
_rlnTomoProjZ
_rlnTomoProjW
_rlnDefocusU
_rlnDefocusV
_rlnDefocusAngle
0 [1,0,0,0] [0,1,0,0] [0,0,1,0] [0,0,0,1] 20000 21000 30
3 [1,0,0,0] [0,1,0,0] [0,0,1,0] [0,0,0,1] 20000 21000 30
"""
ALN = """# RawSize = 6 4 3
# DarkFrame =     2    2   -55.00
# SEC     ROT     GMAG     TX     TY    SMEAN   SFIT   SCALE   BASE   TILT
    0   -10.6414    1.00000     30.409     -7.146  1.00  1.00  1.00  0.00  -41.00
    1   -10.6414    1.00000     25.102     -4.066  1.00  1.00  1.00  0.00  -39.00
"""
MDOC = """PixelSpacing = 1.724
[T =     Tilt axis angle = -88.7, binning = 1  spot = 6]
[ZValue = 0]
TiltAngle = 0.01
ExposureDose = 2.2
DateTime = 30-May-21  22:19:28
[ZValue = 1]
TiltAngle = 3.01
ExposureDose = 2.3
DateTime = 30-May-21  22:21:28
"""
XML = """<TiltSeries AreAnglesInverted="True" LevelAngleX="1" LevelAngleY="-2">
<Angles>10\n-20</Angles><Dose>3\n0</Dose><UseTilt>True\nTrue</UseTilt>
<AxisAngle>85\n86</AxisAngle><AxisOffsetX>1\n2</AxisOffsetX><AxisOffsetY>3\n4</AxisOffsetY>
<CTF><Param Name="PixelSize" Value="1.5"/><Param Name="Voltage" Value="200"/>
<Param Name="Cs" Value="2.0"/><Param Name="Amplitude" Value="0.1"/></CTF>
<GridCTF Width="1" Height="1" Depth="1"><Node X="0" Y="0" Z="0" Value="3"/></GridCTF>
</TiltSeries>"""
NOISE = [b"nan", b"inf", b"1e999", b"-", b"0", b"9" * 20, b"\n", b"data_", b"loop_", b"'", b"\xff"]


def read_dose(path: Path) -> None:
    mdoc = read_mdoc(path)
    dose_before(mdoc, match_sections(mdoc, [0.0, 3.0]))


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Change, remove or insert a few bytes."""
    out = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 5])):
        place = rng.randrange(len(out))
        match rng.randrange(3):
            case 0:
                out[place] = rng.choice(b" \n\t\"'#_;0-9e.x@[]<>=,/\xff")
            case 1:
                del out[place : place + rng.randrange(1, 30)]
            case _:
                out[place:place] = rng.choice(NOISE)
    return bytes(out)


@pytest.mark.parametrize(
    ("text", "suffix", "read"),
    [
        (PARTICLES, ".star", read_particles),
        (
            CENTRED,
            ".star",
            lambda p: read_particles(p, frames={"T": TomogramFrame((9, 9, 9), 2.0)}),
        ),
        ("tomogram,x,y,z,rot,tilt,psi\nA,1,2,3,10,20,30\n", ".csv", read_particles),
        (TOMOGRAMS, ".star", lambda p: read_tomograms_star(p, require_images=False)),
        ("data_\n_rlnTomoParticlesFile f.star\n", ".star", read_optimisation_set),
        ("0.99 -0.07 0.07 0.99 -27.094 -2.191\n" * 3, ".xf", read_xf),
        (ALN, ".aln", read_aln),
        (MDOC, ".mdoc", read_dose),
        (XML, ".xml", read_warp_xml),
    ],
    ids=["pixels", "centred", "csv", "tomograms", "set", "xf", "aln", "mdoc", "xml"],
)
def test_damaged_files(
    tmp_path: Path, text: str, suffix: str, read: Callable[[Path], object]
) -> None:
    path = tmp_path / f"f{suffix}"
    path.write_text(text)
    read(path)
    rng = random.Random(0)
    refused = 0
    for _ in range(40):
        path.write_bytes(damaged(text.encode(), rng))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                read(path)
            except SubtomoError:
                refused += 1
    assert refused > 4
