"""What the tables of a STAR file are, to say so of one that is given in another's place."""

from collections.abc import Mapping

from subtomo.errors import StarError
from subtomo.formats.optimisation_set import is_optimisation_set
from subtomo.formats.star import StarTable

_MARKS = {  # by a column that no other kind has; the first that fits counts
    "rlnTomoHand": "a table of tomograms",
    "rlnCoordinateX": "a table of particles",
    "rlnCenteredCoordinateXAngst": "a table of particles",
}


def refuse_contents(
    path: object, blocks: Mapping[str, StarTable], allowed: str, where: str
) -> None:
    """Refuse a file that holds something else than it is given for.

    Parameters
    ----------
    path : of the file
    blocks : that it holds
    allowed : what is expected, as "a table of particles"
    where : which file that would be

    Raises
    ------
    StarError
        If it is one of the other kinds of files; what is of no kind passes.
    """
    found = "an optimisation set" if is_optimisation_set(blocks) else None
    for tag, what in _MARKS.items():
        found = found or (what if any(tag in table for table in blocks.values()) else None)
    if found not in (None, allowed):
        raise StarError(f"{path}: seems to be {found}; expected {allowed}: {where}")
