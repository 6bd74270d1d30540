"""The curves that clicks make on the levels of a surface, running alongside one another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, ShapeError
from subtomo.geometry.spline_curve import SplineCurve
from subtomo.picking.surfaces.click_order import is_closed_curve, order_clicks
from subtomo.picking.surfaces.self_crossing import first_crossing

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_SAMPLES = 256
_SAME = 1e-6
"""Clicks closer than this part of the level's extent are one click made twice."""


@dataclass(frozen=True, eq=False)
class LevelCurve:
    """The clicks of one level, in order, and the curve through them.

    Parameters
    ----------
    level : its number
    clicks : (n, 3) Å in order
    curve : through the clicks, or None where the level is a single point (the end of a surface)
    """

    level: int
    clicks: FloatArray
    curve: SplineCurve | None


def level_curves(
    points: FloatArray,
    levels: IntArray,
    *,
    is_closed: bool | None = None,
    is_ordered: bool | None = None,
) -> tuple[list[LevelCurve], bool]:
    """Lay a curve through the clicks of each level.

    Parameters
    ----------
    points : (n, 3) Å, columns x, y, z
    levels : (n,) the level that each click was made on
    is_closed : whether the curves go around; None: judged from the clicks, by the majority
    is_ordered : whether the clicks of a level are in order; None: judged by their path

    Returns
    -------
    curves : in the order of the levels, all in one direction
    is_closed : whether they go around

    Raises
    ------
    ShapeError
        If there is not one level for each point.
    DataError
        If there are fewer than two levels, a level has too few clicks, all lie on one line, or a
        curve crosses itself.
    """
    _check(points, levels)
    ordered = {
        int(level): _ordered(points[levels == level], is_ordered) for level in np.unique(levels)
    }
    if is_closed is None:
        votes = [is_closed_curve(clicks) for clicks in ordered.values() if len(clicks) > 2]
        is_closed = sum(votes) * 2 > len(votes)
    curves = [
        _curve(level, clicks, is_closed=is_closed, is_end=level in (min(ordered), max(ordered)))
        for level, clicks in ordered.items()
    ]
    if sum(one.curve is not None for one in curves) == 0 or len(curves) < 2:
        raise DataError("surface: every level has a single click; a surface needs curves")
    return _in_one_direction(curves, is_closed), is_closed


def _check(points: FloatArray, levels: IntArray) -> None:
    if points.ndim != 2 or points.shape[1] != 3 or levels.shape != points.shape[:1]:
        raise ShapeError(
            f"surface: points have shape {points.shape} and levels {levels.shape}; "
            "expected (n, 3) and (n,)"
        )
    if len(levels) and not np.array_equal(levels, levels.astype(np.int64)):
        first = levels[levels != levels.astype(np.int64)][0]
        raise DataError(f"surface: {first:g} is given as a level; expected whole numbers")
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise DataError(f"surface: click {bad[0] + 1} is {points[bad[0]].tolist()}; remove it")
    n = len(np.unique(levels))
    if n < 2:
        where = f"all {len(points)} clicks are on level {levels[0]}" if len(points) else "no clicks"
        raise DataError(f"surface: {where}; a surface needs clicks on at least two levels")
    check_not_on_a_line(points)


def check_not_on_a_line(points: FloatArray) -> None:
    """Raise a DataError where all points lie on one line (to a thousandth of their extent)."""
    spread = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    if spread[1] <= 1e-3 * spread[0]:
        raise DataError(
            f"surface: all {len(points)} clicks lie on one line; "
            "a surface needs clicks to both sides of it"
        )


def _ordered(clicks: FloatArray, is_ordered: bool | None) -> FloatArray:
    """Clicks of one level in order, those made twice left out."""
    clicks = clicks[order_clicks(clicks, is_ordered)]
    extent = np.ptp(clicks, axis=0).max()
    steps = np.linalg.norm(np.diff(clicks, axis=0), axis=1)
    clicks = clicks[np.concatenate([[True], steps > _SAME * extent])]
    if len(clicks) > 3 and np.linalg.norm(clicks[-1] - clicks[0]) <= _SAME * extent:
        return clicks[:-1]
    return clicks


def _curve(level: int, clicks: FloatArray, *, is_closed: bool, is_end: bool) -> LevelCurve:
    if len(clicks) == 1 and is_end:
        return LevelCurve(level, clicks, None)
    needed = 3 if is_closed else 2
    if len(clicks) < needed:
        kind = "closed curve" if is_closed else "curve"
        raise DataError(
            f"surface: level {level} has {len(clicks)} different clicks; a {kind} needs at least "
            f"{needed}; add some, or remove the level"
        )
    crossing = first_crossing(clicks, is_closed)
    if crossing is not None:
        a, b = (_in_words(clicks, step) for step in crossing)
        raise DataError(
            f"surface: the curve of level {level} crosses itself: {a} crosses {b}; "
            "move or remove a click, or order the clicks along the curve"
        )
    return LevelCurve(level, clicks, SplineCurve.through(clicks, is_closed))


def _in_words(clicks: FloatArray, step: int) -> str:
    ends = (clicks[step], clicks[(step + 1) % len(clicks)])
    return "the piece from ({}) to ({}) Å".format(
        *(", ".join(f"{value:g}" for value in np.round(end, 1)) for end in ends)
    )


def _in_one_direction(curves: list[LevelCurve], is_closed: bool) -> list[LevelCurve]:
    """Turn curves around where that brings them nearer to the one before."""
    result: list[LevelCurve] = []
    before: FloatArray | None = None
    for one in curves:
        if one.curve is None:
            result.append(one)
            continue
        samples = _samples(one.curve)
        if before is not None:
            as_it_is = _mismatch(before, samples, is_closed)
            if _mismatch(before, samples[::-1], is_closed) < as_it_is:
                clicks, samples = one.clicks[::-1], samples[::-1]
                one = LevelCurve(one.level, clicks, SplineCurve.through(clicks, is_closed))
        before = samples
        result.append(one)
    return result


def _samples(curve: SplineCurve) -> FloatArray:
    """Points of a curve at even steps."""
    return curve.at(np.linspace(0.0, curve.length, _SAMPLES, endpoint=not curve.is_closed))


def _mismatch(first: FloatArray, second: FloatArray, is_closed: bool) -> float:
    """Mean squared distance of two curves, at the best start of the second where they go around."""
    if not is_closed:
        return float(((first - second) ** 2).sum(axis=1).mean())
    return float(mismatch_by_start(first, second).min())


def mismatch_by_start(first: FloatArray, second: FloatArray) -> FloatArray:
    """Give the mean squared distance of two closed curves for each start of the second.

    Parameters
    ----------
    first, second : (m, d) at even steps around

    Returns
    -------
    (m,) [k]: with ``second[i + k]`` beside ``first[i]``
    """
    product = np.fft.rfft(second, axis=0) * np.fft.rfft(first, axis=0).conj()
    cross = np.fft.irfft(product, n=len(first), axis=0).sum(axis=1)
    squares = (first**2).sum() + (second**2).sum()
    return np.asarray((squares - 2 * cross) / len(first))
