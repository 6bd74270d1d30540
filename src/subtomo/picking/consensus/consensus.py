"""Particles that several pickers agree on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import SettingsError
from subtomo.geometry.symmetry import symmetry_quaternions
from subtomo.model import Particles
from subtomo.picking.consensus.agreement import agreeing_picks, numbered_by_first
from subtomo.picking.consensus.merging import merge_groups
from subtomo.picking.consensus.sequential import sequential_clusters

IntArray = NDArray[np.int64]

SET = "subtomoSet"
SET_ROW = "subtomoSetRow"
CONSENSUS = "subtomoConsensus"


@dataclass(frozen=True, eq=False)
class Consensus:
    """What pickers agree on.

    Parameters
    ----------
    particles : one row for each group of picks with enough votes
    members : all picks, by name of their set and row
        With the set's name, the row in it (from 1) and the row of ``particles`` that the pick is
        part of (from 1; 0 = of none) as columns ``subtomoSet``, ``subtomoSetRow`` and
        ``subtomoConsensus``.
    group : (members,) number of each pick's group, whether it has enough votes or not
    names : of the sets
    """

    particles: Particles
    members: Particles
    group: IntArray
    names: tuple[str, ...]

    @property
    def votes_by_picker(self) -> NDArray[np.bool_]:
        """(groups, pickers) which pickers voted for each group."""
        n_groups = int(self.group.max(initial=-1)) + 1
        voted = np.zeros((n_groups, len(self.names)), dtype=bool)
        number = {name: i for i, name in enumerate(self.names)}
        picker = np.array([number[name] for name in self.members.extra[SET].tolist()], dtype=int)
        voted[self.group, picker] = True
        return voted


def find_consensus(
    sets: Mapping[str, Particles],
    *,
    radius: float,
    votes: int = -1,
    exactly: bool = False,
    per_class: bool = False,
    weights: Sequence[float] = (),
    symmetry: str = "C1",
    compatible: bool = False,
) -> Consensus:
    """Find the particles that enough pickers agree on.

    Picks of different pickers that are all closer than the radius to one another are one particle;
    the closest come together first, and each picker has one vote. The result depends neither on
    the order of the sets nor on that of their rows.

    Parameters
    ----------
    sets : picks of each picker, by its name; rows of other tomograms never belong together
    radius : Å
    votes : pickers that a particle needs; −1: all of them
    exactly : keep particles with just so many votes, rather than at least so many
    per_class : picks of different classes never belong together
    weights : of the sets in positions and orientations, above 0, in their order; default: equal
    symmetry : of the particle
    compatible
        Count as Scipion does: clusters grow pick by pick, in the order of the sets, about a running
        mean; a picker may vote twice; where all are needed, a tomogram without picks of one has
        nothing.

    Returns
    -------
    Consensus
        Its particles have a weighted mean position, the mean of the known orientations, and how far
        the picks lie from both; ``merge_groups`` says all columns.

    Raises
    ------
    SettingsError
        If the radius is not positive, there are too few sets, or votes or weights do not fit them.
    DataError
        If the radius is so large that nearly everything is near everything.
    """
    _check(sets, radius, votes, weights, symmetry, compatible=compatible)
    names = tuple(sets) if compatible else tuple(sorted(sets))
    weight_of = dict(zip(sets, weights or [1.0] * len(sets), strict=True))
    table, picker = _joined(sets, names)
    if not compatible:
        order = _canonical_order(table, picker)
        table, picker = table.select(order), picker[order]
    group = np.empty(len(table), dtype=np.int64)
    n_groups = 0
    for rows in _places(table, per_class=per_class):
        if compatible:
            n_seeds = int(np.count_nonzero(picker[rows] == 0)) if len(sets) > 1 else 0
            found = sequential_clusters(table.position[rows], n_seeds, radius)
        else:
            found = agreeing_picks(table.position[rows], picker[rows], radius)
        group[rows] = found + n_groups
        n_groups += int(found.max(initial=-1)) + 1
    group = numbered_by_first(group)
    needed = len(sets) if votes < 0 else min(votes, len(sets))
    n_votes = np.bincount(group, minlength=n_groups)  # one a picker, unless compatible
    is_accepted = n_votes == needed if exactly else n_votes >= needed
    if compatible and needed == len(sets):
        is_accepted &= _has_all_pickers(table, picker, group, len(sets))
    row_of_group = np.where(is_accepted, np.cumsum(is_accepted), 0)
    kept = is_accepted[group]
    particles = merge_groups(
        table.select(kept),
        numbered_by_first(group[kept]),
        names=names,
        picker=picker[kept],
        weights=np.array([weight_of[name] for name in names])[picker[kept]],
        symmetry=symmetry,
    )
    extra = {**table.extra, CONSENSUS: row_of_group[group]}
    order = np.lexsort((table.extra[SET_ROW], picker))
    members = table.with_columns(extra=extra).select(order)
    return Consensus(particles, members, group[order], names)


def _check(
    sets: Mapping[str, Particles],
    radius: float,
    votes: int,
    weights: Sequence[float],
    symmetry: str,
    *,
    compatible: bool,
) -> None:
    """Refuse options that do not fit the sets."""
    if not radius > 0:
        raise SettingsError(f"consensus radius is {radius} Å; expected a positive number")
    if len(sets) < 2 and not compatible:
        raise SettingsError(
            f"{len(sets)} set of picks; expected two or more to agree (subtomo pick clean "
            "--minimum-distance removes the duplicates of one)"
        )
    if not sets:
        raise SettingsError("no set of picks; expected at least one")
    symmetry_quaternions(symmetry)  # refuses an unknown one
    if votes == 0 or votes < -1:
        raise SettingsError(f"consensus is {votes}; expected -1 (all) or a number of sets")
    if votes > len(sets) and not compatible:
        raise SettingsError(
            f"consensus is {votes}, more than the {len(sets)} sets; expected -1 (all) or 1 to "
            f"{len(sets)}"
        )
    if weights and (len(weights) != len(sets) or not min(weights) > 0):
        raise SettingsError(
            f"weights are {', '.join(f'{w:g}' for w in weights)}; expected {len(sets)} positive "
            "numbers, one for each set"
        )


def _joined(sets: Mapping[str, Particles], names: Sequence[str]) -> tuple[Particles, IntArray]:
    """Join the sets, with the number of the picker of each row."""
    tables = []
    for name in names:
        table, n = sets[name], len(sets[name])
        extra = {**table.extra, SET: np.full(n, name), SET_ROW: np.arange(1, n + 1)}
        tables.append(table.with_columns(extra=extra))
    picker = np.repeat(np.arange(len(names)), [len(table) for table in tables])
    joined = Particles.concatenate(tables)
    if len(joined):
        return joined, picker
    empty = {SET: np.empty(0, dtype=np.str_), SET_ROW: np.empty(0, dtype=np.int64)}
    return joined.with_columns(extra=empty), picker


def _canonical_order(table: Particles, picker: IntArray) -> IntArray:
    """Sort rows by all that they say, so that nothing depends on the order they came in."""
    text = [table.class_name, table.instance, table.source]
    keys: list[NDArray[np.generic]] = [
        np.unique(np.asarray(t, dtype=np.str_), return_inverse=True)[1] for t in text
    ]
    keys += [table.half, table.box_size, table.score, *table.orientation.T, picker]
    tomogram = np.unique(table.tomogram, return_inverse=True)[1]
    return np.lexsort([*keys, *table.position.T[::-1], tomogram])


def _places(table: Particles, *, per_class: bool) -> list[IntArray]:
    """Rows of each tomogram, or of each class in each tomogram, in order."""
    _, place = np.unique(table.tomogram, return_inverse=True)
    if per_class:
        _, class_number = np.unique(table.class_name.astype(np.str_), return_inverse=True)
        _, place = np.unique(np.stack([place, class_number], 1), axis=0, return_inverse=True)
    order = np.argsort(place, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(place[order])) + 1) if len(order) else []


def _has_all_pickers(
    table: Particles, picker: IntArray, group: IntArray, n_pickers: int
) -> NDArray[np.bool_]:
    """Tell which groups lie in a tomogram where each picker has picks."""
    _, tomogram = np.unique(table.tomogram, return_inverse=True)
    has_picks = np.zeros((int(tomogram.max(initial=-1)) + 1, n_pickers), dtype=bool)
    has_picks[tomogram, picker] = True
    is_covered: NDArray[np.bool_] = np.asarray(has_picks.all(axis=1))
    is_full = np.zeros(int(group.max(initial=-1)) + 1, dtype=bool)
    is_full[group] = is_covered[tomogram]
    return is_full
