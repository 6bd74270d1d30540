"""The tables of extracted particles, as RELION 5 writes them.

Source of columns, their order and what becomes of the poses: RELION 5, commit 73f0a3c0
(relion_tomo_subtomo).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from subtomo.formats.relion_coordinates import CENTRED, COORDINATES, ORIGINS
from subtomo.formats.relion_optics import TILT_SERIES_PIXEL_SIZE
from subtomo.formats.relion_particles import ANGLES, SUBTOMOGRAM_ANGLES
from subtomo.formats.relion_star import write_relion_star
from subtomo.formats.relion_trajectories import write_trajectories
from subtomo.formats.star import StarTable
from subtomo.geometry.euler import relion_from_quaternions
from subtomo.geometry.rotations import quaternions_from_matrices
from subtomo.sources.generated_tables import write_tomogram_tables
from subtomo.sources.particle_poses import Poses, tomogram_centres_px
from subtomo.sources.particle_project import ParticleProject

VISIBLE = "rlnTomoVisibleFrames"
IMAGE = "rlnImageName"
CTF_IMAGE = "rlnCtfImage"


@dataclass(frozen=True)
class OutputOptions:
    """What the tables say of an extraction.

    Parameters
    ----------
    binning : pixels of the tilt images in one of the output
    image_size : pixels
    is_premultiplied : whether images were multiplied by their CTF
    dimension : of the images, 2 or 3
    apply_offsets : whether the offsets became part of the coordinates
    apply_orientations : whether whole orientations became those of the subtomograms
    """

    binning: float
    image_size: int
    is_premultiplied: bool = True
    dimension: Literal[2, 3] = 2
    apply_offsets: bool = True
    apply_orientations: bool = False


def extraction_tables(
    project: ParticleProject,
    poses: Poses,
    rows: Iterable[int],
    options: OutputOptions,
    *,
    image_names: Sequence[str] | NDArray[np.str_],
    visible: Mapping[int, NDArray[np.bool_]] | None = None,
    ctf_names: Sequence[str] | NDArray[np.str_] | None = None,
) -> dict[str, StarTable]:
    """Make the blocks of ``particles.star``.

    Parameters
    ----------
    project, poses : what was extracted; poses with the offsets applied, or not, as in ``options``
    rows : of the particles that were extracted, in any order
    options : of the extraction
    image_names : (n,) names of the image files, for all particles of the project
    visible : (tilt,) bool by row, of 2D images
    ctf_names : (n,) names of the weight files, of 3D images

    Returns
    -------
    ``general``, ``optics`` and ``particles``; rows grouped by tomogram, in the order of the
    tomograms
    """
    wanted = set(rows)
    ordered = [
        row
        for of_tomogram in project.rows_by_tomogram().values()
        for row in of_tomogram.tolist()
        if row in wanted
    ]
    kept = np.array(ordered, dtype=np.intp)
    columns = dict(project.particles.select(kept).columns)
    for tag in (*COORDINATES, VISIBLE if options.dimension == 3 else CTF_IMAGE):
        columns.pop(tag, None)
    if visible is not None:
        columns[VISIBLE] = _flags([visible[row] for row in ordered])
    columns[IMAGE] = np.array([str(image_names[row]) for row in ordered], dtype=np.str_)
    if ctf_names is not None:
        columns[CTF_IMAGE] = np.array([str(ctf_names[row]) for row in ordered], dtype=np.str_)
    columns |= _pose_columns(project, poses, kept, options)
    are_2d = np.array([int(options.dimension == 2)])
    return {
        "general": StarTable({"rlnTomoSubTomosAre2DStacks": are_2d}, is_loop=False),
        "optics": _optics(project.optics, options),
        "particles": StarTable(columns),
    }


def write_extraction_tables(
    folder: Path, project: ParticleProject, tables: Mapping[str, StarTable]
) -> None:
    """Write ``particles.star`` and ``optimisation_set.star``, each replaced in one step.

    Where particles were left out, ``motion.star`` is written too, with the trajectories of those
    that stayed. Where the project came from no file, ``tomograms.star`` and ``tiltseries/`` are.

    Parameters
    ----------
    folder : where; the optimisation set names files as it is given
    project : what was extracted
    tables : made by ``extraction_tables``
    """
    write_relion_star(folder / "particles.star", tables)
    trajectories = project.trajectories_file
    particles = tables["particles"]
    if project.trajectories is not None and len(particles) < len(project):
        names = particles.text("rlnTomoParticleName").tolist()
        write_trajectories(folder / "motion.star", project.trajectories, names)
        trajectories = (folder / "motion.star").as_posix()
    tomograms = project.tomograms_file
    if project.is_generated:
        tomograms = write_tomogram_tables(folder, project, called=folder.as_posix())
    write_relion_star(
        folder / "optimisation_set.star",
        _optimisation_set((folder / "particles.star").as_posix(), tomograms, trajectories),
    )


def _optimisation_set(
    particles_file: str, tomograms_file: str, trajectories_file: str | None
) -> dict[str, StarTable]:
    """Name the files of the extracted project."""
    files = {
        "rlnTomoParticlesFile": particles_file,
        "rlnTomoTomogramsFile": tomograms_file,
    }
    if trajectories_file is not None:
        files["rlnTomoTrajectoriesFile"] = trajectories_file
    columns = {tag: np.array([name]) for tag, name in files.items()}
    return {"": StarTable(columns, is_loop=False)}


def _optics(optics: StarTable, options: OutputOptions) -> StarTable:
    """Add what the images are to the optics groups."""
    n = len(optics)
    columns: dict[str, NDArray[Any]] = {
        "rlnCtfDataAreCtfPremultiplied": np.full(n, int(options.is_premultiplied)),
        "rlnImageDimensionality": np.full(n, options.dimension),
        "rlnTomoSubtomogramBinning": np.full(n, float(options.binning)),
        "rlnImagePixelSize": optics.numbers(TILT_SERIES_PIXEL_SIZE) * options.binning,
        "rlnImageSize": np.full(n, options.image_size),
    }
    return StarTable({**optics.columns, **columns})


def _pose_columns(
    project: ParticleProject, poses: Poses, kept: NDArray[np.intp], options: OutputOptions
) -> dict[str, NDArray[Any]]:
    """Say what became of coordinates, offsets and angles."""
    columns: dict[str, NDArray[Any]] = {}
    if options.apply_offsets or options.apply_orientations:
        columns |= dict.fromkeys(ORIGINS, np.zeros(len(kept)))
    if options.apply_offsets or options.apply_orientations or CENTRED[0] not in project.particles:
        columns |= dict(zip(CENTRED, _centred(project, poses, kept).T, strict=True))
    if options.apply_orientations:
        angles = relion_from_quaternions(quaternions_from_matrices(poses.orientation[kept]))
        columns |= dict(zip(SUBTOMOGRAM_ANGLES, angles.T, strict=True))
        columns |= dict.fromkeys(ANGLES, np.zeros(len(kept)))
    return columns


def _centred(project: ParticleProject, poses: Poses, kept: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give positions in Å from the centres of the tomograms."""
    names = project.tomogram[kept].tolist()
    pixel_size = np.array([project.tilt_series[name].pixel_size for name in names])
    centred = (poses.position_px - tomogram_centres_px(project))[kept]
    return np.asarray(centred * pixel_size[:, None])


def _flags(visible: Sequence[NDArray[np.bool_]]) -> NDArray[np.str_]:
    """Write which tilts are visible, as ``[1,0,1]``."""
    digits = bytes.maketrans(b"\0\1", b"01")
    texts = (flags.astype(np.uint8).tobytes().translate(digits).decode() for flags in visible)
    return np.array([f"[{','.join(text)}]" for text in texts], dtype=np.str_)
