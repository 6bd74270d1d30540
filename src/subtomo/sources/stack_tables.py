"""Reading the tables of extracted particles; every file is looked at before a pixel is read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, MissingFileError, SettingsError, ShapeError, StarError
from subtomo.formats.mrc import read_mrc_header, require_whole
from subtomo.formats.optimisation_set import is_optimisation_set, read_optimisation_set
from subtomo.formats.paths import find_file, not_found
from subtomo.formats.relion_coordinates import CENTRED
from subtomo.formats.relion_optics import TILT_SERIES_PIXEL_SIZE
from subtomo.formats.relion_particles import particles_block
from subtomo.formats.relion_tomograms import read_tomograms_star
from subtomo.formats.star import StarTable, read_star
from subtomo.formats.star_contents import refuse_contents
from subtomo.formats.star_vectors import vectors
from subtomo.sources.particle_poses import particle_poses
from subtomo.sources.particle_project import TOMOGRAM, ParticleProject, make_particle_project
from subtomo.sources.particle_stacks import ParticleStacks
from subtomo.sources.settings import StackSource

IMAGE = "rlnImageName"
IMAGE_PIXEL_SIZE = "rlnImagePixelSize"
IMAGE_SIZE = "rlnImageSize"
VISIBLE_FRAMES = "rlnTomoVisibleFrames"
BINNING = "rlnTomoSubtomogramBinning"
PREMULTIPLIED = "rlnCtfDataAreCtfPremultiplied"
_DIMENSIONS = "rlnImageDimensionality"
_ARE_STACKS = "rlnTomoSubTomosAre2DStacks"
_WARP_TOMOGRAM = ".tomostar"
_PIXEL_SIZE_TOLERANCE = 0.01
_OPTICS_GROUP_NAME = "rlnOpticsGroupName"


def open_particle_stacks(source: StackSource) -> ParticleStacks:
    """Read the tables of extracted particles and the headers of their images.

    Parameters
    ----------
    source : which files

    Returns
    -------
    ParticleStacks, in the order of the table, only those of known tomograms

    Raises
    ------
    SettingsError
        If the pixel size of coordinates is given that are in Å.
    MissingFileError
        If a table or a stack does not exist.
    StarError
        If a column is missing, or a value is not what it should be.
    MrcError
        If a stack is truncated.
    DataError, ShapeError
        If a stack has another number of images than its particle has visible tilts, or the images
        differ in size or pixel size.

    Warns
    -----
    SubtomoWarning
        If particles are dropped because their tomogram is unknown.

    Notes
    -----
    A file has an image for every visible tilt, as RELION writes it, or for every tilt, as WarpTools
    does. ``rlnCoordinate*`` count pixels of the tilt series, in WarpTools' tables pixels of the
    images.
    """
    project = _read_project(source)
    table = project.particles
    table.require([IMAGE])
    without = particle_poses(project, apply_offsets=False)
    poses = particle_poses(project)
    pixel_size = _pixel_size(project, without.optics_row)
    cut_px = without.position_px * _coordinate_scale(project, source, pixel_size)[:, None]
    offsets_px = poses.position_px - without.position_px
    _check_sizes_of_tomograms(project)
    files = _files(table)
    visible, holds_all, box_size = _images(project, files)
    _check_box_size(project, without.optics_row, files, box_size)
    return ParticleStacks(
        project=project,
        poses=replace(poses, position_px=cut_px + offsets_px),
        cut_px=cut_px,
        files=files,
        visible=visible,
        holds_all=holds_all,
        box_size=box_size,
        pixel_size=pixel_size,
        is_premultiplied=_is_premultiplied(project.optics)[without.optics_row],
    )


def _read_project(source: StackSource) -> ParticleProject:
    """Read the tables; the images of the tilt series are not needed."""
    path, tomograms = source.particles, source.tomograms_starfile
    blocks = read_star(path)
    if is_optimisation_set(blocks):
        named = read_optimisation_set(path, without=_not_asked_for(tomograms))
        if named.particles is None or (named.tomograms is None and tomograms is None):
            missing = "particles" if named.particles is None else "tomograms"
            option = f"--{missing}-starfile" if missing == "tomograms" else "a particles.star"
            raise SettingsError(f"{path} names no table of {missing}; give {option}")
        path, tomograms = named.particles, tomograms or named.tomograms
        blocks = read_star(path)
    refuse_contents(path, blocks, "a table of particles", "the particles.star of an extraction")
    if tomograms is None:
        raise SettingsError(
            f"{path} does not name its table of tomograms; give --tomograms-starfile, or the "
            "optimisation set instead"
        )
    _check_kind(blocks.get("general"), blocks.get("optics"), path)
    entries = read_tomograms_star(tomograms, images_of=())
    hand = source.handedness
    series = {entry.name: replace(entry.tilt_series, images=None) for entry in entries}
    if hand is not None:
        series = {name: replace(one, handedness=hand) for name, one in series.items()}
    return make_particle_project(
        blocks[particles_block(path, blocks)],
        blocks["optics"],
        series,
        tomograms_file=str(tomograms),
    )


def _not_asked_for(tomograms: Path | None) -> set[str]:
    """Name what is not taken from an optimisation set; motion is in the images already."""
    return {"trajectories"} if tomograms is None else {"trajectories", "tomograms"}


def _check_kind(general: StarTable | None, optics: StarTable | None, path: Path) -> None:
    """Refuse tables of particles that are volumes."""
    if optics is None:
        raise StarError(
            f"{path}: no block data_optics, which says the pixel size of the images "
            f"({IMAGE_PIXEL_SIZE}); expected the particles.star of an extraction of 2D stacks"
        )
    is_volumes = general is not None and np.any(general.integers(_ARE_STACKS, default=1) == 0)
    if is_volumes or np.any(optics.integers(_DIMENSIONS, default=2) != 2):
        what = f"{_ARE_STACKS} is 0" if is_volumes else f"{_DIMENSIONS} is not 2"
        raise StarError(
            f"{path}: {what}: the particles are volumes; expected stacks of 2D images: extract "
            "them again with subtomo extract stacks"
        )


def _is_premultiplied(optics: StarTable) -> NDArray[np.bool_]:
    """Read in which optics groups the images are multiplied by their CTF; none by default."""
    values = optics.integers(PREMULTIPLIED, default=0)
    bad = np.flatnonzero((values != 0) & (values != 1))
    if len(bad):
        raise StarError(
            f"{optics.place(bad[0])}: {PREMULTIPLIED} is {values[bad[0]]}; expected 0 or 1"
        )
    return np.asarray(values == 1)


def _check_binning(optics: StarTable, row: int, pixel_size: float) -> None:
    """Compare the pixel size of a group's images with the binning it tells."""
    if BINNING not in optics or TILT_SERIES_PIXEL_SIZE not in optics:
        return
    binning, unbinned = optics.stacked([BINNING, TILT_SERIES_PIXEL_SIZE])[row].tolist()
    if abs(pixel_size - binning * unbinned) > _PIXEL_SIZE_TOLERANCE * pixel_size:
        raise StarError(
            f"{optics.place(row)}: {IMAGE_PIXEL_SIZE} is {pixel_size:g}, but {BINNING} · "
            f"{TILT_SERIES_PIXEL_SIZE} is {binning:g} · {unbinned:g} = {binning * unbinned:g}; "
            "expected the same: correct the table, or extract the particles again"
        )


def _check_sizes_of_tomograms(project: ParticleProject) -> None:
    """Refuse tomograms without a size: the defocus changes with the height from their centre."""
    for name in dict.fromkeys(project.tomogram.tolist()):
        if project.tilt_series[name].tomogram_size_px is None:
            raise DataError(
                f"{project.tomograms_file}: tomogram {name} has no size, which the depth of a "
                "particle is measured from; add rlnTomoSizeX, rlnTomoSizeY, rlnTomoSizeZ"
            )


def _pixel_size(project: ParticleProject, optics_row: NDArray[np.intp]) -> float:
    """Give the one pixel size of the images."""
    sizes = project.optics.stacked([IMAGE_PIXEL_SIZE])[:, 0]
    used = np.unique(optics_row)
    other = [row for row in used if not np.isclose(sizes[row], sizes[used[0]], rtol=1e-4)]
    if other:
        raise DataError(
            f"{project.optics.place(other[0])}: {IMAGE_PIXEL_SIZE} is {sizes[other[0]]:g} Å, in "
            f"another optics group {sizes[used[0]]:g} Å; expected one for all particles: extract "
            "them together"
        )
    if not sizes[used[0]] > 0:
        raise StarError(
            f"{project.optics.place(used[0])}: {IMAGE_PIXEL_SIZE} is {sizes[used[0]]:g}; expected "
            "more than 0 Å"
        )
    for row in used.tolist():
        _check_binning(project.optics, row, float(sizes[row]))
    return float(sizes[used[0]])


def _coordinate_scale(
    project: ParticleProject, source: StackSource, pixel_size: float
) -> NDArray[np.float64]:
    """Give the pixels of the tilt series in one of the coordinates, (n,)."""
    names = project.tomogram.tolist()
    of_series = np.array([project.tilt_series[name].pixel_size for name in names])
    if CENTRED[0] in project.particles:
        if source.coordinate_pixel_size is not None:
            raise SettingsError(
                f"--coordinate-pixel-size has no effect: {project.particles.source} has centred "
                f"coordinates in Å ({CENTRED[0]}); leave it out"
            )
        return np.ones(len(names))
    if source.coordinate_pixel_size is not None:
        return source.coordinate_pixel_size / of_series
    if all(name.endswith(_WARP_TOMOGRAM) for name in names):
        return pixel_size / of_series
    return np.ones(len(names))


def _files(table: StarTable) -> tuple[Path, ...]:
    """Find the stacks of the particles."""
    files: list[Path] = []
    missing: list[int] = []
    for row, name in enumerate(table.text(IMAGE).tolist()):
        found = find_file(name, table.source)
        if found is None:
            missing.append(row)
        else:
            files.append(found)
    if missing:
        name = str(table.columns[IMAGE][missing[0]])
        others = f"; {len(missing) - 1} more are missing" if len(missing) > 1 else ""
        raise MissingFileError(
            f"{table.place(missing[0])}: {IMAGE} {not_found(name, table.source)}{others}"
        )
    return tuple(files)


def _images(
    project: ParticleProject, files: tuple[Path, ...]
) -> tuple[tuple[NDArray[np.bool_], ...], NDArray[np.bool_], int]:
    """Find the visible tilts, which files have an image of every tilt, and the size of images."""
    table = project.particles
    n_tilts = [len(project.tilt_series[name]) for name in project.tomogram.tolist()]
    visible = _visible(table, n_tilts)
    holds_all = np.zeros(len(files), dtype=bool)
    box_size = 0
    for row, (file, seen) in enumerate(zip(files, visible, strict=True)):
        header = read_mrc_header(file)
        require_whole(file, header)
        n_images, height, width = header.shape
        box_size = box_size or width
        if height != width or width != box_size:
            raise ShapeError(
                f"{file}: images of {width} x {height} pixels, {files[0].name} has {box_size} x "
                f"{box_size}; expected squares of one size: extract the particles together"
            )
        n_visible = int(seen.sum())
        if n_images not in (n_visible, len(seen)):
            raise DataError(
                f"{file}: {n_images} images, but {table.place(row)} says that {n_visible} of "
                f"{len(seen)} tilts are visible ({VISIBLE_FRAMES}); expected an image for each of "
                "these, or of all tilts: extract the particle again"
            )
        holds_all[row] = n_images == len(seen)
    if box_size % 2:
        raise ShapeError(f"{files[0]}: images of {box_size} pixels; expected an even number")
    return tuple(visible), holds_all, box_size


def _visible(table: StarTable, n_tilts: list[int]) -> list[NDArray[np.bool_]]:
    """Read which tilts particles are visible on; all, where the table does not say."""
    if VISIBLE_FRAMES not in table:
        return [np.ones(n, dtype=bool) for n in n_tilts]
    found = vectors(table, VISIBLE_FRAMES)
    for row, (values, n) in enumerate(zip(found, n_tilts, strict=True)):
        if len(values) != n or not np.isin(values, (0, 1)).all() or not values.any():
            raise StarError(
                f"{table.place(row)}: {VISIBLE_FRAMES} has {len(values)} values, of which "
                f"{int((values == 1).sum())} are 1; expected a 1 or 0 for each of the {n} tilts of "
                f"{table.columns[TOMOGRAM][row]}, and at least one 1"
            )
    return [values == 1 for values in found]


def _check_box_size(
    project: ParticleProject, optics_row: NDArray[np.intp], files: tuple[Path, ...], box_size: int
) -> None:
    """Compare the images' size with what the optics groups say."""
    told = project.optics.integers(IMAGE_SIZE, default=box_size)[optics_row]
    wrong = np.flatnonzero(told != box_size)
    if len(wrong):
        raise ShapeError(
            f"{files[wrong[0]]}: images of {box_size} pixels, but {project.optics.source} says "
            f"{told[wrong[0]]} ({IMAGE_SIZE}); expected the same: extract the particles again"
        )
