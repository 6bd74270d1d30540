"""The command ``subtomo pick model``."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from subtomo.counts import count_of
from subtomo.formats.particles import read_particles, write_particles
from subtomo.formats.table_context import TableContext
from subtomo.formats.tomogram_names import file_name_of
from subtomo.model import Particles, VoxelGrid
from subtomo.picking.models.general import GeneralModel
from subtomo.picking.models.geometric_model import GeometricModel
from subtomo.picking.models.items import TomogramFiles, model_tomogram
from subtomo.picking.models.model_file import write_models
from subtomo.picking.models.placing import is_inside
from subtomo.picking.models.plan import Plan, make_plan
from subtomo.picking.models.report import write_report
from subtomo.picking.models.settings import PickModelSettings

if TYPE_CHECKING:
    from subtomo.jobs.job import Job

_WRITES = ("particles.star", "models.json", "orientation_models.json", "report.html", "tomograms")


def run(settings: PickModelSettings, job: "Job") -> Path:
    """Make particles of geometric models; write them, the models and a report.

    Returns
    -------
    Path of ``particles.star``
    """
    plan = make_plan(settings)
    folder = job.folder / "tomograms"
    files = {name: TomogramFiles(folder / file_name_of(name)) for name in plan.names}
    payloads = {name: {"settings": settings, "folder": str(f.folder)} for name, f in files.items()}
    with job.start(plan.names, inputs=_inputs(settings), writes=_WRITES):
        _say_plan(job, plan, settings)
        for name, each in files.items():
            write_models(each.models, [m for m in plan.models if m.tomogram == name])
            guides = [m for m in plan.orientation_models if m.tomogram == name]
            write_models(each.orientation_models, guides)
        outputs = {name: [each.particles, each.surfaces] for name, each in files.items()}
        rows: dict[str, Any] = job.map("model", model_tomogram, payloads, outputs=outputs)
        done = {name: read_particles(files[name].particles) for name in rows}
        particles = _joined(done, plan)
        path = _write(job.folder, particles, plan)
        write_models(job.folder / "models.json", _models_made(plan, done, settings))
        if settings.orient_by:
            write_models(job.folder / "orientation_models.json", plan.orientation_models)
        write_report(job.folder / "report.html", plan, {n: files[n] for n in rows}, done, rows)
        _tell(job, plan, particles, rows, settings)
    return path


def _inputs(settings: PickModelSettings) -> list[Path]:
    """Files whose change makes resuming wrong."""
    given = [*settings.inputs, *settings.orient_by, *settings.tomograms]
    if settings.markers is not None:
        given.append(settings.markers)
    return [path for path in given if path.is_file()]


def _joined(done: Mapping[str, Particles], plan: Plan) -> Particles:
    """All particles, in the order of the models."""
    parts = []
    for model in plan.models:
        if model.tomogram in done:
            of_tomogram = done[model.tomogram]
            parts.append(of_tomogram.select(of_tomogram.instance == model.name))
    joined = Particles.concatenate(parts)
    return joined.with_columns(tables=dict(plan.tables)) if len(joined) else joined


def _write(folder: Path, particles: Particles, plan: Plan) -> Path:
    """Write the table: centred on the tomograms where their sizes are known."""
    path = folder / "particles.star"
    if plan.tomograms:
        frames = {name: tomogram.frame for name, tomogram in plan.tomograms.items()}
        write_particles(path, particles, frames)
    else:
        grids = {model.tomogram: VoxelGrid(model.pixel_size) for model in plan.models}
        write_particles(path, particles, format_name="relion4", context=TableContext(grids=grids))
    return path


def _models_made(
    plan: Plan, done: Mapping[str, Particles], settings: PickModelSettings
) -> list[GeometricModel]:
    """Models that rebuild the particles: those that were oriented hold their orientations."""
    made: list[GeometricModel] = []
    for model in plan.models:
        particles = done.get(model.tomogram)
        if settings.orient_by and isinstance(model, GeneralModel) and particles is not None:
            of_model = particles.select(particles.instance == model.name)
            if len(of_model):
                model = GeneralModel.of_particles(of_model, model.name, model.pixel_size)
        made.append(model)
    return made


def _say_plan(job: "Job", plan: Plan, settings: PickModelSettings) -> None:
    """Say what is empty."""
    if not plan.models:
        job.warn("the inputs hold no model and no point: the table of particles will be empty")
    for model in plan.models:
        if model.is_empty:
            job.warn(f"{model.label}: has no points, and will have no particles")
    if settings.orient_by and not plan.orientation_models:
        job.warn("--orient-by holds no model: no point is oriented by it")


def _tell(
    job: "Job",
    plan: Plan,
    particles: Particles,
    rows: Mapping[str, list[dict[str, Any]]],
    settings: PickModelSettings,
) -> None:
    """Say what came out, and what a user may not expect."""
    for name, of_tomogram in rows.items():
        for row in of_tomogram:
            job.log(f"{name}: {row['type']} model {row['name']}: {_made(row)}")
        left = sum(
            row["particles"] - row["oriented_by_surface"]
            for row in of_tomogram
            if "oriented_by_surface" in row
        )
        if left:
            limit = settings.maximum_distance
            why = "no surface" if limit is None else f"no surface within {limit:g} Å"
            job.warn(f"{name}: {count_of(left, 'point')} with {why}: not oriented by one")
    for name, tomogram in plan.tomograms.items():
        mine = particles.position[particles.tomogram == name]
        outside = int(np.sum(~is_inside(mine, tomogram.volume)))
        if outside:
            job.warn(f"{name}: {count_of(outside, 'particle')} outside of the tomogram")
    job.log(f"{count_of(len(particles), 'particle')}: {job.shown(job.folder / 'particles.star')}")


def _made(row: Mapping[str, Any]) -> str:
    """Numbers of a model in words."""
    text = f"{count_of(row['particles'], 'particle')} of {count_of(row['points'], 'point')}"
    if row.get("distance") is not None:
        text += f", median distance from the surface {row['distance']:.1f} Å"
    elif row["type"] not in ("general", "dipole") and row["spacing"] is not None:
        text += f", median distance of neighbours {row['spacing']:.1f} Å"
    return text
