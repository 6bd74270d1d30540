"""Picks and their tomograms, as they were given."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import some_of
from subtomo.errors import SettingsError
from subtomo.formats.dynamo_map import read_tomogram_map
from subtomo.formats.dynamo_vll import read_vll, tomogram_map_of
from subtomo.formats.given_once import require_given_once
from subtomo.formats.particle_formats import format_of
from subtomo.formats.particles import read_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, Tomogram
from subtomo.picking.import_particles.settings import ImportParticlesSettings
from subtomo.sources.particle_placement import Placement
from subtomo.sources.tomograms import open_tomograms

_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class Picks:
    """Picks in voxels of their tomograms, before they are placed.

    Parameters
    ----------
    particles : as they were read; their positions are those of an unchanged placement
    coordinates : (n, 3) voxels of the tomograms, columns x, y, z
    tomograms : by name, those that have picks
    placement : what the options say is to be done
    """

    particles: Particles
    coordinates: NDArray[np.float64]
    tomograms: dict[str, Tomogram]
    placement: Placement

    @property
    def pixel_size(self) -> float:
        """Å, of the tomograms; 1 where there are no picks."""
        return next((t.volume.pixel_size for t in self.tomograms.values()), 1.0)


def read_picks(settings: ImportParticlesSettings) -> Picks:
    """Read tables and open their tomograms.

    Raises
    ------
    SubtomoError
        If a file cannot be read or is given twice, a table is of a tomogram that was not given, an
        option does not act on a format, or the tomograms have several pixel sizes where one is
        needed.
    """
    require_given_once(settings.particles)
    opened = {t.name: t for t in open_tomograms(settings.tomograms)}
    context = replace(
        TableContext.of(opened.values()),
        tomogram=settings.tomogram,
        tomogram_map=_tomogram_map(settings.tomogram_map),
    )
    tables = [_read(path, context, opened, settings) for path in settings.particles]
    particles = Particles.concatenate(tables)
    used = {name: opened[name] for name in np.unique(particles.tomogram).tolist()}
    coordinates = np.empty((len(particles), 3))
    for name, tomogram in used.items():
        rows = particles.tomogram == name
        coordinates[rows] = tomogram.volume.grid.indices(particles.position[rows])
    return Picks(particles, coordinates, used, _placement(settings, used))


def _read(
    path: Path,
    context: TableContext,
    opened: dict[str, Tomogram],
    settings: ImportParticlesSettings,
) -> Particles:
    """Read one table."""
    row = format_of(path, settings.input_format)
    for name in ("tomogram", "tomogram_map"):
        if settings.is_changed(name) and name not in row.uses:
            raise SettingsError(
                f"{path}: --{name.replace('_', '-')} has no effect with a {row.title}, which names "
                "its tomograms; leave it out"
            )
    particles = read_particles(path, format_name=row.name, context=context)
    if settings.one_based or settings.pixel_size is not None:
        counted = read_particles(
            path, format_name=row.name, context=replace(context, is_one_based=True)
        )
        if len(particles) and np.array_equal(counted.position, particles.position):
            option = "--one-based" if settings.one_based else "--pixel-size"
            raise SettingsError(
                f"{path}: {option} has no effect: its positions are not counted in voxels; leave "
                "it out, or give --scale"
            )
    unknown = [name for name in np.unique(particles.tomogram).tolist() if name not in opened]
    if unknown:
        raise SettingsError(
            f"{path}: is of tomogram {unknown[0]}, which is not among those given "
            f"({some_of(opened)}): give it too (--tomograms), or name the table's "
            "(--tomogram, --tomogram-map)"
        )
    return particles


def _placement(settings: ImportParticlesSettings, tomograms: dict[str, Tomogram]) -> Placement:
    """Give what the options say is to be done."""
    sizes = [t.volume.pixel_size for t in tomograms.values()]
    size = sizes[0] if sizes else 1.0
    least, most = min(sizes, default=size), max(sizes, default=size)
    option = "--pixel-size" if settings.pixel_size is not None else "--shift"
    needs_one = settings.pixel_size is not None or any(settings.shift)
    if needs_one and most > least * (1 + _TOLERANCE):
        raise SettingsError(
            f"{option} needs tomograms of one pixel size; found {least:g} to {most:g} Å: import "
            "them one pixel size at a time"
        )
    scale = settings.scale or 1.0
    if settings.pixel_size is not None:
        scale = settings.pixel_size / size
    x, y, z = (value / size for value in settings.shift)
    return Placement(
        is_one_based=settings.one_based,
        scale=scale,
        keeps_corner=settings.scale_keeps == "corner",
        swaps_yz=settings.swap_yz,
        origin=settings.origin,
        flips="".join(sorted((settings.flip or "").lower())),
        shift_px=(x, y, z),
    )


def _tomogram_map(path: Path | None) -> dict[int, str]:
    """Read the map of tomograms, if one is given."""
    if path is None:
        return {}
    if path.suffix.lower() == ".vll":
        found = tomogram_map_of(read_vll(path), path)
    else:
        found = read_tomogram_map(path)
    if not found:
        raise SettingsError(f"--tomogram-map {path} names no tomogram; leave it out, or fill it")
    return found
