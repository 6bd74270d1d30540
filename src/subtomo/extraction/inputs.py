"""The table of an extraction and its tomograms, read and matched by name."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import SettingsError, SubtomoError
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.formats.particles import read_particles
from subtomo.formats.table_context import TableContext
from subtomo.formats.tomogram_names import match_tomogram_names
from subtomo.model import Particles, Tomogram
from subtomo.sources.tomogram_context import tomogram_context
from subtomo.sources.tomograms import open_tomograms


@dataclass(frozen=True, eq=False)
class ExtractionInputs:
    """What boxes are cut from, and where.

    Parameters
    ----------
    particles : all of the table; their tomograms called as those given
    tomograms : those given, by name
    hint_scales : (n,) voxels before binning in one that the table counts in, for box sizes
    """

    particles: Particles
    tomograms: Mapping[str, Tomogram]
    hint_scales: NDArray[np.float64]


def read_extraction_inputs(settings: ExtractVolumesSettings) -> ExtractionInputs:
    """Read the table and the tomograms' headers.

    Raises
    ------
    SettingsError
        If what the table needs was not given, or an option for it cannot act.
    FormatError, MissingFileError, DataError
        If a file cannot be read.
    """
    opened = open_tomograms(settings.tomograms, pixel_size=settings.pixel_size)
    tomograms = {tomogram.name: tomogram for tomogram in opened}
    context = _context(settings, TableContext.of(opened))
    particles = _read(settings, context)
    _require_voxels(settings, context, particles)
    particles = _named(particles, list(tomograms))
    return ExtractionInputs(particles, tomograms, _hint_scales(particles, tomograms, context))


def _context(settings: ExtractVolumesSettings, of_tomograms: TableContext) -> TableContext:
    """Say which voxels the table counts in."""
    if settings.picked_in:
        return tomogram_context(settings.picked_in)
    if settings.picked_pixel_size is None:
        return of_tomograms
    return replace(of_tomograms, grids={}, pixel_size=settings.picked_pixel_size)


def _read(settings: ExtractVolumesSettings, context: TableContext) -> Particles:
    """Read the table; of tomograms that were not given, coordinates from the corner suffice."""
    path, name = settings.particles, settings.input_format
    try:
        return read_particles(path, context=context, format_name=name)
    except SettingsError:
        try:
            return read_particles(path, format_name=name)
        except SubtomoError:
            pass
        raise


def _require_voxels(
    settings: ExtractVolumesSettings, context: TableContext, particles: Particles
) -> None:
    """Refuse voxels that change neither places nor boxes, by reading the table with others."""
    if settings.box_size is None and particles.box_size.any():
        return
    for name in filter(settings.is_changed, ("picked_in", "picked_pixel_size")):
        other = _read(settings, _with_other_voxels(context))
        if len(particles) and np.array_equal(other.position, particles.position):
            raise SettingsError(
                f"--{name.replace('_', '-')} has no effect on {settings.particles}, whose "
                "coordinates are in Å; leave it out"
            )


def _with_other_voxels(context: TableContext) -> TableContext:
    """Make the voxels twice as large."""
    given = context.pixel_size
    return replace(
        context,
        grids={n: replace(g, pixel_size=2 * g.pixel_size) for n, g in context.grids.items()},
        frames={n: replace(f, pixel_size=2 * f.pixel_size) for n, f in context.frames.items()},
        pixel_size=None if given is None else 2 * given,
    )


def _named(particles: Particles, known: list[str]) -> Particles:
    """Call tomograms as those given are called, by their name or else their base name."""
    names, inverse = np.unique(particles.tomogram, return_inverse=True)
    found = match_tomogram_names(names.tolist(), known)
    renamed = np.array([found.get(name, name) for name in names.tolist()], dtype=np.str_)
    return particles.with_columns(tomogram=renamed[inverse])


def _hint_scales(
    particles: Particles, tomograms: Mapping[str, Tomogram], context: TableContext
) -> NDArray[np.float64]:
    """Divide the pixel size that the table counts in by the tomogram's, for each particle."""
    scales = np.ones(len(particles))
    for name in np.unique(particles.tomogram).tolist():
        if name not in tomograms:
            continue
        grid = context.grids.get(name)
        counted = context.pixel_size if grid is None else grid.pixel_size
        if counted is not None:
            scales[particles.tomogram == name] = counted / tomograms[name].volume.pixel_size
    return scales
