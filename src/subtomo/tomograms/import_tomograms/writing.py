"""Volumes copied or linked, and the table that says where they are."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from subtomo.errors import OutputError
from subtomo.formats.atomic import ZARR, replacing
from subtomo.formats.relion_tomograms import TomogramEntry, write_tomograms_star
from subtomo.formats.tomogram_list import ListedTomogram, write_tomogram_list
from subtomo.model import Acquisition
from subtomo.sources.tomograms import TABLE_NAME
from subtomo.tomograms.import_tomograms.plan import TomogramImport
from subtomo.tomograms.import_tomograms.tilts import tilt_series_of

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_FOLDER, _STAGE = "tomograms", "import"


def write_tomograms(
    job: "Job", imports: Sequence[TomogramImport], acquisition: Acquisition, *, copy: bool
) -> Path:
    """Put the volumes in the job's folder and write the table beside them.

    Parameters
    ----------
    job : started
    imports : the tomograms; none is legal
    acquisition : the microscope, for those whose tilts are known
    copy : the volumes, rather than link to them

    Returns
    -------
    Path of ``tomograms.star``: RELION's where the tilts of all are known, else a list of tomograms
    """
    places = {one.name: job.folder / _FOLDER / one.file_name for one in imports}
    payloads = {
        one.name: {
            "source": str(one.source.absolute()),
            "path": str(places[one.name]),
            "copy": copy,
        }
        for one in imports
    }
    job.map(
        _STAGE,
        place_volume,
        payloads,
        need_all=True,
        outputs={name: [path] for name, path in places.items()},
    )
    table = job.folder / TABLE_NAME
    if imports and all(one.tilts is not None for one in imports):
        write_tomograms_star(table, [_entry(one, places[one.name], acquisition) for one in imports])
    else:
        listed = [
            ListedTomogram(
                one.name, places[one.name], one.grid.pixel_size, one.grid.origin, one.frame
            )
            for one in imports
        ]
        write_tomogram_list(table, listed)
    return table


def require_own_volumes(job: "Job", imports: Sequence[TomogramImport]) -> None:
    """Refuse to replace a volume that no import into the job's folder copied there.

    Raises
    ------
    OutputError
        Naming the volume.
    """
    if job.settings.resume:  # then the folder is this job's own
        return
    copied = {result.get("copied") for result in job.earlier_results(_STAGE)}
    for one in imports:
        path = job.folder / _FOLDER / one.file_name
        if path.exists() and not path.is_symlink() and one.file_name not in copied:
            raise OutputError(
                f"{job.shown(path)} is there, and no import wrote it; choose another --output-dir, "
                "or move it away"
            )


def place_volume(payload: Mapping[str, Any]) -> dict[str, str]:
    """Copy or link one volume.

    Parameters
    ----------
    payload : ``source``, ``path`` and whether to ``copy``

    Returns
    -------
    the name of the file, where it is a copy: that may be replaced later
    """
    source, path = Path(payload["source"]), Path(payload["path"])
    with replacing(path, folder_with=ZARR) as temporary:
        if not payload["copy"]:
            temporary.symlink_to(os.path.abspath(source))
        elif source.is_dir():
            shutil.copytree(source, temporary)
        else:
            shutil.copyfile(source, temporary)
    return {"copied": path.name} if payload["copy"] else {}


def bytes_to_copy(imports: Sequence[TomogramImport]) -> int:
    """Count the bytes of the volumes."""
    return sum(_bytes_of(one.source) for one in imports)


def _bytes_of(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _entry(one: TomogramImport, path: Path, acquisition: Acquisition) -> TomogramEntry:
    """Make RELION's row of a tomogram."""
    assert one.tilts is not None
    return TomogramEntry(
        one.name,
        tilt_series_of(one.name, one.tilts, one.frame, acquisition),
        tomogram_path=path,
        binning=one.grid.pixel_size / one.frame.pixel_size,
        origin=one.grid.origin,
    )
