"""What of a table of particles a format cannot hold, in words."""

from collections.abc import Callable

import numpy as np

from subtomo.counts import count_of, some_of
from subtomo.formats.group_numbers import are_numbers, are_said_by_numbers, numbers_by_name
from subtomo.formats.numbered_particles import RELION_CLASS
from subtomo.formats.particle_format import ParticleFormat
from subtomo.formats.relion_optics import OPTICS_PREFIX, TILT_SERIES_PIXEL_SIZE
from subtomo.formats.table_context import GroupId, field_of_group
from subtomo.formats.unknown_scores import written_scores
from subtomo.model import Particles

_MOST_NAMES = 10


def what_is_lost(
    particles: Particles, row: ParticleFormat, group_id: GroupId | None = None
) -> list[str]:
    """Say what of a table a format cannot hold, one line each; empty where it holds all.

    Parameters
    ----------
    particles : the table
    row : the format that it will be written in
    group_id : what its one number of a group is to stand for
    """
    holds = _held(row, group_id)
    lost = [
        f"{row.title} {words}"
        for name, (is_there, words) in _FIELDS.items()
        if not holds & {name, f"{name}_number"} and is_there(particles)
    ]
    lost += [words for name in _GROUPS for words in _names_lost(particles, name, holds)]
    unknown = int((~particles.is_oriented).sum())
    if "orientation" in holds and "is_oriented" not in holds and unknown:
        lost.append(
            f"{row.title} cannot say that an orientation is unknown: "
            f"{count_of(unknown, 'particle')} will have the identity"
        )
    return lost + _scores_lost(particles, row) + _columns_lost(particles, row, holds)


def _held(row: ParticleFormat, group_id: GroupId | None) -> frozenset[str]:
    """Give what a format holds when its group number stands for what is asked."""
    if row.group is None or group_id is None or group_id == row.group:
        return row.holds
    usual, asked = field_of_group(row.group), field_of_group(group_id)
    kind = "_number" if f"{usual}_number" in row.holds else ""
    return row.holds - {usual, f"{usual}_number", asked, f"{asked}_number"} | {asked + kind}


def _names_lost(particles: Particles, field: str, holds: frozenset[str]) -> list[str]:
    """Say which names become numbers, and which number is none."""
    column = getattr(particles, field)
    names = sorted(set(column.tolist()) - {""})
    if field in holds or f"{field}_number" not in holds or are_said_by_numbers(column):
        return []
    if are_numbers(names):
        of_zero = count_of(int((column == "0").sum()), "particle")
        return [f"0 is none among numbers of {_GROUPS[field]}: {of_zero} will have none"]
    numbers = numbers_by_name(names)
    listed = some_of([f"{name} = {numbers[name]}" for name in names], _MOST_NAMES)
    return [f"names of {_GROUPS[field]} become numbers: {listed}"]


def _scores_lost(particles: Particles, row: ParticleFormat) -> list[str]:
    """Say which scores become others, where a format has no word for unknown ones."""
    default, is_known = row.unknown_score, ~np.isnan(particles.score)
    if default is None or not is_known.any():
        return []
    lost = []
    written = written_scores(particles.score, default)
    if not is_known.all():
        value = written[~is_known][0]
        unknown = count_of(int((~is_known).sum()), "particle")
        lost.append(f"unknown scores become {value:g}, the lowest: {unknown}")
    if np.all(written == default):
        lost.append(f"scores that are all {default:g} will be read as unknown")
    return lost


def _columns_lost(particles: Particles, row: ParticleFormat, holds: frozenset[str]) -> list[str]:
    """Say which other columns are lost.

    RELION's own classes are the numbers of unnamed ones; the pixel size that its coordinates
    counted in is of use no more.
    """
    lost = [
        name
        for name in particles.extra
        if not row.has_column(name) and name.removeprefix(OPTICS_PREFIX) != TILT_SERIES_PIXEL_SIZE
    ]
    if "class_name_number" in holds and not (particles.class_name != "").any():
        lost = [name for name in lost if name != RELION_CLASS]
    if not lost:
        return []
    return [f"{row.title} has no columns {some_of(lost, _MOST_NAMES)}"]


_GROUPS = {"class_name": "classes", "instance": "instances", "source": "sources"}
_FIELDS: dict[str, tuple[Callable[[Particles], bool], str]] = {
    "orientation": (lambda p: bool(p.is_oriented.any()), "holds no orientations"),
    "class_name": (lambda p: bool((p.class_name != "").any()), "holds no classes"),
    "instance": (lambda p: bool((p.instance != "").any()), "holds no instances"),
    "source": (lambda p: bool((p.source != "").any()), "holds no sources"),
    "score": (lambda p: bool(np.isfinite(p.score).any()), "holds no scores"),
    "half": (lambda p: bool((p.half != 0).any()), "holds no halves"),
    "box_size": (lambda p: bool((p.box_size != 0).any()), "holds no box sizes"),
    "tables": (lambda p: bool(p.tables), "holds no other tables"),
}
