"""Tilt series of Gaussian beads, projected by this file's own geometry, and finding them again."""

import numpy as np
from scipy.spatial.transform import Rotation

from subtomo.model import TiltSeries


def view_matrices(tilt_angles, axis_angles, x_tilts):
    """Rotations (tilt, 3, 3) of the specimen: about x, then y by the tilt, then z to the axis."""
    turns = [
        Rotation.from_euler(axis, np.atleast_1d(angles)[:, None], degrees=True)
        for axis, angles in zip("zyx", (axis_angles, tilt_angles, x_tilts), strict=True)
    ]
    return (turns[0] * turns[1] * turns[2]).as_matrix()


def bead_images(places, image_size, sigma, height=-1.0):
    """Images (tilt, y, x) of beads at places (tilt, bead, 2), pixels x, y; dark as in raw data."""
    x, y = (np.arange(n) for n in image_size)
    along_x = np.exp(-((x - places[..., 0, None]) ** 2) / (2 * sigma**2))
    along_y = np.exp(-((y - places[..., 1, None]) ** 2) / (2 * sigma**2))
    return (height * np.einsum("tby,tbx->tyx", along_y, along_x)).astype(np.float32)


def bead_series(
    beads_px,
    *,
    tilt_angles,
    axis_angle=0.0,
    x_tilt=0.0,
    shifts_px=None,
    image_size,
    tomogram_size,
    sigma,
    pixel_size=5.0,
    height=-1.0,
    **fields,
):
    """Tilt series of beads at points (bead, 3) of the tomogram, x, y, z in pixels."""
    n = len(tilt_angles)
    shifts_px = np.zeros((n, 2)) if shifts_px is None else shifts_px
    axes, x_tilts = np.full(n, axis_angle), np.full(n, x_tilt)
    matrices = view_matrices(tilt_angles, axes, x_tilts)
    from_centre = np.asarray(beads_px) - np.array(tomogram_size) // 2
    places = np.einsum("tij,bj->tbi", matrices, from_centre)[..., :2]
    places += np.array(image_size) // 2 + shifts_px[:, None]
    return TiltSeries(
        name="beads",
        pixel_size=pixel_size,
        tilt_angles=np.asarray(tilt_angles, dtype=float),
        tilt_axis_angles=axes,
        x_tilts=x_tilts,
        shifts=shifts_px * pixel_size,
        dose=np.zeros(n),
        tomogram_size_px=tuple(tomogram_size),
        images=bead_images(places, image_size, sigma, height),
        **fields,
    )


def locate(volume, near):
    """Top (x, y, z) of the peak within three voxels of a point, by parabolas through it."""
    middle = np.rint(near).astype(int)[::-1]
    box = volume[tuple(slice(i - 3, i + 4) for i in middle)]
    top = np.array(np.unravel_index(np.argmax(box), box.shape))
    place = []
    for axis in range(3):
        step = np.eye(3, dtype=int)[axis]
        before, at, after = (float(box[tuple(top + d * step)]) for d in (-1, 0, 1))
        offset = (before - after) / (2 * (before - 2 * at + after))
        place.append(middle[axis] - 3 + top[axis] + offset)
    return np.array(place[::-1])
