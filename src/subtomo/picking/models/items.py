"""The models of one tomogram, as an item of the job."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from subtomo.errors import SubtomoWarning
from subtomo.formats.atomic import replacing
from subtomo.formats.particles import write_particles
from subtomo.model import Particles
from subtomo.picking.models.covered_model import CoveredModel
from subtomo.picking.models.free_angle_model import random_angles
from subtomo.picking.models.general import GeneralModel
from subtomo.picking.models.geometric_model import GeometricModel
from subtomo.picking.models.model_file import read_models
from subtomo.picking.models.settings import PickModelSettings
from subtomo.picking.models.surface_orientation import DISTANCE, MODEL, orient_by_surfaces
from subtomo.picking.surfaces.surface import Surface


@dataclass(frozen=True)
class TomogramFiles:
    """The files of one tomogram in the job's folder.

    Parameters
    ----------
    folder : of the tomogram
    """

    folder: Path

    @property
    def models(self) -> Path:
        """The models that particles are made of."""
        return self.folder / "models.json"

    @property
    def orientation_models(self) -> Path:
        """The models that orient them."""
        return self.folder / "orientation_models.json"

    @property
    def particles(self) -> Path:
        """The particles of all models, in their order."""
        return self.folder / "particles.csv"

    @property
    def surfaces(self) -> Path:
        """The surfaces of all models, as arrays."""
        return self.folder / "surfaces.npz"


def model_tomogram(payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Make the particles and the surfaces of one tomogram.

    Parameters
    ----------
    payload : ``folder`` with the files of models, ``settings``

    Returns
    -------
    list of the numbers of each model
    """
    settings: PickModelSettings = payload["settings"]
    files = TomogramFiles(Path(payload["folder"]))
    models = read_models(files.models)
    guides = _surfaces(read_models(files.orientation_models))
    tables, rows = [], []
    for model in models:
        particles = model.particles()
        if settings.orient_by and isinstance(model, GeneralModel):
            particles = _oriented(particles, model, guides, settings)
        tables.append(particles)
        rows.append(_row(model, particles))
    write_particles(files.particles, Particles.concatenate(tables))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SubtomoWarning)  # said when the particles were made
        surfaces = {**_surfaces(models), **guides}
    _write_surfaces(files.surfaces, surfaces)
    return rows


def load_surfaces(path: Path) -> dict[str, Surface]:
    """Read the surfaces that :func:`model_tomogram` wrote, by the names of their models."""
    with np.load(path, allow_pickle=False) as stored:
        names = stored["names"].tolist()
        return {
            name: Surface(stored[f"vertices_{k}"], stored[f"faces_{k}"])
            for k, name in enumerate(names)
        }


def _surfaces(models: Sequence[GeometricModel]) -> dict[str, Surface]:
    """Surfaces of the models that have one, by name."""
    found = {m.name: m.surface() for m in models if isinstance(m, CoveredModel)}
    return {name: surface for name, surface in found.items() if surface is not None}


def _oriented(
    particles: Particles,
    model: GeneralModel,
    guides: Mapping[str, Surface],
    settings: PickModelSettings,
) -> Particles:
    """Orient the points of a model by the surfaces of the tomogram."""
    angles = np.zeros(len(particles))
    if settings.in_plane == "random":
        angles = random_angles(len(particles), settings.seed, model.tomogram, model.name)
    return orient_by_surfaces(
        particles,
        guides,
        maximum_distance=settings.maximum_distance,
        snap=settings.snap,
        shift_along_normal=settings.shift_along_normal,
        angles_deg=angles,
    )


def _row(model: GeometricModel, particles: Particles) -> dict[str, Any]:
    """Numbers of one model."""
    spacing = None
    if len(particles) > 1:
        distances = cKDTree(particles.position).query(particles.position, k=2)[0]
        spacing = float(np.median(distances[:, 1]))
    row = {
        "name": model.name,
        "type": model.type,
        "points": len(model.points),
        "particles": len(particles),
        "oriented": int(particles.is_oriented.sum()),
        "spacing": spacing,
    }
    if MODEL in particles.extra and len(particles):
        is_near = particles.extra[MODEL] != ""
        distances = np.abs(particles.extra[DISTANCE][is_near])
        row["oriented_by_surface"] = int(is_near.sum())
        row["distance"] = float(np.median(distances)) if is_near.any() else None
    return row


def _write_surfaces(path: Path, surfaces: Mapping[str, Surface]) -> None:
    """Write triangles in single precision: for pictures."""
    arrays: dict[str, Any] = {"names": np.array(list(surfaces), dtype=np.str_)}
    for k, surface in enumerate(surfaces.values()):
        arrays[f"vertices_{k}"] = surface.vertices.astype(np.float32)
        arrays[f"faces_{k}"] = surface.faces.astype(np.int32)
    with replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)
