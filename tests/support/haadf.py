"""The dark-field tilt series of a needle, and where its tilt axis is.

The files say tilt angles only. Images half a turn apart mirror each other about the tilt axis; the
projection of an image onto the axis is the same at every tilt; and the centre of mass across the
axis moves as u + a cos(tilt) + b sin(tilt). Together they give the axis and the images' shifts.
"""

from dataclasses import dataclass
from pathlib import Path

import mrcfile
import numpy as np
from scipy import ndimage


@dataclass(frozen=True)
class Needle:
    """Aligned tilt series: RELION's sense of axis and shifts."""

    images: np.ndarray  # (tilt, y, x), background subtracted
    tilt_angles: np.ndarray  # degrees
    pixel_size: float  # Å
    axis_angle: float  # degrees from y towards -x
    mirror_correlation: float  # of the images at ±90 degrees
    shifts_px: np.ndarray  # (tilt, 2) x, y

    def transforms(self):
        """Rows of an .xf file (tilt, 6) that align the images, the axis vertical."""
        cos, sin = np.cos(np.radians(self.axis_angle)), np.sin(np.radians(self.axis_angle))
        matrix = np.array([[cos, sin], [-sin, cos]])
        moved = -self.shifts_px @ matrix.T
        return np.hstack([np.tile(matrix.ravel(), (len(moved), 1)), moved])


def read_needle(folder: Path) -> Needle:
    with mrcfile.open(folder / "HAADF_91x64x64.mrc") as file:
        images, pixel_size = file.data.astype(np.float64), float(file.voxel_size.x)
    tilts = np.loadtxt(folder / "HAADF.rawtlt")
    images -= np.median(images)
    angle, correlation = _axis_of_mirror(images[0], images[-1])
    shifts = _shifts(images, tilts, angle)
    return Needle(
        images.astype(np.float32), tilts, pixel_size, angle, correlation, np.asarray(shifts)
    )


def _axis_of_mirror(first, last):
    """Direction (degrees) about which one image is the mirror of the other, in any place."""
    angles = np.arange(0, 180, 1.0)
    heights = [_highest_correlation(last, _mirror(first, angle)) for angle in angles]
    best = int(np.argmax(heights))
    around = [heights[best - 1], heights[best], heights[(best + 1) % 180]]
    step = (around[0] - around[2]) / (2 * (around[0] - 2 * around[1] + around[2]))
    return float(angles[best] + step), max(heights)


def _mirror(image, angle):
    """Mirror an image about a line through its middle."""
    along = np.array([np.cos(np.radians(angle)), -np.sin(np.radians(angle))])  # y, x
    matrix = 2 * np.outer(along, along) - np.eye(2)
    centre = np.array(image.shape) // 2
    return ndimage.affine_transform(image, matrix, centre - matrix @ centre, order=1)


def _highest_correlation(a, b):
    """Normalised correlation of two images at the shift where it is highest."""
    shape = [2 * n for n in a.shape]
    product = np.fft.fft2(a, shape) * np.conj(np.fft.fft2(b, shape))
    return float(np.fft.ifft2(product).real.max() / np.sqrt((a**2).sum() * (b**2).sum()))


def _shifts(images, tilts, axis_angle):
    """Shift (tilt, 2) of each image: along the axis by profiles, across by centres of mass."""
    angle = np.radians(axis_angle)
    along, across = (
        np.array([-np.sin(angle), np.cos(angle)]),
        np.array([np.cos(angle), np.sin(angle)]),
    )
    y, x = np.indices(images.shape[1:])
    from_centre = np.stack([x - images.shape[2] // 2, y - images.shape[1] // 2], axis=-1)
    profiles = np.array([_profile(image, from_centre @ along) for image in images])
    by_profile = _profile_shifts(profiles)
    mass = (images * (from_centre @ across)).sum(axis=(1, 2)) / images.sum(axis=(1, 2))
    turn = np.radians(tilts)
    model = np.stack([np.ones_like(turn), np.cos(turn), np.sin(turn)], axis=1)
    fitted = np.linalg.lstsq(model, mass, rcond=None)[0]
    by_mass = mass - model[:, 1:] @ fitted[1:]
    return by_profile[:, None] * along + by_mass[:, None] * across


def _profile(image, place):
    """Sum of an image in steps of a pixel along a direction, shared out linearly."""
    start = np.floor(place).astype(int)
    share = place - start
    start = (start + 50).ravel()
    return np.bincount(start, (image * (1 - share)).ravel(), 102) + np.bincount(
        start + 1, (image * share).ravel(), 102
    )


def _profile_shifts(profiles):
    """Shift of each profile against the mean of the aligned ones, to 0.05 pixels."""
    frequencies = np.fft.fftfreq(profiles.shape[1])
    steps = np.arange(-8, 8.01, 0.05)
    phases = np.exp(2j * np.pi * np.outer(steps, frequencies))
    transforms = np.fft.fft(profiles)
    reference = transforms[len(profiles) // 2]
    for _ in range(3):
        correlation = (transforms * np.conj(reference)) @ phases.T
        shifts = steps[correlation.real.argmax(axis=1)]
        aligned = transforms * np.exp(2j * np.pi * np.outer(shifts, frequencies))
        reference = aligned.mean(axis=0)
    return shifts
