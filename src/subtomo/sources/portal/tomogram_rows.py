"""Which of the portal's rows make a tomogram, and where its images are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError
from subtomo.sources.portal.records import Row, SeriesRecords
from subtomo.sources.stores import http_address


@dataclass(frozen=True, eq=False)
class TomogramRows:
    """One tomogram: an alignment of a tilt series, at a voxel spacing.

    Parameters
    ----------
    alignment, tilt_series : rows
    tomogram : row; one of those of this alignment and spacing, which have one size
    """

    alignment: Row
    tilt_series: Row
    tomogram: Row

    @property
    def name(self) -> str:
        """Name of the tomogram in tables, as the portal's other tools call it."""
        *_, alignment, spacing = self.ids
        return f"{self.group_name}_alignment_{alignment}_spacing_{spacing}"

    @property
    def group_name(self) -> str:
        """Name of the optics group."""
        run, series, *_ = self.ids
        return f"run_{run}_tiltseries_{series}"

    @property
    def ids(self) -> tuple[int, int, int, int]:
        """Ids of run, tilt series, alignment and voxel spacing."""
        spacing: int = self.tomogram.tomogram_voxel_spacing_id
        return self.alignment.run_id, self.tilt_series.id, self.alignment.id, spacing

    @property
    def size(self) -> NDArray[np.float64]:
        """Size of the tomogram (x, y, z) in its voxels."""
        row = self.tomogram
        return np.array([row.size_x, row.size_y, row.size_z], dtype=np.float64)


def tomogram_rows(
    records: SeriesRecords, run_id: int, alignment_id: int | None, spacing_id: int | None
) -> TomogramRows:
    """Find the tilt series and the tomogram that points belong to.

    Parameters
    ----------
    records : of the portal
    run_id, alignment_id, spacing_id : as the points' file says; without an alignment, the run's
        only one is taken

    Raises
    ------
    DataError
        If one is missing, or it is not clear which is meant.
    """
    if alignment_id is None:
        of_run = records.alignments_of_run(run_id)
        if len(of_run) != 1:
            raise DataError(
                f"the annotation file names no alignment, and run {run_id} has {len(of_run)}"
            )
        alignment_id = of_run[0].id
    alignment = records.alignments.get(alignment_id)
    if alignment is None:
        raise DataError(f"alignment {alignment_id} is not in the portal")
    series = records.tilt_series.get(alignment.tiltseries_id)
    if series is None:
        raise DataError(f"alignment {alignment_id} has no tilt series")
    rows = records.tomograms.get((alignment_id, spacing_id), []) if spacing_id else []
    if not rows:
        raise DataError(
            f"alignment {alignment_id} has no tomogram at the voxel spacing of the points "
            f"({spacing_id}), so their centre is not known"
        )
    if len({(row.size_x, row.size_y, row.size_z, row.voxel_spacing) for row in rows}) > 1:
        sizes = ", ".join(f"{r.id}: {r.size_x} x {r.size_y} x {r.size_z}" for r in rows)
        raise DataError(
            f"the tomograms of alignment {alignment_id} at voxel spacing {spacing_id} differ in "
            f"size ({sizes}), so the centre of the points is not known"
        )
    return TomogramRows(alignment, series, rows[0])


def image_addresses(
    series: Row, endpoint_url: str | None, *, prefer_mrc: bool = False
) -> tuple[str, str]:
    """Give where the images of a tilt series are: to fetch them from, and as tables name it.

    Parameters
    ----------
    series : row
    endpoint_url : of an S3 service; else the https addresses are taken
    prefer_mrc : the MRC file rather than the OME-Zarr image, where there are both

    Raises
    ------
    DataError
        If the portal has neither an OME-Zarr image nor an MRC file of it.
    """
    zarr = (series.s3_omezarr_dir, series.https_omezarr_dir)
    mrc = (series.s3_mrc_file, series.https_mrc_file)
    for s3, https in (mrc, zarr) if prefer_mrc else (zarr, mrc):
        if s3 and (endpoint_url or not https):
            return http_address(s3.rstrip("/"), endpoint_url), s3.rstrip("/")
        if https:
            return https.rstrip("/"), (s3 or https).rstrip("/")
    raise DataError(f"tilt series {series.id} has neither an OME-Zarr image nor an MRC file")
