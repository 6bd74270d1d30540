"""Picks that a net learns from."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of
from subtomo.errors import SettingsError
from subtomo.formats.particles import read_particles
from subtomo.formats.table_context import TableContext
from subtomo.formats.tomogram_names import match_tomogram_names
from subtomo.model import Particles, Tomogram

FEWEST = 5
"""Picks of each kind that a training needs."""


@dataclass(frozen=True, eq=False)
class References:
    """Picks with what they are.

    Parameters
    ----------
    particles : the picks
    label : (n,) 0 for what is no particle, else 1 and the number of the class
    is_held_out : (n,) kept for validation
    class_names : of the classes, in the order of their numbers
    """

    particles: Particles
    label: NDArray[np.int64]
    is_held_out: NDArray[np.bool_]
    class_names: tuple[str, ...]

    def of_tomogram(self, name: str) -> "References":
        """Keep the picks of one tomogram."""
        rows = self.particles.tomogram == name
        return References(
            self.particles.select(rows), self.label[rows], self.is_held_out[rows], self.class_names
        )

    @property
    def tomograms(self) -> list[str]:
        """Names of the tomograms that have picks, sorted."""
        return sorted(set(self.particles.tomogram.tolist()))


def read_references(
    positive: Sequence[Path],
    negative: Sequence[Path],
    tomograms: Sequence[Tomogram],
    *,
    class_name: str | None,
    hold_out: float,
    seed: int,
) -> References:
    """Read picks, give them their classes, and set some apart.

    Parameters
    ----------
    positive, negative : tables
    tomograms : that they lie in
    class_name : of all positive picks; None: they say it themselves
    hold_out : part of each class that is set apart, where `FEWEST` remain
    seed : of the choice

    Raises
    ------
    SettingsError
        If there are fewer than `FEWEST` of a kind, a pick lies outside its tomogram or in one that
        was not given, or has no class.
    """
    context = TableContext.of(tomograms)
    yes, no = (
        Particles.concatenate([read_particles(path, context=context) for path in paths])
        for paths in (positive, negative)
    )
    names = _class_names(yes, class_name)
    if class_name is not None:
        yes = yes.with_columns(class_name=np.full(len(yes), class_name))
    number = {name: i for i, name in enumerate(names, 1)}
    label = np.array([number[name] for name in yes.class_name.tolist()] + [0] * len(no), dtype=int)
    table = _named_as(Particles.concatenate([yes, no]), tomograms)
    _require_enough(label, names)
    for tomogram in tomograms:
        _require_inside(table.of_tomogram(tomogram.name), tomogram)
    return References(table, label, _held_out(label, hold_out, seed), names)


def _class_names(positive: Particles, class_name: str | None) -> tuple[str, ...]:
    """Name the classes, sorted."""
    if class_name is not None:
        return (class_name,)
    names = sorted(set(positive.class_name.tolist()))
    if "" in names:
        raise SettingsError(
            "--per-class: a positive pick has no class (class_name); name all of them, or leave "
            "--per-class out"
        )
    return tuple(names)


def _named_as(table: Particles, tomograms: Sequence[Tomogram]) -> Particles:
    """Call the picks' tomograms as those that were given."""
    known = [tomogram.name for tomogram in tomograms]
    found = match_tomogram_names(sorted(set(table.tomogram.tolist())), known)
    missing = sorted(set(table.tomogram.tolist()) - set(found))
    if missing:
        raise SettingsError(
            f"picks lie in tomogram {missing[0]}, which was not given (given: {', '.join(known)}); "
            "give it too, or leave those picks out"
        )
    return table.with_columns(tomogram=np.array([found[n] for n in table.tomogram.tolist()]))


def _require_enough(label: NDArray[np.int64], names: tuple[str, ...]) -> None:
    """Refuse too few picks of a kind."""
    for number, name in enumerate(("", *names)):
        found = int((label == number).sum())
        if found < FEWEST:
            kind = f"positive picks (class {name})" if number else "negative picks"
            option = "--positive" if number else "--negative"
            raise SettingsError(
                f"{option}: {found} {kind}; expected {FEWEST} or more, so that the net has "
                "something to learn from"
            )


def _require_inside(table: Particles, tomogram: Tomogram) -> None:
    """Refuse picks outside their tomogram."""
    index = tomogram.volume.position_to_index(table.position)
    size = np.array(tomogram.volume.shape[::-1])
    outside = np.flatnonzero(((index < -0.5) | (index > size - 0.5)).any(axis=1))
    if len(outside):
        x, y, z = table.position[outside[0]]
        raise SettingsError(
            f"tomogram {tomogram.name}: {count_of(len(outside), 'pick')} outside of it, the first "
            f"at {x:.0f} {y:.0f} {z:.0f} Å; expected picks of this very tomogram (see subtomo "
            "import particles)"
        )


def _held_out(label: NDArray[np.int64], part: float, seed: int) -> NDArray[np.bool_]:
    """Choose (n,) the picks of each kind that are set apart."""
    rng = np.random.default_rng([seed, 1])
    chosen = np.zeros(len(label), dtype=bool)
    for number in np.unique(label):
        rows = np.flatnonzero(label == number)
        n = min(round(part * len(rows)), len(rows) - FEWEST)
        chosen[rng.permutation(rows)[: max(0, n)]] = True
    return chosen
