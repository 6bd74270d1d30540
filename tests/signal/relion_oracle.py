"""The RELION 5 project of ../shared/data/relion5_oracle, read without the package's readers."""

from dataclasses import dataclass
from pathlib import Path

import mrcfile
import numpy as np
from gemmi import cif

from subtomo.model import Acquisition, TiltCtf, TiltSeries


def column(block, tag, default=None):
    values = list(block.find_values(tag))
    return values if values else default


def numbers(block, tag, count, default=0.0):
    values = column(block, tag)
    return np.full(count, default) if values is None else np.array([float(v) for v in values])


def read_tilt_series(folder: Path, name: str, tomograms="tomograms.star") -> TiltSeries:
    table = cif.read(str(folder / tomograms)).find_block("global")
    row = column(table, "_rlnTomoName").index(name)
    value = {tag: float(column(table, tag)[row]) for tag in NUMBERS if column(table, tag)}
    tilts = cif.read(str(folder / column(table, "_rlnTomoTiltSeriesStarFile")[row]))
    tilts = tilts.find_block(name)
    count = len(column(tilts, "_rlnTomoYTilt"))
    names = tuple(column(tilts, "_rlnMicrographName"))
    with mrcfile.open(folder / names[0].split("@")[1]) as stack:
        images = stack.data[[int(entry.split("@")[0]) - 1 for entry in names]]
    return TiltSeries(
        name,
        value["_rlnTomoTiltSeriesPixelSize"],
        numbers(tilts, "_rlnTomoYTilt", count),
        numbers(tilts, "_rlnTomoZRot", count),
        np.stack([numbers(tilts, f"_rlnTomo{axis}ShiftAngst", count) for axis in "XY"], axis=1),
        numbers(tilts, "_rlnMicrographPreExposure", count),
        x_tilts=numbers(tilts, "_rlnTomoXTilt", count),
        ctf=TiltCtf(
            numbers(tilts, "_rlnDefocusU", count),
            numbers(tilts, "_rlnDefocusV", count),
            numbers(tilts, "_rlnDefocusAngle", count),
            numbers(tilts, "_rlnPhaseShift", count),
            numbers(tilts, "_rlnCtfBfactor", count),
            numbers(tilts, "_rlnCtfScalefactor", count, 1.0),
        ),
        acquisition=Acquisition(
            value["_rlnVoltage"], value["_rlnSphericalAberration"], value["_rlnAmplitudeContrast"]
        ),
        handedness=int(value["_rlnTomoHand"]),
        defocus_slope=value.get("_rlnTomoDefocusSlope", 1.0),
        tomogram_size_px=tuple(int(value[f"_rlnTomoSize{axis}"]) for axis in "XYZ"),
        images=images,
    )


NUMBERS = [
    "_rlnVoltage",
    "_rlnSphericalAberration",
    "_rlnAmplitudeContrast",
    "_rlnTomoTiltSeriesPixelSize",
    "_rlnTomoHand",
    "_rlnTomoDefocusSlope",
    *[f"_rlnTomoSize{axis}" for axis in "XYZ"],
]


@dataclass(frozen=True)
class OracleParticle:
    """A particle of an output of RELION: offsets are applied, so its position is final."""

    position: np.ndarray  # Å, x y z from the corner
    visible: np.ndarray
    images: np.ndarray


def read_particle(folder: Path, variant: str, name: str, series: TiltSeries) -> OracleParticle:
    block = cif.read(str(folder / "out" / variant / "particles.star")).find_block("particles")
    row = column(block, "_rlnTomoParticleName").index(name)
    centred = [float(column(block, f"_rlnCenteredCoordinate{a}Angst")[row]) for a in "XYZ"]
    visible = cif.as_string(column(block, "_rlnTomoVisibleFrames")[row]).strip("[]").split(",")
    images = mrcfile.read(folder / "out" / variant / f"Subtomograms/{name}_stack2d.mrcs")
    centre = np.array(series.tomogram_size_px) / 2 * series.pixel_size
    return OracleParticle(centre + centred, np.array([v == "1" for v in visible]), images)
