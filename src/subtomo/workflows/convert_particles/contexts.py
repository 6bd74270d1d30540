"""What the tables of a conversion count in, from its settings."""

from dataclasses import replace

import numpy as np

from subtomo.errors import SettingsError
from subtomo.formats.dynamo_map import read_tomogram_map
from subtomo.formats.dynamo_vll import read_vll, tomogram_map_of
from subtomo.formats.particle_format import ParticleFormat
from subtomo.formats.table_context import TableContext
from subtomo.model import Particles, VoxelGrid
from subtomo.sources.tomogram_context import tomogram_context
from subtomo.workflows.convert_particles.settings import ConvertParticlesSettings


def check_options(
    settings: ConvertParticlesSettings, read: ParticleFormat, written: ParticleFormat
) -> None:
    """Refuse options that neither format of a conversion looks at.

    Raises
    ------
    SettingsError
        Naming the option and the formats.
    """
    reading = read.used_in_reading(settings.input)
    writing = written.used_in_writing
    both = reading | writing
    groups = read.group is not None or written.group is not None
    pixel_size_uses = both if settings.output_pixel_size is None else reading
    acts = {
        "pixel_size": "pixel_size" in pixel_size_uses or bool(settings.tomograms),
        "output_pixel_size": "pixel_size" in writing
        and ("grids" in writing or not settings.tomograms),
        "tomogram_size": "size_px" in both,
        "tomogram": "tomogram" in reading,
        "tomogram_map": "tomogram_map" in both,
        "one_based": "is_one_based" in reading,
        "output_one_based": "is_one_based" in writing,
        "group_id": groups,
    }
    for name, does in acts.items():
        if settings.is_changed(name) and not does:
            raise SettingsError(
                f"--{name.replace('_', '-')} has no effect from {read.title} to {written.title}; "
                "leave it out"
            )


def reading_context(settings: ConvertParticlesSettings) -> TableContext:
    """Say what the table read counts in.

    Raises
    ------
    SubtomoError
        If the tomograms or the map cannot be read.
    """
    known = TableContext(pixel_size=settings.pixel_size)
    if settings.tomograms:
        known = tomogram_context(settings.tomograms, pixel_size=settings.pixel_size)
    return replace(
        known.with_size(settings.tomogram_size),
        tomogram=settings.tomogram,
        tomogram_map=_tomogram_map(settings),
        is_one_based=settings.one_based,
        group_id=settings.group_id,
    )


def writing_context(settings: ConvertParticlesSettings, read: TableContext) -> TableContext:
    """Say what the table written is to count in."""
    context = replace(read, is_one_based=settings.output_one_based)
    size = settings.output_pixel_size
    if size is None:
        return context
    grids = {
        name: VoxelGrid(size, _scaled(grid.size_px, grid.pixel_size / size))
        for name, grid in read.grids.items()
    }
    old_size = read.pixel_size or size
    size_px = _scaled(read.size_px, old_size / size)
    return replace(context, grids=grids, pixel_size=size, size_px=size_px)


def outside(particles: Particles, context: TableContext) -> list[str]:
    """Say how many particles are outside their tomogram, where its size is known.

    Parameters
    ----------
    particles, context : as they were read

    Returns
    -------
    one line a tomogram that has any
    """
    told = []
    for name in np.unique(particles.tomogram).tolist():
        if name not in context.grids:
            continue
        grid = context.grids[name]
        if grid.size_px is None:
            continue
        indices = grid.indices(particles.position[particles.tomogram == name])
        is_out = ((indices < -0.5) | (indices > np.array(grid.size_px) - 0.5)).any(axis=1)
        if is_out.any():
            x, y, z = indices[np.flatnonzero(is_out)[0]]
            told.append(
                f"{int(is_out.sum())} of {len(indices)} particles are outside tomogram {name} of "
                f"{' x '.join(map(str, grid.size_px))} voxels, the first at voxel {x:.1f}, "
                f"{y:.1f}, {z:.1f}: check --pixel-size"
            )
    return told


def unknown_tomograms(particles: Particles, context: TableContext) -> list[str]:
    """Name the tomograms of a table that are not among those given."""
    known = {*context.grids, *context.frames}
    return [name for name in np.unique(particles.tomogram).tolist() if name not in known]


def _tomogram_map(settings: ConvertParticlesSettings) -> dict[int, str]:
    """Read the map of tomograms, if one is given."""
    path = settings.tomogram_map
    if path is None:
        return {}
    if path.suffix.lower() == ".vll":
        found = tomogram_map_of(read_vll(path), path)
    else:
        found = read_tomogram_map(path)
    if not found:
        raise SettingsError(f"--tomogram-map {path} names no tomogram; leave it out, or fill it")
    return found


def _scaled(size_px: tuple[int, int, int] | None, factor: float) -> tuple[int, int, int] | None:
    """Give a size in other voxels, rounded."""
    if size_px is None:
        return None
    x, y, z = (max(1, round(n * factor)) for n in size_px)
    return x, y, z
