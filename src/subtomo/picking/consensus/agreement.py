"""Which picks of different pickers stand for the same particle."""

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from subtomo.errors import DataError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_MOST_PAIRS = 30_000_000  # half a gigabyte


def agreeing_picks(points: FloatArray, picker: IntArray, radius: float) -> IntArray:
    """Group picks that are all closer than a radius to one another, at most one of each picker.

    The closest picks come together first (agglomeration by complete linkage), so a group is never
    wider than the radius and the result does not depend on the order of the pickers.

    Parameters
    ----------
    points : (n, 3) positions in one tomogram, any unit
    picker : (n,) number of the picker of each
    radius : in the points' unit; pairs at exactly the radius do not agree

    Returns
    -------
    (n,) number of each pick's group, counted from 0 in the order of the first pick in it
        Where two pairs are equally far apart, the one that comes first in ``points`` wins: sort
        the points to be independent of their order.

    Raises
    ------
    DataError
        If the radius makes nearly everything near everything.
    """
    pairs, distance = _near_pairs(points, picker, radius)
    n = len(points)
    links = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(n, n))
    _, component = connected_components(links, directed=False)
    label = np.where(_are_groups(component, pairs), component, -1)
    open_pairs = label[pairs[:, 0]] < 0
    order = np.lexsort((pairs[:, 1], pairs[:, 0], distance))
    order = order[open_pairs[order]]
    joined = _complete_linkage(pairs[order])
    alone = np.flatnonzero(label < 0)
    label[alone] = n + np.array([joined.get(int(i), int(i)) for i in alone], dtype=np.int64)
    return numbered_by_first(label)


def numbered_by_first(label: IntArray) -> IntArray:
    """Give each label its number, from 0, in the order in which they first come."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse]


def _near_pairs(points: FloatArray, picker: IntArray, radius: float) -> tuple[IntArray, FloatArray]:
    """Pairs (m, 2) of different pickers closer than the radius, and their distances."""
    if len(points) < 2:
        return np.empty((0, 2), dtype=np.int64), np.empty(0)
    tree = cKDTree(points)
    expected = int(tree.count_neighbors(tree, radius)) // 2
    if expected > _MOST_PAIRS:
        raise DataError(
            f"a radius of {radius:g} puts {expected:,} pairs of {len(points):,} picks together; "
            "expected about the distance of two picks of one particle: give a smaller radius"
        )
    pairs = tree.query_pairs(radius, output_type="ndarray").astype(np.int64)
    distance = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    keep = (picker[pairs[:, 0]] != picker[pairs[:, 1]]) & (distance < radius)
    return pairs[keep], distance[keep]


def _are_groups(component: IntArray, pairs: IntArray) -> NDArray[np.bool_]:
    """Tell the points of connected components in which all are near all: groups already."""
    size = np.bincount(component)
    n_pairs = np.bincount(component[pairs[:, 0]], minlength=len(size))
    return np.asarray((n_pairs == size * (size - 1) // 2)[component])


def _complete_linkage(pairs: IntArray) -> dict[int, int]:
    """Join groups once all pairs between them have come, the closest pair first.

    Pairs of one picker never come, so two of its picks are never joined.
    """
    group: dict[int, int] = {}
    members: dict[int, list[int]] = {}
    n_near: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for a, b in pairs.tolist():
        i, j = group.setdefault(a, a), group.setdefault(b, b)
        mine, theirs = members.setdefault(i, [a]), members.setdefault(j, [b])
        n_near[i][j] = n_near[j][i] = n_near[i].get(j, 0) + 1
        if n_near[i][j] < len(mine) * len(theirs):
            continue
        for point in theirs:
            group[point] = i
        members[i] = mine + theirs
        del members[j], n_near[i][j]
        for k, count in n_near.pop(j).items():
            if k == i:
                continue
            n_near[k].pop(j)
            n_near[i][k] = n_near[k][i] = n_near[i].get(k, 0) + count
    return group
