"""What will be extracted, found from the tables before any pixel is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of
from subtomo.errors import DataError, OutputError
from subtomo.extraction.stacks.settings import StackSettings
from subtomo.formats.paths import is_remote
from subtomo.formats.star import quoted
from subtomo.formats.tilt_images import split_image_name
from subtomo.geometry.particle_views import ViewGrid, neighbourhoods, particle_views
from subtomo.model import TiltSeries
from subtomo.sources.particle_poses import Poses, particle_poses
from subtomo.sources.particle_project import ParticleProject
from subtomo.sources.project import open_project
from subtomo.sources.series_checks import require_ctf, require_window

_PORTION = 250  # particles of an item, at most
_LONGEST_NAME = 200  # bytes; file systems take 255, with what is put around it


@dataclass(frozen=True, eq=False)
class Portion:
    """Some particles of a tilt series, all of one optics group.

    Parameters
    ----------
    tomogram : its name
    rows : of the particles
    optics_row : of their optics group
    """

    tomogram: str
    rows: NDArray[np.intp]
    optics_row: int


@dataclass(frozen=True, eq=False)
class StackExtraction:
    """What will be extracted.

    Parameters
    ----------
    project : particles and tilt series
    poses : of all particles
    visible : by row of a particle, (tilt,) bool
    names : (n,) paths of the particles' files in the output folder, without what kind they are
    portions : the items, by name
    """

    project: ParticleProject
    poses: Poses
    visible: Mapping[int, NDArray[np.bool_]]
    names: NDArray[np.str_]
    portions: Mapping[str, Portion]

    @property
    def image_count(self) -> int:
        """Number of images that will be written."""
        rows = (row for portion in self.portions.values() for row in portion.rows.tolist())
        return sum(int(self.visible[row].sum()) for row in rows)


def plan_extraction(settings: StackSettings) -> StackExtraction:
    """Read the tables and find which particles are visible where.

    Raises
    ------
    SubtomoError
        If the tables cannot be used, the boxes do not fit the images, or no particle is visible.
    """
    project = open_project(settings, need_ctf=settings.premultiply_ctf)
    poses = particle_poses(
        project, apply_offsets=settings.apply_offsets or settings.apply_orientations
    )
    visible: dict[int, NDArray[np.bool_]] = {}
    portions: dict[str, Portion] = {}
    for name, rows in project.rows_by_tomogram().items():
        series = project.tilt_series[name]
        if settings.premultiply_ctf:
            require_ctf(series)
        require_window(series, settings.box_size, settings.bin, view_grid(settings).window_size)
        seen = _visible(project, poses, series, rows, settings)
        visible |= dict(zip(rows.tolist(), seen, strict=True))
        portions |= _portions(name, rows[seen.sum(axis=1) >= settings.min_frames], poses)
    if not portions:
        raise DataError(_why_nothing(project, settings))
    names = _file_names(project)
    _check_outputs(settings, project, names)
    return StackExtraction(project, poses, visible, names, portions)


def view_grid(settings: StackSettings) -> ViewGrid:
    """Give the grid that the settings ask for."""
    margin = settings.bin * settings.final_size / 2
    return ViewGrid(settings.box_size, settings.bin, margin, settings.max_dose)


def _visible(
    project: ParticleProject,
    poses: Poses,
    series: TiltSeries,
    rows: NDArray[np.intp],
    settings: StackSettings,
) -> NDArray[np.bool_]:
    views = particle_views(
        series,
        poses.position_px[rows] * series.pixel_size,
        view_grid(settings),
        trajectories=project.trajectories_of(rows),
    )
    return views.visible


def _why_nothing(project: ParticleProject, settings: StackSettings) -> str:
    """Say that no particle is visible, and which options may be the reason."""
    late = "" if settings.max_dose is None else f" taken before {settings.max_dose:g} e⁻/Å²"
    margin = view_grid(settings).margin_px
    few = settings.min_frames == 1
    options = "--box-size or --crop-size" if few else "--box-size, --crop-size or --min-frames"
    larger = ", or a larger --max-dose" if late else ""
    return (
        f"{project.particles.source}: no particle lies {margin:g} pixels or more inside "
        f"{count_of(settings.min_frames, 'tilt image')}{late}; give a smaller "
        f"{options}{larger}, or check the coordinates"
    )


def _portions(tomogram: str, rows: NDArray[np.intp], poses: Poses) -> Iterator[tuple[str, Portion]]:
    """Cut the particles of a tomogram into items of neighbours, each of one optics group."""
    rows = rows[np.argsort(neighbourhoods(poses.position_px[rows]), kind="stable")]
    parts = []
    for optics_row in np.unique(poses.optics_row[rows]).tolist():
        mine = rows[poses.optics_row[rows] == optics_row]
        cut = np.array_split(mine, -(-len(mine) // _PORTION))
        parts += [Portion(tomogram, part, optics_row) for part in cut]
    for number, portion in enumerate(parts, start=1):
        yield tomogram if len(parts) == 1 else f"{tomogram} part {number}", portion


def _file_names(project: ParticleProject) -> NDArray[np.str_]:
    """Name the particles' files as RELION does: by tomogram only if the names do not say it."""
    names = project.particle_name
    if len(names) and "/" not in names[0]:
        pairs = zip(project.tomogram, names, strict=True)
        names = np.array([f"{tomogram}/{name}" for tomogram, name in pairs])
    seen: set[str] = set()
    for row, name in enumerate(names.tolist()):
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts or not parts:
            raise DataError(
                f"{project.particles.place(row)}: rlnTomoParticleName {name!r} leads out of the "
                "output folder; expected a name such as TS_01/3"
            )
        if name != "/".join(parts):
            raise DataError(
                f"{project.particles.place(row)}: rlnTomoParticleName {name!r} is not the plain "
                f"name of a file; expected {'/'.join(parts)}"
            )
        if name in seen:
            raise DataError(
                f"{project.particles.place(row)}: rlnTomoParticleName {name} comes twice; expected "
                "different names, since files are named by them"
            )
        if max(len(part.encode()) for part in parts) > _LONGEST_NAME:
            raise DataError(
                f"{project.particles.place(row)}: rlnTomoParticleName {name[:40]}… is too long for "
                f"the name of a file; expected at most {_LONGEST_NAME} bytes"
            )
        seen.add(name)
    return np.char.add("Subtomograms/", names)


def _check_outputs(
    settings: StackSettings, project: ParticleProject, names: NDArray[np.str_]
) -> None:
    """Refuse a folder where files that are read would be replaced, or that no table can name."""
    quoted(np.array([settings.output_dir.as_posix()]), "--output-dir")
    folder = settings.output_dir.expanduser().resolve()
    images = {
        split_image_name(name)[1]
        for series in project.tilt_series.values()
        for name in series.image_names
    }
    read = {path.expanduser().resolve() for path in project.inputs}
    read |= {Path(name).resolve() for name in images if not is_remote(name)}
    inside = {path.relative_to(folder).as_posix() for path in read if path.is_relative_to(folder)}
    written = {"particles.star", "optimisation_set.star", "motion.star"}
    if any(name.startswith("Subtomograms/") for name in inside):
        written |= {f"{name}{ending}" for name in names.tolist() for ending in settings.endings}
    for name in sorted(inside & written):
        raise OutputError(
            f"--output-dir {settings.output_dir}: {name} there is an input, and would be "
            "replaced; choose another folder"
        )
