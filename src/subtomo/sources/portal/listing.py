"""What the CryoET Data Portal has that matches, in words."""

from collections.abc import Sequence

from subtomo.counts import count_of
from subtomo.sources.portal.client import PortalClient
from subtomo.sources.portal.gathered import open_portal
from subtomo.sources.portal.records import Matches, Row, find_matches
from subtomo.sources.portal.settings import DataPortalSource

_HEADINGS = ("run", "name", "object", "annotation", "shape", "how", "points", "tomogram")


def list_portal(source: DataPortalSource) -> str:
    """List the runs and objects that match, with counts as the portal tells them.

    Parameters
    ----------
    source : what is asked for

    Returns
    -------
    a table in lines, and a sum

    Raises
    ------
    DataError
        If nothing matches.
    RemoteError
        If the portal does not answer.
    """
    portal = open_portal(source)
    matches = find_matches(portal, source)
    runs = _run_names(portal, matches)
    files = sorted(matches.files, key=lambda file: (matches.run_of(file), file.id))
    rows = [_row(file, matches, runs) for file in files]
    n_points = sum(matches.annotation_of(file).object_count or 0 for file in files)
    objects = {matches.annotation_of(file).object_name for file in files}
    total = (
        f"{count_of(len(files), 'file')} of points in {count_of(len(runs), 'run')}, "
        f"{count_of(len(objects), 'object')}, {count_of(n_points, 'point')}"
    )
    return "\n".join([*in_columns([_HEADINGS, *rows]), total])


def in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows of text below one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _run_names(portal: PortalClient, matches: Matches) -> dict[int, str]:
    """Look up what the runs are called."""
    numbers = {matches.run_of(file) for file in matches.files}
    names = {row.id: row.name for row in portal.find_by("Run", "id", numbers)}
    return {number: names.get(number, "?") for number in sorted(numbers)}


def _row(file: Row, matches: Matches, runs: dict[int, str]) -> tuple[str, ...]:
    """Say one file of points in a line."""
    annotation = matches.annotation_of(file)
    run = matches.run_of(file)
    how = f"{annotation.method_type}{', ground truth' if annotation.ground_truth_status else ''}"
    return (
        str(run),
        runs[run],
        annotation.object_name,
        str(annotation.id),
        matches.shape_of(file).shape_type,
        how,
        str(annotation.object_count if annotation.object_count is not None else "?"),
        f"alignment {file.alignment_id or '?'}, spacing {file.tomogram_voxel_spacing_id}",
    )
