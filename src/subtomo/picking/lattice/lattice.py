"""All that is measured on one filament."""

from dataclasses import dataclass

from numpy.typing import ArrayLike

from subtomo.model import Volume
from subtomo.picking.lattice.axial_repeat import AxialRepeat, find_axial_repeat
from subtomo.picking.lattice.filament import Filament, trace_filament
from subtomo.picking.lattice.protofilaments import ProtofilamentScores, score_protofilaments


@dataclass(frozen=True, eq=False)
class Lattice:
    """The lattice of one filament.

    Parameters
    ----------
    filament : the tube and the picks on it
    axial_repeat : from the picks
    protofilaments : from the density on the tube that the picks gave
    """

    filament: Filament
    axial_repeat: AxialRepeat
    protofilaments: ProtofilamentScores


def measure_lattice(
    positions: ArrayLike,
    volume: Volume,
    *,
    scores: ArrayLike | None = None,
    shortest_repeat: float | None = None,
    longest_repeat: float | None = None,
    candidates: tuple[int, int] = (10, 17),
) -> Lattice:
    """Measure the axial repeat and score the numbers of protofilaments of one filament.

    Parameters
    ----------
    positions : (n, 3) Å, columns x, y, z; picks, most of them on the filament
    volume : the tomogram they were picked in
    scores : (n,) of the picks, which help to find the filament amid many strays
    shortest_repeat : Å; two voxels when not given, the finest that the tomogram can show
    longest_repeat : Å; a tenth of the filament's length when not given
    candidates : first and last number of protofilaments

    Returns
    -------
    Lattice

    Raises
    ------
    DataError
        If there are too few picks, or the filament is too short.
    """
    filament = trace_filament(positions, scores)
    shortest = 2 * volume.pixel_size if shortest_repeat is None else shortest_repeat
    axial_repeat = find_axial_repeat(filament, shortest=shortest, longest=longest_repeat)
    protofilaments = score_protofilaments(
        volume, filament, repeat=axial_repeat.repeat, candidates=candidates
    )
    return Lattice(filament, axial_repeat, protofilaments)
