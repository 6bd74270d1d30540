"""Doubts about particles of the portal, told as warnings."""

import warnings
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from subtomo.counts import count_of, some_of
from subtomo.errors import SubtomoWarning
from subtomo.geometry.tilt_projection import project_points, visible_tilts
from subtomo.model import TiltSeries
from subtomo.sources.portal.tomogram_rows import TomogramRows

FloatArray = NDArray[np.float64]
_MOST_NAMES = 20  # of files in one message
_LEAST_VISIBLE = 0.5  # of the particles' places on the images


def check_visible(name: str, series: TiltSeries, centred: FloatArray) -> None:
    """Warn if most of the particles would lie outside the images: the alignment may be wrong.

    Parameters
    ----------
    name : of the tomogram
    series : its tilt series
    centred : (n, 3) Å from the centre of the tomogram
    """
    size, image_size = series.tomogram_size_px, series.image_size_px
    if not len(centred) or size is None or image_size is None:
        return
    positions = centred + np.array(size) / 2 * series.pixel_size
    share = visible_tilts(project_points(series, positions), image_size, 0).mean()
    if share < _LEAST_VISIBLE:
        warnings.warn(
            f"{name}: only {share:.0%} of the particles' places lie on the images: do alignment, "
            "size of the tomogram and annotation belong together?",
            SubtomoWarning,
            stacklevel=3,
        )


def without_points(files: Sequence[str]) -> str:
    """Say which files hold no points."""
    return f"{count_of(len(files), 'file')} without points: {some_of(files, _MOST_NAMES)}"


def check_empty(files: Sequence[str]) -> None:
    """Tell of files that hold no points: their tomograms may not be in the tables."""
    if files:
        warnings.warn(without_points(files), SubtomoWarning, stacklevel=3)


def check_offset(rows: TomogramRows) -> None:
    """Warn if a tomogram is told to be off the centre of its alignment, which is not used."""
    offset = [rows.tomogram.offset_x, rows.tomogram.offset_y, rows.tomogram.offset_z]
    if any(offset):
        warnings.warn(
            f"{rows.name}: tomogram {rows.tomogram.id} has the offset {offset} voxels, which is "
            "not used: look whether the particles are centred",
            SubtomoWarning,
            stacklevel=3,
        )


def check_one_tomogram_a_run(tomograms: Iterable[TomogramRows]) -> None:
    """Warn where a run's particles may be there twice, in different tomograms."""
    of_run: dict[int, list[str]] = {}
    for rows in tomograms:
        of_run.setdefault(rows.alignment.run_id, []).append(rows.name)
    for run, names in of_run.items():
        if len(names) > 1:
            warnings.warn(
                f"run {run} has points in {len(names)} tomograms, which are all kept "
                f"({', '.join(names)}): the same particles may be among them more than once; "
                "--alignment-ids or --tomogram-ids choose one",
                SubtomoWarning,
                stacklevel=4,
            )


def check_duplicates(
    name: str, positions: Sequence[FloatArray], shapes: Sequence[int], distance: float
) -> None:
    """Warn where annotation files of one tomogram seem to mean the same particles.

    Parameters
    ----------
    name : of the tomogram
    positions : (n, 3) Å, of each file
    shapes : id of the annotation shape of each file
    distance : Å, within which two points are the same
    """
    for i, first in enumerate(positions):
        for j in range(i + 1, len(positions)):
            if not len(first) or not len(positions[j]):
                continue
            nearest, _ = cKDTree(first).query(positions[j])
            count = int(np.sum(nearest <= distance))
            if count:
                warnings.warn(
                    f"{name}: {count_of(count, 'point')} of annotation shape {shapes[j]} within "
                    f"{distance:g} Å of points of shape {shapes[i]}: the same particles are there "
                    "twice; --annotation-ids or --annotation-names choose one",
                    SubtomoWarning,
                    stacklevel=4,
                )
