"""The rows of the portal's tables that belong to some annotations, asked for in batches."""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from subtomo.counts import some_of
from subtomo.errors import DataError
from subtomo.sources.portal.client import PortalClient, field_of
from subtomo.sources.portal.known_ids import check_ids
from subtomo.sources.portal.settings import DataPortalSource

Row = Any  # an object of cryoet_data_portal, whose fields are its attributes
_SHAPES = ["Point", "OrientedPoint"]
_OF_ANNOTATIONS = {  # filter: field of Annotation
    "deposition_ids": "deposition.id",
    "deposition_titles": "deposition.title",
    "dataset_ids": "run.dataset.id",
    "dataset_titles": "run.dataset.title",
    "organism_names": "run.dataset.organism_name",
    "cell_names": "run.dataset.cell_name",
    "run_ids": "run.id",
    "run_names": "run.name",
    "annotation_ids": "id",
    "annotation_names": "object_name",
}
_OF_IDS = {  # filter: class of which it lists ids
    "deposition_ids": "Deposition",
    "dataset_ids": "Dataset",
    "run_ids": "Run",
    "tiltseries_ids": "TiltSeries",
    "alignment_ids": "Alignment",
    "tomogram_ids": "Tomogram",
    "annotation_ids": "Annotation",
}


@dataclass(frozen=True, eq=False)
class Matches:
    """Annotation files that match, and what they are of; rows by id.

    Parameters
    ----------
    files : in the order of their ids
    shapes, annotations : that they belong to
    """

    files: tuple[Row, ...]
    shapes: dict[int, Row]
    annotations: dict[int, Row]

    def shape_of(self, file: Row) -> Row:
        """Give the shape that a file holds the points of."""
        return self.shapes[file.annotation_shape_id]

    def annotation_of(self, file: Row) -> Row:
        """Give the annotation that a file belongs to."""
        return self.annotations[self.shape_of(file).annotation_id]

    def run_of(self, file: Row) -> int:
        """Give the id of the run that a file belongs to."""
        return int(self.annotation_of(file).run_id)


@dataclass(frozen=True, eq=False)
class SeriesRecords:
    """What the portal says of tilt series and their tomograms.

    Parameters
    ----------
    alignments, tilt_series, frames : by id
    tomograms : by ids of alignment and voxel spacing
    sections : by id of the tilt series, in the order of their index
    aligned_sections : by id of the alignment, in the order of their index
    """

    alignments: dict[int, Row] = field(default_factory=dict)
    tilt_series: dict[int, Row] = field(default_factory=dict)
    frames: dict[int, Row] = field(default_factory=dict)
    tomograms: dict[tuple[int, int], list[Row]] = field(default_factory=dict)
    sections: dict[int, list[Row]] = field(default_factory=dict)
    aligned_sections: dict[int, list[Row]] = field(default_factory=dict)

    def alignments_of_run(self, run_id: int) -> list[Row]:
        """Give the alignments that a run has."""
        return [row for row in self.alignments.values() if row.run_id == run_id]


def find_matches(portal: PortalClient, source: DataPortalSource) -> Matches:
    """Find the files of points that fit all filters.

    Parameters
    ----------
    portal : where
    source : the filters

    Raises
    ------
    DataError
        If nothing fits, or the portal lacks one of several ids; the message says which.
    RemoteError
        If the portal does not answer.
    """
    check_ids(portal, {_option(n): (kind, getattr(source, n)) for n, kind in _OF_IDS.items()})
    places = _places(portal, source)
    annotations = _annotations(portal, source, places)
    if not annotations:
        raise DataError(f"{portal.url}: no annotation fits {_asked(source)}; {_wider(source)}")
    matches = files_of_annotations(portal, annotations)
    if places is not None:
        matches = replace(matches, files=tuple(f for f in matches.files if places.has(f)))
    if not matches.files:
        names = sorted({row.object_name for row in annotations.values()})
        raise DataError(
            f"{portal.url}: the annotations that fit {_asked(source)} ({some_of(names)}) "
            "have no points (Point, OrientedPoint) there; choose other annotations"
        )
    return matches


def files_of_annotations(portal: PortalClient, annotations: dict[int, Row]) -> Matches:
    """Find the files of points of annotations.

    Parameters
    ----------
    portal : where
    annotations : rows by id
    """
    is_point = portal.models.AnnotationFile.annotation_shape.shape_type._in(_SHAPES)
    files = portal.find_by(
        "AnnotationFile", "annotation_shape.annotation_id", annotations, and_also=[is_point]
    )
    shapes = by_id(portal.find_by("AnnotationShape", "id", {f.annotation_shape_id for f in files}))
    kept = sorted((f for f in files if f.annotation_shape_id in shapes), key=lambda f: f.id)
    return Matches(tuple(kept), shapes, annotations)


def find_series(portal: PortalClient, alignments: Iterable[Row]) -> SeriesRecords:
    """Find all that the portal says of the tilt series of alignments.

    Parameters
    ----------
    portal : where
    alignments : rows
    """
    rows = by_id(alignments)
    series = by_id(
        portal.find_by("TiltSeries", "id", _present(row.tiltseries_id for row in rows.values()))
    )
    sections = grouped(
        portal.find_by("PerSectionParameters", "tiltseries_id", series), "tiltseries_id"
    )
    aligned = grouped(
        portal.find_by("PerSectionAlignmentParameters", "alignment_id", rows), "alignment_id"
    )
    tomograms: dict[tuple[int, int], list[Row]] = {}
    for tomogram in portal.find_by("Tomogram", "alignment_id", rows):
        key = (tomogram.alignment_id, tomogram.tomogram_voxel_spacing_id)
        tomograms.setdefault(key, []).append(tomogram)
    frames = by_id(portal.find_by("Frame", "run_id", {row.run_id for row in series.values()}))
    return SeriesRecords(rows, series, frames, tomograms, sections, aligned)


def find_alignments(portal: PortalClient, matches: Matches) -> list[Row]:
    """Find the alignments that files name, and all of the runs of files that name none."""
    named = portal.find_by("Alignment", "id", _present(f.alignment_id for f in matches.files))
    runs = {matches.run_of(file) for file in matches.files if file.alignment_id is None}
    of_runs = portal.find_by("Alignment", "run_id", runs)
    return list(by_id([*named, *of_runs]).values())


def by_id(rows: Iterable[Row]) -> dict[int, Row]:
    """Give rows by their id, in its order."""
    return {row.id: row for row in sorted(rows, key=lambda row: row.id)}


def grouped(rows: Iterable[Row], name: str) -> dict[int, list[Row]]:
    """Give rows by the number in a field, each group in the order of the sections."""
    groups: dict[int, list[Row]] = {}
    for row in sorted(rows, key=lambda row: row.z_index):
        groups.setdefault(getattr(row, name), []).append(row)
    return groups


@dataclass(frozen=True)
class _Places:
    """Alignments, and of some only certain voxel spacings, that filters leave."""

    alignments: frozenset[int]
    spacings: frozenset[tuple[int, int]] | None
    runs: frozenset[int]

    def has(self, file: Row) -> bool:
        place = (file.alignment_id, file.tomogram_voxel_spacing_id)
        return file.alignment_id in self.alignments and (
            self.spacings is None or place in self.spacings
        )


def _places(portal: PortalClient, source: DataPortalSource) -> _Places | None:
    """Find the alignments that --tiltseries-ids, --alignment-ids and --tomogram-ids leave."""
    found: list[dict[int, Row]] = []
    spacings = None
    if source.tiltseries_ids:
        rows = portal.find_by("Alignment", "tiltseries_id", source.tiltseries_ids)
        found.append(by_id(rows))
    if source.alignment_ids:
        found.append(by_id(portal.find_by("Alignment", "id", source.alignment_ids)))
    if source.tomogram_ids:
        tomograms = portal.find_by("Tomogram", "id", source.tomogram_ids)
        spacings = frozenset((t.alignment_id, t.tomogram_voxel_spacing_id) for t in tomograms)
        ids = _present(alignment for alignment, _ in spacings)
        found.append(by_id(portal.find_by("Alignment", "id", ids)))
    if not found:
        return None
    shared = set(found[0]).intersection(*found[1:])
    if not shared:
        raise DataError(f"{portal.url}: no alignment fits {_asked(source)}")
    return _Places(
        frozenset(shared), spacings, frozenset(found[0][number].run_id for number in shared)
    )


def _annotations(
    portal: PortalClient, source: DataPortalSource, places: _Places | None
) -> dict[int, Row]:
    """Find the annotations that fit, in one question for each combination of inexact names."""
    exact, alternatives = [], []
    for name, path in _OF_ANNOTATIONS.items():
        values = getattr(source, name)
        if not values:
            continue
        expression = field_of(portal.models.Annotation, path)
        if source.inexact_match and _is_text(name):
            alternatives.append([expression.ilike(_containing(value)) for value in values])
        else:
            exact.append(expression._in(list(values)))
    if source.ground_truth:
        exact.append(portal.models.Annotation.ground_truth_status == True)  # noqa: E712
    if source.automated_only:
        exact.append(portal.models.Annotation.method_type == "automated")
    if places is not None:
        exact.append(portal.models.Annotation.run_id._in(sorted(places.runs)))
    found: list[Row] = []
    for chosen in itertools.product(*alternatives):
        found += portal.find("Annotation", [*exact, *chosen])
    return by_id(found)


def _containing(text: str) -> str:
    """Write the pattern of texts that contain one, whose own wildcards mean themselves."""
    return "%" + re.sub(r"([%_\\])", r"\\\1", text) + "%"


def _present(values: Iterable[int | None]) -> set[int]:
    return {value for value in values if value is not None}


def _wider(source: DataPortalSource) -> str:
    """Say how more would fit."""
    named = [name for name in _OF_ANNOTATIONS if _is_text(name) and getattr(source, name)]
    if not named:
        return "give fewer filters, with --list to see what fits"
    option = _option(named[-1])
    others = f"other filters than {option}, with --list, to see what there is"
    if source.inexact_match:
        return f"give {others}"
    return f"names fit as a whole only: give --inexact-match to find parts of them, or {others}"


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _is_text(name: str) -> bool:
    """Tell whether a filter is a name or a title."""
    return name.endswith(("_names", "_titles"))


def _asked(source: DataPortalSource) -> str:
    """Say the filters as they were given."""
    parts = [
        f"{_option(name)} {','.join(map(str, getattr(source, name)))}"
        for name in source.FILTERS
        if getattr(source, name)
    ]
    flags = [
        _option(name)
        for name in ("inexact_match", "ground_truth", "automated_only")
        if getattr(source, name)
    ]
    return " ".join([*parts, *flags])
