"""A particle project made of the CryoET Data Portal's annotations."""

import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, SubtomoError, SubtomoWarning
from subtomo.formats.relion_coordinates import CENTRED
from subtomo.formats.relion_particles import ANGLES
from subtomo.formats.star import StarTable
from subtomo.geometry.euler import relion_from_quaternions
from subtomo.geometry.rotations import quaternions_from_matrices
from subtomo.sources.http_files import HttpFiles
from subtomo.sources.particle_project import TOMOGRAM, ParticleProject
from subtomo.sources.portal.checks import (
    check_duplicates,
    check_empty,
    check_one_tomogram_a_run,
    check_visible,
    without_points,
)
from subtomo.sources.portal.gathered import (
    Gathered,
    add_tilt_series,
    generated_project,
    open_portal,
)
from subtomo.sources.portal.points import AnnotatedPoints, ObjectPoints, parse_points
from subtomo.sources.portal.records import (
    Matches,
    Row,
    SeriesRecords,
    find_alignments,
    find_matches,
    find_series,
)
from subtomo.sources.portal.settings import DataPortalSource
from subtomo.sources.portal.tomogram_rows import TomogramRows, tomogram_rows
from subtomo.sources.stores import http_address
from subtomo.sources.tile_fetching import REQUESTS

OBJECT_NAME = "subtomoClassName"
SOURCE = "subtomoSource"
ANNOTATION_SHAPE = "cdpAnnotationShapeId"
IS_ORIENTED = "subtomoIsOriented"


def open_portal_project(
    source: DataPortalSource, *, need_ctf: bool = True, prefer_mrc: bool = False
) -> ParticleProject:
    """Read particles and tilt series from the CryoET Data Portal; no pixel is read.

    Parameters
    ----------
    source : what is asked for
    need_ctf : whether tilt series without CTF are left out
    prefer_mrc : name MRC files rather than OME-Zarr images, where there are both

    Returns
    -------
    ParticleProject, generated
        Tomograms are called ``run_R_tiltseries_T_alignment_A_spacing_V``. What could not be used
        is in ``skipped``.

    Raises
    ------
    MissingDependency
        If the package cryoet_data_portal is not installed.
    RemoteError
        If the portal does not answer.
    DataError
        If nothing matches or nothing of it can be used; with ``strict``, at the first tomogram
        that cannot.
    """
    portal = open_portal(source)
    matches = find_matches(portal, source)
    records = find_series(portal, find_alignments(portal, matches))
    gathered = Gathered(source.strict)
    files = _tomograms(gathered, matches, records)
    add_tilt_series(gathered, records, source, need_ctf=need_ctf, prefer_mrc=prefer_mrc)
    _read_points(gathered, matches, files, source)
    return _project(gathered, oriented=not source.no_orientations)


def _tomograms(
    gathered: Gathered, matches: Matches, records: SeriesRecords
) -> dict[str, list[Row]]:
    """Sort the files of points by tomogram, and the tomograms by their ids."""
    found: dict[str, tuple[TomogramRows, list[Row]]] = {}
    for file in matches.files:
        try:
            rows = tomogram_rows(
                records, matches.run_of(file), file.alignment_id, file.tomogram_voxel_spacing_id
            )
        except SubtomoError as error:
            place = f"run_{matches.run_of(file)} annotation file {file.id}"
            gathered.skip(place, error)
            continue
        found.setdefault(rows.name, (rows, []))[1].append(file)
    gathered.take(rows for rows, _ in found.values())
    check_one_tomogram_a_run(gathered.rows.values())
    return {name: files for name, (_, files) in found.items()}


def _read_points(
    gathered: Gathered,
    matches: Matches,
    files: Mapping[str, Sequence[Row]],
    source: DataPortalSource,
) -> None:
    """Fetch the points of the tomograms that can be used."""
    http = HttpFiles()
    with ThreadPoolExecutor(REQUESTS, "subtomo-points") as pool:
        coming = {
            name: [
                (file, pool.submit(read_points, http, file, source.endpoint_url))
                for file in files[name]
            ]
            for name in gathered.tilt_series
        }
        for name, parts in coming.items():
            for file, part in parts:
                try:
                    points = part.result()
                except SubtomoError as error:
                    gathered.skip(f"{name} annotation file {file.id}", error)
                    continue
                annotation = matches.annotation_of(file)
                gathered.points.setdefault(name, []).append(
                    ObjectPoints(
                        points, file.annotation_shape_id, annotation.id, annotation.object_name
                    )
                )


def read_points(http: HttpFiles, file: Row, endpoint_url: str | None) -> AnnotatedPoints:
    """Fetch the points of one annotation file.

    Parameters
    ----------
    http : fetches
    file : row
    endpoint_url : of an S3 service; else the https address is taken

    Raises
    ------
    MissingFileError, RemoteError, FormatError
        If it is not there, does not come or is damaged.
    """
    use_s3 = endpoint_url or not file.https_path
    address = http_address(file.s3_path, endpoint_url) if use_s3 else file.https_path
    return parse_points(http.read(address), address)


def _project(gathered: Gathered, *, oriented: bool) -> ParticleProject:
    """Make the tables."""
    names: list[str] = []
    groups: list[ObjectPoints] = []
    centred: list[NDArray[np.float64]] = []
    for name, of_tomogram in gathered.points.items():
        names += [name] * len(of_tomogram)
        groups += of_tomogram
        centred += _centred(gathered, name)
    empty = [
        f"{name} annotation {group.annotation} shape {group.shape}"
        for name, group in zip(names, groups, strict=True)
        if not len(group)
    ]
    if not any(map(len, groups)):
        why = [gathered.reasons()] * bool(gathered.skipped) + [without_points(empty)] * bool(empty)
        raise DataError(f"no points are left to use: {'; '.join(why)}")
    check_empty(empty)
    rotations = np.concatenate([group.points.rotation for group in groups])
    is_oriented = np.concatenate([group.points.is_oriented for group in groups])
    if not oriented:
        rotations, is_oriented = np.broadcast_to(np.eye(3), rotations.shape), is_oriented & False
    elif not is_oriented.all():
        warnings.warn(
            f"{np.sum(~is_oriented)} of {len(is_oriented)} particles have no orientation: their "
            f"angles are 0 and {IS_ORIENTED} is 0",
            SubtomoWarning,
            stacklevel=3,
        )
    angles = relion_from_quaternions(quaternions_from_matrices(rotations))
    counts = [len(group) for group in groups]
    of_groups = {
        OBJECT_NAME: [group.object_name for group in groups],
        SOURCE: [f"portal annotation {group.annotation}" for group in groups],
        ANNOTATION_SHAPE: [group.shape for group in groups],
    }
    particles = StarTable(
        {
            TOMOGRAM: np.repeat(np.array(names), counts),
            **dict(zip(CENTRED, np.concatenate(centred).T, strict=True)),
            **dict(zip(ANGLES, angles.T, strict=True)),
            **{tag: np.repeat(np.array(values), counts) for tag, values in of_groups.items()},
            IS_ORIENTED: is_oriented.astype(np.int64),
        },
        source="points of the portal",
    )
    return generated_project(gathered, particles)


def _centred(gathered: Gathered, name: str) -> list[NDArray[np.float64]]:
    """Give the points of each file of a tomogram, (n, 3) Å from its centre; tell doubts."""
    rows, groups = gathered.rows[name], gathered.points[name]
    spacing = float(rows.tomogram.voxel_spacing)
    centred = [(group.points.position - rows.size / 2) * spacing for group in groups]
    check_visible(name, gathered.tilt_series[name], np.concatenate(centred))
    check_duplicates(name, centred, [group.shape for group in groups], spacing)
    return centred
