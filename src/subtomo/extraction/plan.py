"""What will be extracted, checked before anything is written."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import some_of
from subtomo.errors import SettingsError
from subtomo.extraction.inputs import read_extraction_inputs
from subtomo.extraction.settings import ExtractVolumesSettings
from subtomo.extraction.transfer import Weighting, weighting_of
from subtomo.formats.finite import require_finite, require_variation
from subtomo.formats.tomogram_names import require_different_files
from subtomo.model import Particles, Tomogram
from subtomo.signal.boxes import boxes_inside, boxes_touching, voxels_beyond


@dataclass(frozen=True, eq=False)
class Extraction:
    """What will be extracted.

    Parameters
    ----------
    particles : all of the table
    tomograms : those with particles, by name
    rows : rows of the particles of each tomogram that get a box
    weightings : of each tomogram
    box_size : voxels after binning; 0 where there are no particles
    reasons : (n,) text, why a particle gets no box; empty where it does
    is_padded : (n,) whether the box is filled up
    """

    particles: Particles
    tomograms: Mapping[str, Tomogram]
    rows: Mapping[str, NDArray[np.int64]]
    weightings: Mapping[str, Weighting]
    box_size: int
    reasons: NDArray[np.str_]
    is_padded: NDArray[np.bool_]

    @property
    def is_weighted(self) -> bool:
        """Whether a tomogram has a transfer function; then all of them get one."""
        return any(weighting != "none" for weighting in self.weightings.values())

    @property
    def is_unknown(self) -> NDArray[np.bool_]:
        """Which particles are of tomograms that were not given: (n,)."""
        return ~np.isin(self.particles.tomogram, list(self.tomograms))


def plan_extraction(settings: ExtractVolumesSettings) -> Extraction:
    """Read the table and the tomograms' headers, and choose what gets a box.

    Raises
    ------
    SettingsError
        If no particle belongs to a given tomogram, no box size is known, or no box fits.
    DataError
        If a tomogram holds values that are not finite, or one value only.
    """
    inputs = read_extraction_inputs(settings)
    particles = inputs.particles
    used = {
        name: tomogram
        for name, tomogram in inputs.tomograms.items()
        if np.any(particles.tomogram == name)
    }
    if len(particles) and not used:
        raise SettingsError(
            f"{settings.particles}: its particles are of tomograms "
            f"{some_of(np.unique(particles.tomogram).tolist())}, but --tomograms gives "
            f"{some_of(inputs.tomograms)}; expected the same names"
        )
    box_size = _box_size(settings, particles, inputs.hint_scales) if len(particles) else 0
    reasons = np.full(len(particles), "", dtype=object)
    reasons[~np.isin(particles.tomogram, list(used))] = "its tomogram was not given"
    is_padded = np.zeros(len(particles), dtype=bool)
    for name, tomogram in used.items():
        mine = np.flatnonzero(particles.tomogram == name)
        positions = particles.position[mine]
        reasons[mine], is_padded[mine] = _judge(tomogram, positions, box_size, settings)
    rows = {name: np.flatnonzero((particles.tomogram == name) & (reasons == "")) for name in used}
    if len(particles) and not any(len(mine) for mine in rows.values()):
        is_padding = settings.border == "pad"
        raise SettingsError(
            f"no box of {box_size} voxels (binning {settings.binning}) "
            + (
                "reaches into its tomogram; check the positions and the pixel sizes"
                if is_padding
                else "lies in its tomogram; give a smaller --box-size or --border pad, or check "
                "the positions' pixel size"
            )
        )
    for name, tomogram in used.items():
        require_finite(tomogram.volume, f"tomogram {name}")
        require_variation(tomogram.volume, f"tomogram {name}")
    require_different_files(used)
    return Extraction(
        particles=particles,
        tomograms=used,
        rows={name: mine for name, mine in rows.items() if len(mine)},
        weightings={name: weighting_of(tomogram, settings) for name, tomogram in used.items()},
        box_size=box_size,
        reasons=reasons.astype(np.str_),
        is_padded=is_padded,
    )


def _judge(
    tomogram: Tomogram,
    positions: NDArray[np.float64],
    box_size: int,
    settings: ExtractVolumesSettings,
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Say of each position why it gets no box, or nothing, and whether its box is filled up."""
    grid = (tomogram.volume, positions, box_size)
    fits = boxes_inside(*grid, binning=settings.binning)
    reasons = np.full(len(positions), "", dtype=object)
    if settings.border == "drop":
        beyond = voxels_beyond(*grid, binning=settings.binning)
        reasons[~fits] = [_why(voxels) for voxels in beyond[~fits]]
        return reasons, np.zeros(len(positions), dtype=bool)
    touches = boxes_touching(*grid, binning=settings.binning)
    reasons[~touches] = "its box lies wholly outside its tomogram"
    return reasons, touches & ~fits


def _box_size(
    settings: ExtractVolumesSettings, particles: Particles, scales: NDArray[np.float64]
) -> int:
    """Box size after binning: given, or the one in the table."""
    if settings.box_size is not None:
        return settings.box_size
    hints = np.unique(np.rint(particles.box_size * scales).astype(np.int64))
    if len(hints) == 1 and hints[0] > 0:
        return max(4, int(hints[0]) // settings.binning)
    found = "none" if not np.any(hints > 0) else ", ".join(str(hint) for hint in hints)
    raise SettingsError(
        f"{settings.particles}: box size in the table: {found}; expected one for all particles: "
        "give --box-size"
    )


def _why(beyond: NDArray[np.int64]) -> str:
    """Say how far a box reaches beyond its tomogram: (3,) voxels along x, y, z."""
    parts = [f"{n} voxels along {axis}" for n, axis in zip(beyond, "xyz", strict=True) if n]
    return f"its box reaches beyond its tomogram by {', '.join(parts)}"
