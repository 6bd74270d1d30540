"""Picks from the scores of a net."""

from collections.abc import Sequence

import numpy as np

from subtomo.model import Particles, Tomogram, Volume
from subtomo.picking.matching.peaks import find_peaks, suppress
from subtomo.picking.net.compatible_network import BOX
from subtomo.picking.net.compatible_scores import tolerant_peaks
from subtomo.picking.net.saved_net import SavedNet

_CIRCLE = 24.0  # voxels of the box, least distance of the compatible network's picks
_APART = 0.6  # diameters, least distance of the default network's


def pick_scores(
    scores: Sequence[Volume],
    net: SavedNet,
    tomogram: Tomogram,
    *,
    threshold: float | None,
    min_distance: float | None,
    at_most: int,
) -> Particles:
    """Pick the highest places of each class; of two that are too close the better one stays.

    Parameters
    ----------
    scores : of each class
    net : that made them
    tomogram : that they are of
    threshold : least score; None: the net's
    min_distance : Å; None: 0.6 diameters, or the compatible network's circle size
    at_most : picks of a class

    Returns
    -------
    Particles, the highest score first
    """
    distance = _distance(net, tomogram) if min_distance is None else min_distance
    tables = []
    for number, (volume, name) in enumerate(zip(scores, net.class_names, strict=True)):
        least = net.thresholds[number] if threshold is None else threshold
        tables.append(_of_class(volume, net, name, tomogram, least, distance, at_most))
    table = Particles.concatenate(tables)
    table = table.select(np.argsort(-table.score, kind="stable"))
    return table.select(suppress(table.position, distance))


def _distance(net: SavedNet, tomogram: Tomogram) -> float:
    """Least distance of two picks, Å."""
    if net.network == "compatible":
        return _CIRCLE * net.numbers["shrunk"] * tomogram.volume.pixel_size
    return _APART * net.numbers["diameter"]


def _of_class(
    volume: Volume,
    net: SavedNet,
    name: str,
    tomogram: Tomogram,
    least: float,
    distance: float,
    at_most: int,
) -> Particles:
    """Pick the places of one class."""
    data = volume.load()
    if net.network == "compatible":
        index = tolerant_peaks(data, np.nextafter(least, -np.inf)).astype(np.float64)
        height = data[tuple(index.astype(int).T)].astype(np.float64)
        order = np.argsort(-height, kind="stable")
        index, height = index[order], height[order]
        kept = suppress(index, distance / volume.pixel_size, at_most=at_most)
        index, height = index[kept], height[kept]
    else:
        peaks = find_peaks(
            data,
            np.ones(data.shape, dtype=bool),
            min_distance_px=distance / volume.pixel_size,
            at_most=at_most,
            above=float(np.nextafter(least, -np.inf)),
        )
        index, height = peaks.voxel + peaks.offset, peaks.height
    n = len(index)
    px = tomogram.volume.pixel_size
    box = net.numbers.get("shrunk", 0) * BOX or 1.5 * net.numbers["diameter"] / px
    return Particles(
        tomogram=np.full(n, tomogram.name),
        position=volume.index_to_position(index[:, ::-1]),
        class_name=np.full(n, name),
        source=np.full(n, "net"),
        score=height,
        box_size=np.full(n, 2 * int(np.ceil(box / 2))),
    )
