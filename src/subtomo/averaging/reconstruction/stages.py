"""The stages of every reconstruction: groups are added up, and maps made of their sums."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subtomo.averaging.reconstruction.group_sums import GroupTask
from subtomo.averaging.reconstruction.map_item import write_maps
from subtomo.averaging.reconstruction.maps import MapOptions
from subtomo.errors import DataError
from subtomo.jobs.content import content_digest
from subtomo.signal.fourier_symmetry import SymmetryOperations

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

TEMPORARY = "temp"
"""Folder of the sums in the job's folder, as in RELION's; removed at the end."""
_MAPS = "maps"


@dataclass(frozen=True, eq=False)
class MapPlan:
    """How maps are made of the sums.

    Parameters
    ----------
    pixel_size : Å, of the maps
    operations : to average over
    options : of the maps
    keep_volumes : write what the maps are made of too
    files : names of what is written
    """

    pixel_size: float
    operations: SymmetryOperations
    options: MapOptions
    keep_volumes: bool
    files: Sequence[str]


@dataclass(frozen=True)
class AddedUp:
    """What went into the maps.

    Parameters
    ----------
    n_images : how many images
    lost : pairs of a group's item and a tomogram that could not be read
    """

    n_images: int
    lost: frozenset[tuple[str, str]]


def add_up_and_write(
    job: "Job",
    function: Callable[[dict[str, Any]], dict[str, Any]],
    payloads: Mapping[str, dict[str, Any]],
    plan: MapPlan,
) -> AddedUp:
    """Add up groups of particles and write the maps; in the block of ``job.start``.

    Parameters
    ----------
    job : its folder and executor
    function
        The item: adds up ``payload["task"]``, a `GroupTask`, and returns what
        :func:`subtomo.averaging.reconstruction.group_sums.add_group` does.
    payloads : of the groups, by item, in the order of the sum
    plan : of the maps

    Returns
    -------
    AddedUp

    Raises
    ------
    DataError
        If no image could be read.
    ItemsFailed
        If a group could not be added up, or the maps not be written.

    Notes
    -----
    Tomograms whose images cannot be read are tried once more, as items of their own. What then
    fails is a failure of the job, and the maps are without it; ``--resume`` tries again.
    """
    goes_in = list(_names(payloads).values())
    whole = content_digest([goes_in, []])
    files = [job.folder / name for name in plan.files]
    is_made = job.has_finished(_MAPS, _MAPS, whole) and all(path.exists() for path in files)

    def add_up(items: Mapping[str, dict[str, Any]], *, need_all: bool) -> dict[str, Any]:
        sums = {} if is_made else {item: [payload["task"].path] for item, payload in items.items()}
        contents = _names(items)
        return job.map(
            "back-project", function, items, need_all=need_all, contents=contents, outputs=sums
        )

    done, items = add_up(payloads, need_all=True), dict(payloads)
    unread = [(item, tomogram) for item in done for tomogram in done[item]["failures"]]
    if unread:
        items |= {_name_again(*pair): _again(payloads, pair) for pair in unread}
        done = add_up(items, need_all=False)
    n_images = sum(result["n_images"] for result in done.values())
    if not n_images:
        raise DataError("no image of any particle could be read")
    lost = [pair for pair in unread if _name_again(*pair) not in done]
    sums: list[Path] = [items[item]["task"].path for item in done]
    payload = {
        "folder": job.folder,
        "pixel_size": plan.pixel_size,
        "sums": sums,
        "operations": plan.operations,
        "options": plan.options,
        "keep_volumes": plan.keep_volumes,
    }
    contents, outputs = {_MAPS: content_digest([goes_in, lost])}, {_MAPS: files}
    job.map(_MAPS, write_maps, {_MAPS: payload}, need_all=True, contents=contents, outputs=outputs)
    if not lost:
        remove_sums(job.folder / TEMPORARY)
    return AddedUp(n_images, frozenset(lost))


def remove_sums(folder: Path) -> None:
    """Remove the sums and the particles in the folder for them; what else is there stays."""
    for pattern in ("sums_*.npz", "particles_*.npz"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    with suppress(OSError):  # it is not there, or holds something else
        folder.rmdir()


def _names(payloads: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Give the names of the sums, which say what is added up."""
    return {item: payload["task"].path.name for item, payload in payloads.items()}


def _name_again(item: str, tomogram: str) -> str:
    return f"{tomogram} of {item}"


def _again(payloads: Mapping[str, dict[str, Any]], pair: tuple[str, str]) -> dict[str, Any]:
    """Make an item of a tomogram that a group could not read."""
    item, tomogram = pair
    task: GroupTask = payloads[item]["task"]
    portions = [each for each in task.portions if each.tomogram == tomogram]
    number = task.portions.index(portions[0])
    path = task.path.with_name(f"{task.path.stem}_again_{number}.npz")
    own = replace(task, path=path, portions=portions, may_fail=False)
    return {**payloads[item], "task": own}
