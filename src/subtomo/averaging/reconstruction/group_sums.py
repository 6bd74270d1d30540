"""The sums of one group of particles: portion by portion, going on where a killed process was."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from subtomo.averaging.reconstruction.partial_sums import PartialSums
from subtomo.errors import DataError, DiskFullError, OutputError, SubtomoError
from subtomo.signal.fourier_sums import FourierSums

_BACKUP_AFTER = 100  # particles added since the last one


@dataclass(frozen=True, eq=False)
class PortionTask:
    """Particles that are added up together.

    Parameters
    ----------
    tomogram : its name
    n_particles : how many there are
    payload : what is needed to add them; small, such as paths and numbers
    """

    tomogram: str
    n_particles: int
    payload: Any


@dataclass(frozen=True, eq=False)
class GroupTask:
    """One group of particles.

    Parameters
    ----------
    path : file of its sums
    halves, box_size, device : of the sums
    portions : in the order in which they are added
    backup : write the sums after every hundred particles or so, not only at the end
    may_fail : go on without tomograms whose images cannot be read, and say which
    """

    path: Path
    halves: tuple[int, ...]
    box_size: int
    device: str
    portions: Sequence[PortionTask]
    backup: bool = True
    may_fail: bool = True


AddPortion = Callable[[dict[int, FourierSums], Any], int]
"""Adds a portion, of which it gets the payload, to sums by half; returns the number of images."""


def add_group(task: GroupTask, add: AddPortion) -> dict[str, Any]:
    """Add up a group and write its sums.

    Parameters
    ----------
    task : the group
    add : adds one portion

    Returns
    -------
    ``n_images`` and ``failures``: the reasons by tomogram
    """
    failures: dict[str, str] = {}
    while True:
        sums = _begun(task, failures)
        try:
            _add_missing(sums, task, add)
        except _UnreadableError as error:  # its tomogram may be in the sums in part
            failures[error.tomogram] = str(error)
            continue
        sums.write(task.path)
        return {"n_images": sums.n_images, "failures": sums.failures}


class _UnreadableError(Exception):
    """The images of a tomogram cannot be read."""

    def __init__(self, tomogram: str, reason: str) -> None:
        super().__init__(reason)
        self.tomogram = tomogram


def _begun(task: GroupTask, failures: dict[str, str]) -> PartialSums:
    """Read what an earlier process wrote, or begin with nothing.

    Sums that are damaged, or hold a part of a tomogram that has failed since, are of no use.
    """
    sums = None
    with suppress(DataError):
        sums = PartialSums.read(task.path, task.device)
    if sums is not None:
        added = {portion.tomogram for portion in task.portions[: sums.n_portions]}
        if not added.isdisjoint(failures.keys() - sums.failures.keys()):
            sums = None
    if sums is None:
        sums = PartialSums.empty(task.halves, task.box_size, task.device)
    sums.failures |= failures
    return sums


def _add_missing(sums: PartialSums, task: GroupTask, add: AddPortion) -> None:
    since_backup = 0
    for portion in task.portions[sums.n_portions :]:
        if portion.tomogram not in sums.failures:
            sums.n_images += _added(sums, portion, task, add)
        sums.n_portions += 1
        since_backup += portion.n_particles
        is_last = sums.n_portions == len(task.portions)
        if task.backup and since_backup >= _BACKUP_AFTER and not is_last:
            sums.write(task.path)
            since_backup = 0


def _added(sums: PartialSums, portion: PortionTask, task: GroupTask, add: AddPortion) -> int:
    try:
        return add(sums.halves, portion.payload)
    except (DiskFullError, OutputError):
        raise
    except SubtomoError as error:
        if not task.may_fail:
            raise
        raise _UnreadableError(portion.tomogram, str(error)) from error
