"""What will be extracted, checked before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, SettingsError, SubtomoError
from subtomo.extraction.boxes import boxes_inside, boxes_touching
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.extraction.transfer import Weighting, weighting_of
from subtomo.formats.finite import require_finite, require_variation
from subtomo.formats.particles import read_particles
from subtomo.model import Particles, Tomogram
from subtomo.sources.tomograms import open_tomograms


@dataclass(frozen=True, eq=False)
class Extraction:
    """What will be extracted.

    Parameters
    ----------
    particles : all of the table
    tomograms : those with particles, by name
    rows : rows of the particles of each tomogram that get a box
    weightings : of each tomogram
    box_size : voxels after binning
    outside : particles left out because their box reaches beyond the tomogram
    padded : particles whose box is filled up
    unknown : particles of tomograms that were not given
    """

    particles: Particles
    tomograms: Mapping[str, Tomogram]
    rows: Mapping[str, NDArray[np.int64]]
    weightings: Mapping[str, Weighting]
    box_size: int
    outside: int
    padded: int
    unknown: int

    @property
    def is_weighted(self) -> bool:
        """Whether a tomogram has a transfer function; then all of them get one."""
        return any(weighting != "none" for weighting in self.weightings.values())


def plan_extraction(settings: ExtractVolumesSettings) -> Extraction:
    """Read the table and the tomograms' headers, and choose what gets a box.

    Raises
    ------
    SettingsError
        If no particle belongs to a given tomogram, no box size is known, or no box fits.
    DataError
        If a tomogram holds values that are not finite, or one value only.
    """
    tomograms = {
        t.name: t for t in open_tomograms(settings.tomograms, pixel_size=settings.pixel_size)
    }
    particles = _read_particles(settings, tomograms)
    if not len(particles):
        raise DataError(f"{settings.particles}: no particles; expected at least one")
    used = {name: t for name, t in tomograms.items() if np.any(particles.tomogram == name)}
    if not used:
        raise SettingsError(
            f"{settings.particles}: its particles are of tomograms "
            f"{_some(np.unique(particles.tomogram).tolist())}, but --tomograms gives "
            f"{_some(list(tomograms))}; expected the same names"
        )
    box_size = _box_size(settings, particles)
    rows: dict[str, NDArray[np.int64]] = {}
    outside = padded = 0
    for name, tomogram in used.items():
        mine = np.flatnonzero(particles.tomogram == name)
        fits, touches = (
            test(tomogram.volume, particles.position[mine], box_size, binning=settings.binning)
            for test in (boxes_inside, boxes_touching)
        )
        kept = fits if settings.border == "skip" else touches
        rows[name] = mine[kept]
        outside += int((~kept).sum())
        padded += int((kept & ~fits).sum())
    if not sum(len(mine) for mine in rows.values()):
        raise SettingsError(
            f"no box of {box_size} voxels (binning {settings.binning}) lies in its tomogram; give "
            "a smaller --box-size or --border pad, or check the positions' pixel size"
        )
    for name, tomogram in used.items():
        require_finite(tomogram.volume, f"tomogram {name}")
        require_variation(tomogram.volume, f"tomogram {name}")
    return Extraction(
        particles=particles,
        tomograms=used,
        rows={name: mine for name, mine in rows.items() if len(mine)},
        weightings={name: weighting_of(tomogram, settings) for name, tomogram in used.items()},
        box_size=box_size,
        outside=outside,
        padded=padded,
        unknown=int((~np.isin(particles.tomogram, list(used))).sum()),
    )


def _read_particles(
    settings: ExtractVolumesSettings, tomograms: Mapping[str, Tomogram]
) -> Particles:
    """Read the table; of tomograms that were not given, coordinates from the corner suffice."""
    frames = {name: tomogram.frame for name, tomogram in tomograms.items()}
    try:
        return read_particles(settings.particles, frames=frames)
    except SettingsError:
        try:
            return read_particles(settings.particles)
        except SubtomoError:
            pass
        raise


def _box_size(settings: ExtractVolumesSettings, particles: Particles) -> int:
    """Box size after binning: given, or the one in the table."""
    if settings.box_size is not None:
        return settings.box_size
    hints = np.unique(particles.box_size)
    if len(hints) == 1 and hints[0] > 0:
        return max(4, int(hints[0]) // settings.binning)
    found = "none" if not np.any(hints > 0) else ", ".join(str(hint) for hint in hints)
    raise SettingsError(
        f"{settings.particles}: box size in the table: {found}; expected one for all particles: "
        "give --box-size"
    )


def _some(names: list[str]) -> str:
    """Name the first few."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
