"""The parameters of clicks on levels: how far along their curve, and how far across the curves."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError
from subtomo.geometry.spline_curve import SplineCurve
from subtomo.picking.surfaces.level_curves import LevelCurve, mismatch_by_start

FloatArray = NDArray[np.float64]

_SAMPLES = 256


@dataclass(frozen=True, eq=False)
class LevelParameters:
    """Where the clicks lie on the surface to be.

    Parameters
    ----------
    points : (n, 3) Å, the clicks
    u : (n,) Å along the curves; on closed ones it begins again after ``turn``
    v : (n,) Å across them
    ends : (levels, 3): v of each level, and u of the two ends of its curve; on closed ones 0 and
        ``turn``
    turn : once around, or None for open curves
    """

    points: FloatArray
    u: FloatArray
    v: FloatArray
    ends: FloatArray
    turn: float | None


def level_parameters(curves: list[LevelCurve], *, is_closed: bool) -> LevelParameters:
    """Give the clicks of levels their parameters.

    Parameters
    ----------
    curves : in order, in one direction
    is_closed : whether they go around

    Returns
    -------
    LevelParameters
        u is the arc length, shifted on each level so that what lies side by side has the same;
        on closed curves the part of the turn, times the mean length. v adds the mean distances
        from each curve to the next. A level of a single point has all u at once: one row of
        points for each of the curve beside it.

    Raises
    ------
    DataError
        If two levels are the same.
    """
    lengths = [one.curve.length for one in curves if one.curve is not None]
    turn = float(np.mean(lengths)) if is_closed else None
    starts = _starts(curves, turn)
    v = _across(curves, starts, turn)
    ends = np.array([_ends(one, s, w, turn) for one, s, w in zip(curves, starts, v, strict=True)])
    _fill_single_points(curves, ends)
    parts = [_clicks(one, row, turn) for one, row in zip(curves, ends, strict=True)]
    points, u, across = (np.concatenate([part[k] for part in parts]) for k in range(3))
    if turn is not None:
        ends[:, 1:] = 0.0, turn
    return LevelParameters(points, u, across, ends, turn)


def _starts(curves: list[LevelCurve], turn: float | None) -> list[float]:
    """Give u at the first click of each level; 0 for single points."""
    starts: list[float] = []
    before: tuple[SplineCurve, float] | None = None
    for one in curves:
        if one.curve is None:
            starts.append(0.0)
            continue
        shift = 0.0
        if before is not None:
            curve, start = before
            if turn is None:
                shift = start + _open_shift(curve, one.curve)
            else:
                shift = start + _closed_shift(curve, one.curve) * turn
        starts.append(shift)
        before = (one.curve, shift)
    return starts


def _closed_shift(first: SplineCurve, second: SplineCurve) -> float:
    """Part of a turn by which the second starts later than the first."""
    part = np.arange(_SAMPLES) / _SAMPLES
    cost = mismatch_by_start(first.at(part * first.length), second.at(part * second.length))
    k = int(np.argmin(cost))
    return -(k + _vertex(cost[k - 1], cost[k], cost[(k + 1) % _SAMPLES])) / _SAMPLES


def _open_shift(first: SplineCurve, second: SplineCurve) -> float:
    """Arc length by which the second starts later than the first, where they lie side by side.

    Every shift that leaves half of the shorter one beside the other is tried.
    """
    step = min(first.length, second.length) / _SAMPLES * 2
    a = first.at(np.arange(0.0, first.length + step / 2, step))
    b = second.at(np.arange(0.0, second.length + step / 2, step))
    least = max(1, min(len(a), len(b)) // 2)
    shifts = np.arange(least - len(b), len(a) - least + 1)
    squares = ((a[:, None] - b[None]) ** 2).sum(axis=-1)
    cost = np.array([np.diagonal(squares, -shift).mean() for shift in shifts])
    k = int(np.argmin(cost))
    inner = 0 < k < len(cost) - 1
    return float((shifts[k] + (_vertex(*cost[k - 1 : k + 2]) if inner else 0.0)) * step)


def _vertex(left: float, middle: float, right: float) -> float:
    """Where the parabola through three values at -1, 0, 1 is least."""
    bend = left - 2 * middle + right
    return float(0.5 * (left - right) / bend) if bend > 0 else 0.0


def _across(curves: list[LevelCurve], starts: list[float], turn: float | None) -> FloatArray:
    """Mean distances from each curve to the next, added up."""
    gaps = [
        _gap((one, s), (other, t), turn)
        for one, other, s, t in zip(curves, curves[1:], starts, starts[1:], strict=False)
    ]
    for one, other, gap in zip(curves, curves[1:], gaps, strict=False):
        if gap <= 1e-6 * max(np.ptp(one.clicks, axis=0).max(), np.ptp(other.clicks, axis=0).max()):
            raise DataError(
                f"surface: levels {one.level} and {other.level} lie on one another; "
                "remove one of them"
            )
    return np.concatenate([[0.0], np.cumsum(gaps)])


def _gap(
    first: tuple[LevelCurve, float], second: tuple[LevelCurve, float], turn: float | None
) -> float:
    """Mean distance of two levels where both have the same u."""
    ranges = [
        (start, start + (turn or one.curve.length))
        for one, start in (first, second)
        if one.curve is not None
    ]
    u = np.linspace(max(low for low, _ in ranges), min(high for _, high in ranges), 64)
    return float(np.linalg.norm(_at(*first, u, turn) - _at(*second, u, turn), axis=1).mean())


def _at(one: LevelCurve, start: float, u: FloatArray, turn: float | None) -> FloatArray:
    """Points of a level at u."""
    if one.curve is None:
        return np.broadcast_to(one.clicks, (len(u), 3))
    return one.curve.at((u - start) * (one.curve.length / turn if turn else 1.0))


def _ends(one: LevelCurve, start: float, v: float, turn: float | None) -> FloatArray:
    length = 0.0 if one.curve is None else turn or one.curve.length
    return np.array([v, start, start + length])


def _fill_single_points(curves: list[LevelCurve], ends: FloatArray) -> None:
    """Give a single point at an end of the surface the u of the curve beside it."""
    if curves[0].curve is None:
        ends[0, 1:] = ends[1, 1:]
    if curves[-1].curve is None:
        ends[-1, 1:] = ends[-2, 1:]


def _clicks(
    one: LevelCurve, ends: FloatArray, turn: float | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    v, start, end = ends
    if one.curve is None:
        u = np.linspace(start, end, 12, endpoint=turn is None)
        return np.repeat(one.clicks, len(u), axis=0), u, np.full(len(u), v)
    u = start + one.curve.lengths_at_points * (end - start) / one.curve.length
    return one.clicks, u, np.full(len(u), v)
