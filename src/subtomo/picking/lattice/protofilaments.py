"""How many protofilaments a tube has: a score for each number, from the density on its wall."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from subtomo.geometry.cylinder import Cylinder
from subtomo.geometry.layer_lines import grid_power
from subtomo.model import Volume
from subtomo.picking.lattice.filament import Filament

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ProtofilamentScores:
    """A score for each number of protofilaments.

    Parameters
    ----------
    candidates : (n,) numbers of protofilaments
    equator : (n,) share of the equator's power at that order
    layer_line : (n,) share of the first layer line's power at the partner of its start
    orders : (orders,) angular orders of ``power``
    frequencies : (k,) 1/Å of ``power``
    power : (orders, k) of the density, over the background of the same order
    """

    candidates: NDArray[np.int64]
    equator: FloatArray
    layer_line: FloatArray
    orders: NDArray[np.int64]
    frequencies: FloatArray
    power: FloatArray

    @property
    def score(self) -> FloatArray:
        """(n,) mean of the two shares; they add up to 1."""
        return (self.equator + self.layer_line) / 2

    @property
    def best(self) -> int:
        """Number of protofilaments with the highest score."""
        return int(self.candidates[np.argmax(self.score)])


def sample_wall(
    volume: Volume, cylinder: Cylinder, heights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Sample a volume on cylinders from half to one and a half times a tube's radius.

    Parameters
    ----------
    volume : the tomogram
    cylinder : the tube
    heights : (height,) Å

    Returns
    -------
    values : (radius, angle, height)
        Points a voxel apart on the outermost cylinder; the volume's mean outside of it.
    radii : (radius,) Å, a voxel apart
    """
    data = volume.load()
    radii = np.arange(cylinder.radius / 2, 1.5 * cylinder.radius, volume.pixel_size)
    n_angles = 2 * int(np.ceil(np.pi * radii[-1] / volume.pixel_size))
    angles = np.arange(n_angles) * (2 * np.pi / n_angles)
    points = cylinder.points(heights[None, None], angles[None, :, None], radii[:, None, None])
    index = volume.position_to_index(points)
    zyx = np.moveaxis(index[..., ::-1], -1, 0)
    values = map_coordinates(data, zyx, order=3, mode="constant", cval=float(data.mean()))
    return values.astype(np.float64), radii


def score_protofilaments(
    volume: Volume, filament: Filament, *, repeat: float, candidates: tuple[int, int] = (10, 17)
) -> ProtofilamentScores:
    """Score numbers of protofilaments by the density on a filament's wall.

    Two pieces of evidence, each as shares of the power of all candidates, so that both count the
    same. The equator: power at the order N itself. The first layer line: its strongest order s
    (the helical start) has the partner s - N or s + N. Power is measured over its background, the
    median of the same order over frequencies that hold no layer line, because orders fade
    unequally with the resolution. A missing wedge turns the order N into N, N ± 2, N ± 4 …,
    strongest at N.

    Parameters
    ----------
    volume : tomogram, protein bright or dark
    filament : picks on the tube, which give its place and length
    repeat : Å, measured before
    candidates : first and last number of protofilaments

    Returns
    -------
    ProtofilamentScores
    """
    heights = np.arange(filament.heights.min(), filament.heights.max(), volume.pixel_size)
    values, radii = sample_wall(volume, filament.cylinder, heights)
    numbers = np.arange(candidates[0], candidates[1] + 1)
    # A start is at most half the number: the other order of the pair is then the nearer one.
    widest = candidates[1] + candidates[1] // 2
    orders = np.arange(-widest, widest + 1)
    resolution = 1 / filament.length
    frequencies = np.arange(0, 1 / (2 * volume.pixel_size), resolution / 4)
    power = grid_power(values, heights, radii, orders, frequencies)
    off_lines = frequencies > 10 * resolution
    power = power / np.median(power[:, off_lines], axis=1, keepdims=True)

    near_equator = frequencies <= resolution  # a twist tilts the line of a high order that far
    equator = power[:, near_equator].max(axis=1)
    near_line = np.abs(frequencies - 1 / repeat) <= resolution
    line = power[:, near_line].max(axis=1)
    start = int(orders[np.argmax(np.where(np.abs(orders) <= candidates[1] // 2, line, 0))])
    on_equator = equator[widest + numbers] + equator[widest - numbers]
    partner = np.maximum(line[widest + start - numbers], line[widest + start + numbers])
    return ProtofilamentScores(
        candidates=numbers,
        equator=on_equator / on_equator.sum(),
        layer_line=partner / partner.sum(),
        orders=orders,
        frequencies=frequencies,
        power=power,
    )
