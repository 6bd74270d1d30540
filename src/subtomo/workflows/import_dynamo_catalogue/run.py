"""The command ``subtomo import dynamo-catalogue``."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from subtomo.counts import count_of
from subtomo.errors import SettingsError
from subtomo.formats.particles import write_particles
from subtomo.formats.table_context import TableContext
from subtomo.model import Acquisition
from subtomo.picking.models.model_file import write_models
from subtomo.tomograms.import_tomograms.run import tell_tomograms
from subtomo.tomograms.import_tomograms.writing import (
    bytes_to_copy,
    require_own_volumes,
    write_tomograms,
)
from subtomo.workflows.convert_particles.contexts import outside
from subtomo.workflows.import_dynamo_catalogue.picks import CataloguePicks, catalogue_picks
from subtomo.workflows.import_dynamo_catalogue.settings import ImportDynamoCatalogueSettings
from subtomo.workflows.import_dynamo_catalogue.volumes import (
    CatalogueVolume,
    catalogue_volumes,
    read_volumes,
    unread_kinds,
)

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_WRITES = ("tomograms.star", "tomograms", "models.json", "particles.star")


def run(settings: ImportDynamoCatalogueSettings, job: "Job") -> Path:
    """Bring in the tomograms, models and particles of a catalogue.

    Returns
    -------
    Path of ``tomograms.star``; ``models.json`` and ``particles.star`` lie beside it where the
    catalogue has models and tables
    """
    listed = read_volumes(settings.catalogue)
    volumes = catalogue_volumes(listed, settings)
    picks = catalogue_picks(volumes, settings)
    _require_use(settings, volumes)
    imports = [one.tomogram for one in volumes]
    inputs = [settings.catalogue, *(one.source for one in imports)]
    needed = bytes_to_copy(imports) if settings.copy_files else None
    names = [one.name for one in imports]
    require_own_volumes(job, imports)
    with job.start(names, inputs=inputs, bytes_needed=needed, writes=_WRITES):
        tell_tomograms(job, imports)
        for path in unread_kinds(listed):
            job.warn(f"{path}: its ftype is not read; give --tilt-range to later commands")
        for doubt in picks.doubts:
            job.warn(doubt)
        table = write_tomograms(job, imports, Acquisition(), copy=settings.copy_files)
        context = TableContext(
            grids={one.name: one.grid for one in imports},
            frames={one.name: one.frame for one in imports},
        )
        for line in outside(picks.particles, context):
            job.warn(line)
        _write_picks(job, picks, context)
        job.log(f"{count_of(len(imports), 'tomogram')}: {job.shown(table)}")
    return table


def _require_use(
    settings: ImportDynamoCatalogueSettings, volumes: Sequence[CatalogueVolume]
) -> None:
    """Refuse options that nothing in the catalogue is concerned by."""
    has_picks = any(one.volume.particles or one.volume.models for one in volumes)
    needs = {
        "cropping_volumes": (
            any("cropFromFile" in one.volume.properties for one in volumes),
            "a cropFromFile",
        ),
        "tilt_step": (any(one.tomogram.tilts for one in volumes), "a tilt range"),
        "one_based": (has_picks, "a model or table"),
        "box_size": (has_picks, "a model or table"),
    }
    for name, (acts, lacking) in needs.items():
        if settings.is_changed(name) and volumes and not acts:
            raise SettingsError(
                f"{settings.catalogue}: names nowhere {lacking}, so that "
                f"--{name.replace('_', '-')} has no effect; leave it out"
            )


def _write_picks(job: "Job", picks: CataloguePicks, context: TableContext) -> None:
    """Write models and particles, where there are any."""
    if picks.models:
        path = job.folder / "models.json"
        write_models(path, picks.models)
        kinds = Counter(model.type for model in picks.models)
        listed = ", ".join(f"{n} {kind}" for kind, n in sorted(kinds.items()))
        job.log(f"{count_of(len(picks.models), 'model')} ({listed}): {job.shown(path)}")
    if len(picks.particles):
        path = job.folder / "particles.star"
        write_particles(path, picks.particles, context=context)
        job.log(f"{count_of(len(picks.particles), 'particle')}: {job.shown(path)}")
