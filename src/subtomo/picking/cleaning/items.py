"""The cleaning of one tomogram's picks, as an item of the job."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import some_of
from subtomo.errors import DataError, MissingFileError, SettingsError
from subtomo.formats.atomic import replacing
from subtomo.formats.finite import require_finite
from subtomo.formats.tomogram_names import match_tomogram_names
from subtomo.formats.volumes import read_volume, volume_suffix
from subtomo.model import Particles, Tomogram, Volume
from subtomo.picking.cleaning.duplicates import exclusion_distances
from subtomo.picking.cleaning.filters import grid_of, make_filters
from subtomo.picking.cleaning.settings import CleanSettings
from subtomo.picking.cleaning.verdict import Cleaned, apply_filters
from subtomo.picking.models.geometric_model import GeometricModel
from subtomo.picking.models.inputs import read_inputs
from subtomo.picking.pick_tables import open_pick_tables
from subtomo.picking.surfaces.surface import Surface
from subtomo.sources.tomograms import find_volumes, tomogram_name


@dataclass(frozen=True, eq=False)
class Inputs:
    """The picks and what the filters need.

    Parameters
    ----------
    particles : all picks
    tomograms : that were given, by name; values unread
    masks : by tomogram; values unread
    models : with surfaces, by tomogram
    """

    particles: Particles
    tomograms: dict[str, Tomogram]
    masks: dict[str, Volume]
    models: dict[str, list[GeometricModel]]

    @property
    def names(self) -> list[str]:
        """Names of the tomograms that have picks, in the order of the table."""
        return list(dict.fromkeys(self.particles.tomogram.tolist()))

    def rows_of(self, name: str) -> NDArray[np.intp]:
        """Give the rows of a tomogram's picks."""
        return np.flatnonzero(self.particles.tomogram == name)


def open_inputs(settings: CleanSettings) -> Inputs:
    """Read the picks, open masks and models, and check that they fit together.

    Raises
    ------
    SubtomoError
        If something cannot be read, or a filter lacks what it needs for a tomogram.
    """
    measures_edge = settings.edge_distance is not None
    used = ["pixel_size"] * (measures_edge or bool(settings.surface))
    used += ["tomogram_size"] * measures_edge
    tables = open_pick_tables([settings.particles], settings, used)
    (particles,) = tables.tables
    names = tables.names
    for name in names:
        grid_of(settings, name, tables.tomograms)
    if settings.by_exclusion_distance and len(particles):
        exclusion_distances(particles)
    return Inputs(
        particles,
        tables.tomograms,
        _masks(settings, names, tables.tomograms),
        _models(settings, names, tables.tomograms),
    )


def clean_tomogram(payload: dict[str, Any]) -> dict[str, Any]:
    """Clean the picks of one tomogram; write what the tables need.

    Parameters
    ----------
    payload : ``settings``, ``tomogram`` (its name), ``path`` (of the arrays, .npz)

    Returns
    -------
    Number of picks, and of those dropped by each filter
    """
    settings: CleanSettings = payload["settings"]
    name: str = payload["tomogram"]
    inputs = _opened(settings, settings.particles.stat().st_mtime_ns)
    rows = inputs.rows_of(name)
    filters = make_filters(
        settings,
        grid=grid_of(settings, name, inputs.tomograms),
        mask=inputs.masks.get(name),
        surfaces=_surfaces(inputs.models.get(name, [])),
    )
    cleaned = apply_filters(inputs.particles.select(rows), filters, rows + 1)
    _write(Path(payload["path"]), rows, cleaned)
    counts = {each.name: int((cleaned.dropped_by == each.name).sum()) for each in filters}
    return {"picks": len(rows), "dropped": counts}


@lru_cache(maxsize=1)
def _opened(settings: CleanSettings, time_ns: int) -> Inputs:
    """Open the inputs once for all items of a process, again when the table has changed."""
    return open_inputs(settings)


def _surfaces(models: list[GeometricModel]) -> dict[str, Surface]:
    """Make the surfaces of the models that have one, by name."""
    made = {model.name: model.surface() for model in models}
    return {
        name: surface
        for name, surface in made.items()
        if surface is not None and len(surface.faces)
    }


def _write(path: Path, rows: NDArray[np.intp], cleaned: Cleaned) -> None:
    """Write the verdicts of one tomogram."""
    with replacing(path) as temporary:
        np.savez(
            temporary,
            rows=rows,
            dropped_by=cleaned.dropped_by,
            reason=cleaned.reason,
            **{f"measure_{name}": values for name, values in cleaned.measures.items()},  # type: ignore[arg-type]  # numpy's stubs
        )


def _masks(
    settings: CleanSettings, names: list[str], tomograms: Mapping[str, Tomogram]
) -> dict[str, Volume]:
    """Open the mask of each tomogram, on the tomogram's grid where it has its size."""
    files: dict[str, Path] = {}
    for path in settings.mask:
        if not path.exists():
            raise MissingFileError(f"{path}: no such file; expected a mask or a folder of masks")
        is_folder = path.is_dir() and not volume_suffix(path)
        for file in find_volumes(path) if is_folder else [path]:
            files[tomogram_name(file)] = file
    found = {tomogram: files[mask] for mask, tomogram in match_tomogram_names(files, names).items()}
    if len(files) == 1 and len(names) == 1:
        found = {names[0]: next(iter(files.values()))}
    missing = [name for name in names if name not in found] if files else []
    if missing:
        raise SettingsError(
            f"--mask has none called {missing[0]} (found {some_of(files)}); expected "
            "a mask for each tomogram that has picks, called like it"
        )
    return {name: _mask(path, tomograms.get(name)) for name, path in found.items()}


def _mask(path: Path, tomogram: Tomogram | None) -> Volume:
    """Open a mask; with as many voxels as its tomogram it lies where that does."""
    mask = read_volume(path)
    if tomogram is not None and mask.shape == tomogram.volume.shape:
        mask = Volume(mask.data, tomogram.volume.pixel_size, tomogram.volume.origin)
    require_finite(mask, path)
    return mask


def _models(
    settings: CleanSettings, names: list[str], tomograms: Mapping[str, Tomogram]
) -> dict[str, list[GeometricModel]]:
    """Read the models of each tomogram that has picks."""
    if not settings.surface:
        return {}
    read = read_inputs(
        settings.surface, tomograms, pixel_size=settings.pixel_size_of(0), named_by=names
    )
    if not any(model.type == "segmentation" for model in read.models):
        for option in (name for name in ("labels", "smoothing") if settings.is_changed(name)):
            raise SettingsError(
                f"--{option} has no effect: {settings.surface[0]} holds no segmentation; leave it "
                "out"
            )
    models: dict[str, list[GeometricModel]] = {}
    matched = match_tomogram_names([model.tomogram for model in read.models], names)
    for model in read.models:
        if model.tomogram in matched:
            models.setdefault(matched[model.tomogram], []).append(_with_options(model, settings))
    if names and not models:
        known = some_of(dict.fromkeys(model.tomogram for model in read.models))
        raise DataError(
            f"{settings.surface[0]}: no model of a tomogram that has picks (models of {known}; "
            f"picks in {some_of(names)})"
        )
    for of_tomogram in models.values():
        for model in of_tomogram:
            model.check()
    return models


def _with_options(model: GeometricModel, settings: CleanSettings) -> GeometricModel:
    """Give a segmentation the labels and the smoothing asked for."""
    if model.type != "segmentation":
        return model
    update: dict[str, Any] = {}
    if settings.labels:
        update["labels"] = settings.labels
    if settings.smoothing is not None:
        update["smoothing"] = settings.smoothing
    return type(model).model_validate({**model.model_dump(), **update}) if update else model
