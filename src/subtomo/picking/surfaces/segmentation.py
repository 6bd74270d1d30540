"""Surfaces of the labels of a segmentation."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import find_objects, gaussian_filter

from subtomo.errors import DataError, SettingsError
from subtomo.model import Volume
from subtomo.picking.surfaces.pieces import keep_faces, number_pieces
from subtomo.picking.surfaces.sheets import Sheet, take_sheet
from subtomo.picking.surfaces.smooth_normals import with_smooth_normals
from subtomo.picking.surfaces.surface import Surface

FloatArray = NDArray[np.float64]

_LEVEL = 0.5 + 1e-4
"""Just off the middle: where voxels equal the level exactly, marching cubes leaves holes."""
_REACH = 4.0
"""Of the Gaussian, in standard deviations."""
_NORMALS_WIDTH_PX = 3.5
"""Of the mean that normals are: those of a ball are 14° wrong at worst without it, 2° with it."""


def surfaces_from_segmentation(
    segmentation: Volume,
    labels: Sequence[int] | None = None,
    *,
    threshold: float | None = None,
    smoothing: float = 0.0,
    smallest_area: float = 0.0,
    sheet: Sheet = "both",
    marker: ArrayLike | None = None,
) -> dict[int, Surface]:
    """Make a surface around each label of a segmentation.

    Parameters
    ----------
    segmentation : whole numbers, 0 = outside; or any values, with a threshold
    labels : those wanted; None: all that there are
    threshold : what reaches it is one label, 1; None: the values are the labels
    smoothing : Å, standard deviation of the Gaussian that the label is smoothed with, 0 for none
        About two voxels takes the steps of the voxels away; half the thickness of a membrane and
        more makes it thinner.
    smallest_area : Å²; connected pieces with less are left out
    sheet : of labels that are membranes: both, the outer or the inner one, or one surface half way
        between them, without the rim of an open membrane
    marker : (3,) Å, columns x, y, z, on the inner side
        None: what a closed sheet encloses is inside, and the middle of an open one.

    Returns
    -------
    dict of label to Surface
        Its normals are means over some three voxels. They point away from the marker, without
        one those of both sheets out of the label, of a single one to its outer side. It is open
        where the label reaches the edge of the volume. A label all of whose pieces are left out
        is left out.

    Raises
    ------
    DataError
        If a label that is wanted is not there, values are not finite, or not whole numbers and no
        threshold is given, or a single sheet is wanted of a label that is not thin.
    SettingsError
        If the smoothing or the area is negative, or labels are given with a threshold.

    Notes
    -----
    Marching cubes of scikit-image, ``measure.marching_cubes`` (Lewiner et al. 2003).
    """
    for name, value in (("smoothing", smoothing), ("smallest_area", smallest_area)):
        if not (np.isfinite(value) and value >= 0):
            raise SettingsError(f"{name} is {value}; expected 0 or more")
    if threshold is not None and labels is not None:
        raise SettingsError("labels and a threshold are given; expected one of them")
    values = _labelled(segmentation, threshold)
    found = find_objects(values)
    there = [k + 1 for k, part in enumerate(found) if part is not None]
    missing = sorted(set(labels or ()) - set(there))
    if missing:
        raise DataError(
            f"segmentation has no label {missing[0]}; it has {', '.join(map(str, there)) or 'none'}"
        )
    surfaces = {}
    for label in there if labels is None else dict.fromkeys(labels):
        soft = _smoothed(segmentation, values == label, found[label - 1], smoothing)
        surface = _around(soft, smallest_area)
        if not len(surface.faces):
            continue
        if sheet != "both" or marker is not None:
            try:
                surface = take_sheet(surface, soft, _LEVEL, sheet, marker)
            except DataError as error:
                raise DataError(f"label {label} {error}") from None
            surface = _with_normals(surface, soft)  # the rim that is gone had its part in them
        surfaces[label] = surface
    return surfaces


def _labelled(segmentation: Volume, threshold: float | None) -> NDArray[np.int32]:
    """Values as labels."""
    values = np.asarray(segmentation.data[...])
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise DataError("segmentation holds NaN or infinite values; expected finite ones")
    if threshold is not None:
        return np.asarray(values >= threshold, dtype=np.int32)
    with np.errstate(invalid="ignore"):  # beyond whole numbers of 32 bits, and told of below
        labels = np.asarray(values, dtype=np.int32)
    if values.dtype.kind not in "biu" and not np.array_equal(labels, values):
        first = values[labels != values][0]
        raise DataError(
            f"segmentation has the value {first:g}; expected whole numbers, or a threshold"
        )
    if labels.min() < 0:
        raise DataError(f"segmentation has the label {labels.min()}; expected 0 or more")
    return labels


def _smoothed(
    segmentation: Volume,
    mask: NDArray[np.bool_],
    part: tuple[slice, slice, slice],
    smoothing: float,
) -> Volume:
    """Smooth one label, in the part of the volume where it is."""
    sigma = smoothing / segmentation.pixel_size
    margin = int(np.ceil(_REACH * sigma)) + 2
    near = tuple(
        slice(max(0, side.start - margin), min(n, side.stop + margin))
        for side, n in zip(part, mask.shape, strict=True)
    )
    values = mask[near].astype(np.float32)
    if sigma > 0:
        values = gaussian_filter(values, sigma, mode="nearest", truncate=_REACH)
    first = segmentation.grid.positions(np.array([side.start for side in near[::-1]]))
    return Volume(values, segmentation.pixel_size, tuple(first.tolist()))


def _around(label: Volume, smallest_area: float) -> Surface:
    """Surround a smooth label."""
    from skimage.measure import marching_cubes

    values = label.data
    if min(values.shape) < 2 or not values.min() < _LEVEL < values.max():
        return Surface(np.empty((0, 3)), np.empty((0, 3), dtype=np.int64))
    zyx, faces, *_ = marching_cubes(values, _LEVEL, allow_degenerate=False)
    surface = Surface(label.grid.positions(zyx[:, ::-1]), faces)
    of_face, _ = number_pieces(surface)
    area = np.bincount(of_face, weights=surface.triangle_areas)
    kept = keep_faces(surface, area[of_face] >= smallest_area)
    return _with_normals(kept, label)


def _with_normals(surface: Surface, label: Volume) -> Surface:
    """Take the means of the triangles' normals."""
    bare = Surface(surface.vertices, surface.faces)
    return with_smooth_normals(bare, _NORMALS_WIDTH_PX * label.pixel_size)
