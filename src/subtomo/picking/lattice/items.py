"""The measurement of one filament, as an item of the job."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError
from subtomo.formats.atomic import replacing
from subtomo.formats.particles import read_particles
from subtomo.formats.table_context import TableContext
from subtomo.geometry.rotations import quaternions_from_matrices
from subtomo.model import Particles, Tomogram
from subtomo.picking.lattice.axial_repeat import ORDERS
from subtomo.picking.lattice.lattice import Lattice, measure_lattice
from subtomo.picking.lattice.settings import LatticeSettings
from subtomo.picking.lattice.views import central_slab, mean_cross_section
from subtomo.sources.tomograms import open_tomograms

HEIGHT = "subtomoFilamentHeight"
ANGLE = "subtomoFilamentAngle"


@dataclass(frozen=True, eq=False)
class Inputs:
    """The picks and their tomograms.

    Parameters
    ----------
    tomograms : by name, those that have picks
    particles : all picks
    filaments : the picks of each filament (indices), by its name
    """

    tomograms: dict[str, Tomogram]
    particles: Particles
    filaments: dict[str, NDArray[np.intp]]

    def tomogram_of(self, filament: str) -> Tomogram:
        """Find the tomogram that a filament lies in."""
        return self.tomograms[str(self.particles.tomogram[self.filaments[filament][0]])]


def open_inputs(settings: LatticeSettings) -> Inputs:
    """Read the picks and open their tomograms, the values unread.

    Raises
    ------
    DataError
        If there are no picks, or picks of a tomogram that is not given or wholly outside theirs.
    """
    found = {t.name: t for t in open_tomograms(settings.tomograms, pixel_size=settings.pixel_size)}
    particles = read_particles(settings.particles, context=TableContext.of(found.values()))
    if not len(particles):
        raise DataError(f"{settings.particles}: holds no particles; expected picks on a filament")
    names = [str(name) for name in dict.fromkeys(particles.tomogram)]
    missing = [name for name in names if name not in found]
    if missing:
        raise DataError(
            f"{settings.particles}: has particles of tomogram {missing[0]}, which is not among "
            f"those given ({', '.join(found)}); add it to --tomograms"
        )
    inputs = Inputs({name: found[name] for name in names}, particles, _filaments(particles))
    for filament, rows in inputs.filaments.items():
        tomogram = inputs.tomogram_of(filament)
        index = tomogram.volume.position_to_index(particles.position[rows])
        if (
            not ((index > -0.5) & (index < np.array(tomogram.volume.shape[::-1]) - 0.5))
            .all(1)
            .any()
        ):
            raise DataError(
                f"{settings.particles}: all {len(rows)} particles of {filament} lie outside "
                f"tomogram {tomogram.name}; check the pixel sizes of both"
            )
    return inputs


def measure_filament(payload: dict[str, Any]) -> dict[str, Any]:
    """Measure one filament; write what the figures and the table of particles need.

    Parameters
    ----------
    payload : ``settings``, ``filament`` (its name), ``path`` (of the arrays, .npz)

    Returns
    -------
    The numbers of the filament's row in ``lattice.csv``
    """
    settings: LatticeSettings = payload["settings"]
    inputs = open_inputs(settings)
    rows = inputs.filaments[payload["filament"]]
    scores = inputs.particles.score[rows]
    lattice = measure_lattice(
        inputs.particles.position[rows],
        inputs.tomogram_of(payload["filament"]).volume,
        scores=scores if np.isfinite(scores).all() else None,
        shortest_repeat=settings.shortest_repeat,
        longest_repeat=settings.longest_repeat,
        candidates=settings.protofilaments,
    )
    arrays = _arrays(lattice, rows, inputs, payload["filament"])
    with replacing(Path(payload["path"])) as temporary:
        np.savez(temporary, **arrays)
    return _row(lattice, len(rows))


def wall_particles(particles: Particles, arrays: dict[str, Any], filament: str) -> Particles:
    """Make the table of the picks on a filament's wall, oriented by it.

    Parameters
    ----------
    particles : all picks
    arrays : what ``measure_filament`` wrote
    filament : name, the particles' instance

    Returns
    -------
    Particles
        Their z axis points along the filament (which end is which is not known), x outwards.
    """
    picked = particles.select(arrays["rows"])
    extra = {
        **picked.extra,
        HEIGHT: arrays["heights"],
        ANGLE: np.degrees(arrays["angles"]),
    }
    return picked.with_columns(
        orientation=arrays["orientations"], instance=np.full(len(picked), filament), extra=extra
    )


def _filaments(particles: Particles) -> dict[str, NDArray[np.intp]]:
    """Group picks by tomogram and instance."""
    tomogram, instance = particles.tomogram, particles.instance.astype(np.str_)
    groups: dict[str, NDArray[np.intp]] = {}
    for name in dict.fromkeys(tomogram):
        of_tomogram = tomogram == name
        for one in dict.fromkeys(instance[of_tomogram]):
            label = f"{name}_{one}" if one else str(name)
            groups[label] = np.flatnonzero(of_tomogram & (instance == one))
    return groups


def _arrays(lattice: Lattice, rows: NDArray[np.intp], inputs: Inputs, name: str) -> dict[str, Any]:
    """Wall picks, spectra and views of one filament."""
    filament, repeat, numbers = lattice.filament, lattice.axial_repeat, lattice.protofilaments
    cylinder, on_wall = filament.cylinder, rows[filament.on_wall]
    volume = inputs.tomogram_of(name).volume
    positions = inputs.particles.position[on_wall]
    cross_section, half_width = mean_cross_section(volume, filament)
    slab, slab_limits = central_slab(volume, filament)
    return {
        "rows": on_wall,
        "positions": positions,
        "heights": filament.heights,
        "angles": filament.angles,
        "distances": cylinder.coordinates(positions)[2],
        "orientations": quaternions_from_matrices(
            cylinder.frames(filament.heights, filament.angles)
        ),
        "half_axes": cylinder.half_axes,
        "pick_orders": ORDERS,
        "pick_frequencies": repeat.frequencies,
        "pick_spectrum": repeat.spectrum,
        "pick_power": repeat.power,
        "density_orders": numbers.orders,
        "density_frequencies": numbers.frequencies,
        "density_power": numbers.power,
        "cross_section": cross_section,
        "cross_section_half_width": np.array(half_width),
        "slab": slab,
        "slab_limits": np.array(slab_limits),
        "slab_pixel_size": np.array(volume.pixel_size),
        "slab_origin": np.array(volume.origin),
    }


def _row(lattice: Lattice, n_picks: int) -> dict[str, Any]:
    """Numbers of one filament."""
    filament, repeat, numbers = lattice.filament, lattice.axial_repeat, lattice.protofilaments
    along_beam, across = filament.cylinder.half_axes
    row = {
        "picks": n_picks,
        "picks_on_wall": int(filament.on_wall.sum()),
        "length": filament.length,
        "radius": filament.cylinder.radius,
        "half_axis_along_beam": float(along_beam),
        "half_axis_across": float(across),
        "wall_thickness": filament.thickness,
        "axial_repeat": repeat.repeat,
        "contrast": repeat.contrast,
        "lead": repeat.lead,
        "start": repeat.start,
        "protofilaments": numbers.best,
    }
    for name, values in (
        ("score", numbers.score),
        ("equator", numbers.equator),
        ("layer_line", numbers.layer_line),
    ):
        row |= {f"{name}_{n}": float(v) for n, v in zip(numbers.candidates, values, strict=True)}
    return row
