"""A particle project made of picks of a copick project whose runs are the portal's.

Such a project's runs are called by their ids in the CryoET Data Portal. Its annotations are picks
of the user ``data-portal`` there, in sessions called by the ids of the annotation files.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from subtomo.counts import count_of
from subtomo.errors import DataError, SubtomoError
from subtomo.formats.copick_picks import PickSet
from subtomo.sources.copick.choice import Choice, choice_of
from subtomo.sources.copick.config import CopickConfig, read_copick_config
from subtomo.sources.copick.particles import particles_of_picks
from subtomo.sources.copick.project_files import CopickFiles
from subtomo.sources.copick.settings import CopickDataPortalSource
from subtomo.sources.http_files import HttpFiles
from subtomo.sources.particle_project import ParticleProject
from subtomo.sources.portal.checks import check_visible
from subtomo.sources.portal.client import PortalClient
from subtomo.sources.portal.gathered import (
    Gathered,
    add_tilt_series,
    generated_project,
    open_portal,
)
from subtomo.sources.portal.known_ids import check_ids
from subtomo.sources.portal.points import AnnotatedPoints
from subtomo.sources.portal.project import read_points
from subtomo.sources.portal.records import (
    Matches,
    Row,
    SeriesRecords,
    by_id,
    files_of_annotations,
    find_series,
)
from subtomo.sources.portal.tomogram_rows import TomogramRows, tomogram_rows
from subtomo.sources.tile_fetching import REQUESTS

FloatArray = NDArray[np.float64]
PORTAL_USER = "data-portal"


@dataclass(frozen=True, eq=False)
class PortalPicks:
    """Picks, and the annotation file that they are; None for those in the project's folders."""

    picks: PickSet
    file: Row | None = None


def open_copick_portal_project(
    source: CopickDataPortalSource, *, need_ctf: bool = True, prefer_mrc: bool = False
) -> ParticleProject:
    """Read picks, and the tilt series of their runs from the portal; no pixel is read.

    Parameters
    ----------
    source : what is meant
    need_ctf : whether tilt series without CTF are left out
    prefer_mrc : name MRC files rather than OME-Zarr images, where there are both

    Raises
    ------
    MissingDependency
        If the package cryoet_data_portal is not installed.
    MissingFileError, FormatError, RemoteError
        If a file is missing or damaged, or the portal does not answer.
    DataError
        If no picks are meant, or nothing of them can be used; with ``strict``, at the first
        tomogram that cannot.
    """
    portal = open_portal(source)
    found, failures = portal_picks(portal, source)
    records = _records(portal, found)
    gathered = Gathered(source.strict)
    for what, failure in failures.items():
        gathered.skip(what, failure)
    of_tomogram = _tomograms(gathered, found, records)
    add_tilt_series(gathered, records, source, need_ctf=need_ctf, prefer_mrc=prefer_mrc)
    placed = _placed(gathered, of_tomogram)
    return generated_project(gathered, particles_of_picks(placed, gathered.skipped))


def portal_picks(
    portal: PortalClient, source: CopickDataPortalSource
) -> tuple[list[PortalPicks], dict[str, SubtomoError]]:
    """Find the picks that are meant, in the project's folders and among the annotations.

    Parameters
    ----------
    portal : where
    source : what is meant

    Returns
    -------
    picks : in the order of their runs
    failures : why some files could not be read

    Raises
    ------
    DataError
        If there are none, or the portal lacks one of several datasets or runs.
    """
    config = read_copick_config(source.copick_config)
    choice = choice_of(source)
    check_ids(
        portal,
        {
            "--copick-dataset-ids": ("Dataset", source.copick_dataset_ids),
            "--copick-run-names": (
                "Run",
                [int(one.text) for one in choice.runs if one.text.isdecimal()],
            ),
        },
    )
    files = CopickFiles(config, source.copick_config)
    runs = _runs(portal, source, config, [run for run in files.runs() if choice.has_run(run)])
    sets, failures = files.picks(runs, choice)
    found = [PortalPicks(picks) for picks in sets]
    if config.config_type == "cryoet_data_portal" and choice.user.fits(PORTAL_USER):
        annotated, lost = _annotated(portal, source, config, choice)
        found += annotated
        failures |= lost
    if not found:
        if failures:
            raise next(iter(failures.values()))
        raise DataError(
            f"no picks fit {choice}: neither {count_of(len(runs), 'run')} in the folders of "
            f"{source.copick_config} nor the annotations of its datasets; --list shows all"
        )
    return sorted(found, key=lambda each: int(each.picks.run)), failures


def _runs(
    portal: PortalClient, source: CopickDataPortalSource, config: CopickConfig, names: list[str]
) -> list[str]:
    """Keep the runs whose names are ids, of the datasets that are meant."""
    wrong = [name for name in names if not name.isdecimal()]
    if wrong:
        raise DataError(
            f"{source.copick_config}: run {wrong[0]} is not called by an id of the portal; "
            "--copick-run-names can leave it out"
        )
    datasets = _datasets(source, config)
    if not datasets or not names:
        return names
    rows = by_id(portal.find_by("Run", "id", map(int, names)))
    return [name for name in names if int(name) in rows and rows[int(name)].dataset_id in datasets]


def _datasets(source: CopickDataPortalSource, config: CopickConfig) -> set[int]:
    """Give the datasets that are meant; any if empty."""
    known, asked = set(config.dataset_ids), set(source.copick_dataset_ids)
    if known and asked and not known & asked:
        raise DataError(
            f"{source.copick_config}: has the datasets {sorted(known)}, but --copick-dataset-ids "
            f"gives {sorted(asked)}"
        )
    return known & asked if known and asked else known | asked


def _annotated(
    portal: PortalClient, source: CopickDataPortalSource, config: CopickConfig, choice: Choice
) -> tuple[list[PortalPicks], dict[str, SubtomoError]]:
    """Find annotations of the portal that are picks of objects of the project."""
    names = {
        one.ontology_id: one.name
        for one in config.pickable_objects
        if one.ontology_id and choice.object_name.fits(one.name)
    }
    datasets = _datasets(source, config)
    if not names or not datasets:
        return [], {}
    kind = portal.models.Annotation
    rows = portal.find(
        "Annotation",
        [kind.run.dataset.id._in(sorted(datasets)), kind.object_id._in(sorted(names))],
    )
    rows = [row for row in rows if choice.has_run(str(row.run_id))]
    matches = files_of_annotations(portal, by_id(rows))
    files = [file for file in matches.files if choice.session.fits(str(file.id))]
    return _fetched(files, matches, names, source.endpoint_url)


def _fetched(
    files: Sequence[Row], matches: Matches, names: dict[str, str], endpoint_url: str | None
) -> tuple[list[PortalPicks], dict[str, SubtomoError]]:
    """Fetch annotation files; positions stay in voxels until their tomogram is known."""
    http = HttpFiles()
    found, failures = [], {}
    with ThreadPoolExecutor(REQUESTS, "subtomo-points") as pool:
        coming = [pool.submit(read_points, http, file, endpoint_url) for file in files]
        for file, part in zip(files, coming, strict=True):
            try:
                points = part.result()
            except SubtomoError as error:
                failures[f"run {matches.run_of(file)} annotation file {file.id}"] = error
                continue
            name = names[matches.annotation_of(file).object_id]
            found.append(PortalPicks(_pick_set(file, matches.run_of(file), name, points), file))
    return found, failures


def _pick_set(file: Row, run: int, name: str, points: AnnotatedPoints) -> PickSet:
    """Take an annotation file for a set of picks."""
    return PickSet(
        run=str(run),
        object_name=name,
        user=PORTAL_USER,
        session=str(file.id),
        place=file.s3_path,
        position=points.position,
        rotation=points.rotation,
        is_oriented=bool(len(points) and points.is_oriented.all()),
        instance=np.zeros(len(points), dtype=np.int64),
        score=np.ones(len(points)),
    )


def _records(portal: PortalClient, found: Sequence[PortalPicks]) -> SeriesRecords:
    """Ask for all tilt series of the runs."""
    runs = {int(each.picks.run) for each in found}
    return find_series(portal, portal.find_by("Alignment", "run_id", runs))


def _tomograms(
    gathered: Gathered, found: Sequence[PortalPicks], records: SeriesRecords
) -> dict[str, list[PortalPicks]]:
    """Sort picks by the tomogram that they are in."""
    rows_of: dict[str, TomogramRows] = {}
    of_tomogram: dict[str, list[PortalPicks]] = {}
    for each in found:
        try:
            rows = _rows(each, records)
        except SubtomoError as error:
            gathered.skip(f"run {each.picks.run} {each.picks}", error)
            continue
        rows_of[rows.name] = rows
        of_tomogram.setdefault(rows.name, []).append(each)
    gathered.take(rows_of.values())
    return of_tomogram


def _rows(each: PortalPicks, records: SeriesRecords) -> TomogramRows:
    """Find the tomogram of picks: an annotation file names it, a project's picks its spacing."""
    run = int(each.picks.run)
    if each.file is not None:
        return tomogram_rows(
            records, run, each.file.alignment_id, each.file.tomogram_voxel_spacing_id
        )
    alignments = [row for row in records.alignments_of_run(run) if row.tiltseries_id is not None]
    if len(alignments) != 1:
        raise DataError(
            f"run {run} has {len(alignments)} alignments of tilt series in the portal; picks can "
            "only be used where there is one"
        )
    spacing = _spacing(records.tomograms, alignments[0].id, each.picks.voxel_spacing)
    return tomogram_rows(records, run, alignments[0].id, spacing)


def _spacing(
    tomograms: dict[tuple[int, int], list[Row]], alignment: int, wanted: float | None
) -> int | None:
    """Choose the voxel spacing that is nearest to that of the picks, else the smallest."""
    spacings = {
        spacing: float(rows[0].voxel_spacing)
        for (of_alignment, spacing), rows in tomograms.items()
        if of_alignment == alignment
    }
    return min(spacings, key=lambda s: abs(spacings[s] - (wanted or 0)), default=None)


def _placed(
    gathered: Gathered, of_tomogram: dict[str, list[PortalPicks]]
) -> list[tuple[str, FloatArray, PickSet]]:
    """Give picks in Å with the size of their tomogram."""
    placed = []
    for name, series in gathered.tilt_series.items():
        rows = gathered.rows[name]
        spacing = float(rows.tomogram.voxel_spacing)
        size = rows.size * spacing
        for each in of_tomogram[name]:
            scale = 1.0 if each.file is None else spacing
            picks = replace(each.picks, position=each.picks.position * scale)
            check_visible(name, series, picks.position - size / 2)
            placed.append((name, size, picks))
    return placed
