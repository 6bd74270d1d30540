"""The stages of every reconstruction: groups are added up, and maps made of their sums."""

from collections.abc import Callable, Iterable, Mapping
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


@dataclass(frozen=True, eq=False)
class MapPlan:
    """How maps are made of the sums.

    Parameters
    ----------
    pixel_size : Å, of the maps
    operations : to average over
    options : of the maps
    keep_volumes : write what the maps are made of too
    """

    pixel_size: float
    operations: SymmetryOperations
    options: MapOptions
    keep_volumes: bool


def add_up_and_write(
    job: "Job",
    function: Callable[[dict[str, Any]], dict[str, Any]],
    payloads: Mapping[str, dict[str, Any]],
    plan: MapPlan,
) -> list[str]:
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
    Names of the volumes

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
    _forget_lost(job, payloads)
    done = job.map("back-project", function, payloads, need_all=True, contents=_names(payloads))
    again = _again(payloads, done)
    if again:
        items = {**payloads, **again}
        done = job.map("back-project", function, items, contents=_names(items))
    if not sum(result["n_images"] for result in done.values()):
        raise DataError("no image of any particle could be read")
    missing = [item for item in again if item not in done]
    sums: list[Path] = [{**payloads, **again}[item]["task"].path for item in done]
    payload = {
        "folder": job.folder,
        "pixel_size": plan.pixel_size,
        "sums": sums,
        "operations": plan.operations,
        "options": plan.options,
        "keep_volumes": plan.keep_volumes,
    }
    item = f"maps without {', '.join(missing)}" if missing else "maps"
    contents = {item: _content_of_maps(sums)}
    result = job.map("maps", write_maps, {item: payload}, need_all=True, contents=contents)[item]
    written: list[str] = result["files"]
    if not missing:
        remove_sums(job.folder / TEMPORARY)
    return written


def remove_sums(folder: Path) -> None:
    """Remove the sums and the particles in the folder for them; what else is there stays."""
    for pattern in ("sums_*.npz", "particles_*.npz"):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    with suppress(OSError):  # it is not there, or holds something else
        folder.rmdir()


def _content_of_maps(sums: Iterable[Path]) -> str:
    return content_digest([path.name for path in sums])


def _forget_lost(job: "Job", payloads: Mapping[str, dict[str, Any]]) -> None:
    """Add groups up again whose sums were removed, where the maps must be made once more."""
    sums = {item: payload["task"].path for item, payload in payloads.items()}
    if job.has_finished("maps", "maps", _content_of_maps(sums.values())):
        return
    for item, path in sums.items():
        if not path.exists():
            job.forget("back-project", item)


def _names(payloads: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Give the names of the sums, which say what is added up."""
    return {item: payload["task"].path.name for item, payload in payloads.items()}


def _again(
    payloads: Mapping[str, dict[str, Any]], done: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Make an item of each tomogram that a group could not read."""
    items: dict[str, dict[str, Any]] = {}
    for item, result in done.items():
        for tomogram in result["failures"]:
            task: GroupTask = payloads[item]["task"]
            name = f"{tomogram} of {item}"
            own = replace(
                task,
                path=task.path.with_name(f"{task.path.stem}_again_{len(items)}.npz"),
                portions=[each for each in task.portions if each.tomogram == tomogram],
                may_fail=False,
            )
            items[name] = {**payloads[item], "task": own}
    return items
