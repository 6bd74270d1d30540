"""The curve of a membrane on the next level, from the curves on some levels and the image."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import gaussian_filter1d

from subtomo.errors import DataError, SettingsError, ShapeError
from subtomo.geometry.spline_curve import SplineCurve
from subtomo.model import Volume
from subtomo.picking.surfaces.ridge_path import ridge_path
from subtomo.picking.surfaces.slices import Axis, Slices, normals

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LevelProposal:
    """Clicks proposed for a level.

    Parameters
    ----------
    points : (n, 3) Å, columns x, y, z, at the height asked
    agreement : (n,) correlation of what lies across the curve there with what lies across the
        known curves, -1 to 1
    """

    points: FloatArray
    agreement: FloatArray


@dataclass(frozen=True)
class TrackingSettings:
    """How a membrane is looked for.

    Parameters
    ----------
    reach : Å that it may lie to either side of where it is expected, on a slab
    half_width : Å to either side of the membrane that are compared
    thickness : Å of the slabs that are averaged, and between one and the next on the way
    stiffness : how much agreement a step sideways by one voxel costs, from one voxel along the
        curve to the next; higher ones keep its form
    smoothing : Å along the curve, standard deviation, over which the image is averaged
    """

    reach: float = 60.0
    half_width: float = 100.0
    thickness: float = 50.0
    stiffness: float = 0.5
    smoothing: float = 60.0

    def __post_init__(self) -> None:
        for name in ("reach", "half_width", "thickness"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise SettingsError(f"{name} is {getattr(self, name)} Å; expected a length > 0")
        for name in ("stiffness", "smoothing"):
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise SettingsError(f"{name} is {getattr(self, name)}; expected 0 or more")


_DEFAULT = TrackingSettings()


def propose_next_level(
    volume: Volume,
    curves: Sequence[ArrayLike],
    height: float,
    *,
    axis: Axis = "z",
    is_closed: bool = False,
    settings: TrackingSettings = _DEFAULT,
) -> LevelProposal:
    """Follow a membrane from known levels to another one.

    Parameters
    ----------
    volume : the tomogram, of either contrast
    curves : clicks (n, 3) Å, columns x, y, z, in order along the curve, one array for each known
        level; the last is the one to start from
        What the membrane looks like is averaged over all of them; the last two say in which
        direction it leans.
    height : Å along the axis, of the level asked; the last curve's own moves that one's clicks
    axis : that the levels are perpendicular to
    is_closed : whether the curves go around
    settings : how it is looked for

    Returns
    -------
    LevelProposal
        One click for each of the last curve, moved along its normal; to be accepted or not.

    Raises
    ------
    ShapeError
        If a curve is not in three columns.
    DataError
        If there is no curve, or one has too few clicks, or a height is outside the volume.

    Notes
    -----
    From slab to slab, profiles across the curve are correlated with the mean profile of the
    known curves, and the shifts along the normals are the ridge of the correlation.
    """
    slices = Slices(volume, axis)
    slices.require_inside(height)
    known = [_checked(curve) for curve in curves]
    if not known:
        raise DataError("no level has a curve; tracking needs one to start from")
    heights = [float(curve[:, slices.across].mean()) for curve in known]
    lines = [SplineCurve.through(curve[:, slices.plane], is_closed) for curve in known]
    track = _Track(slices, settings, is_closed)
    template = track.template(lines, heights)
    clicks = known[-1][:, slices.plane]
    lean = _lean(lines, heights, clicks)
    agreement = np.ones(len(clicks))
    here = heights[-1]
    n_steps = max(1, int(np.ceil(abs(height - here) / settings.thickness - 1e-9)))
    for there in np.linspace(here, height, n_steps + 1)[1:]:
        moved, agreement = track.step(clicks, lean * (there - here), there, template)
        if there != here:
            lean = 0.5 * (lean + _along_normal(clicks, moved, is_closed) / (there - here))
        clicks, here = moved, float(there)
    points = np.empty((len(clicks), 3))
    points[:, slices.plane], points[:, slices.across] = clicks, height
    return LevelProposal(points, agreement)


@dataclass(frozen=True, eq=False)
class _Track:
    """One membrane being followed through the slices of a volume."""

    slices: Slices
    settings: TrackingSettings
    is_closed: bool

    @property
    def _pixel_size(self) -> float:
        return self.slices.volume.pixel_size

    def _offsets(self, half: float) -> FloatArray:
        """Å to either side, a voxel apart."""
        n = max(1, round(half / self._pixel_size))
        return np.arange(-n, n + 1, dtype=np.float64) * self._pixel_size

    def template(self, lines: list[SplineCurve], heights: list[float]) -> FloatArray:
        """Mean of what lies across the known curves."""
        offsets = self._offsets(self.settings.half_width)
        means = []
        for line, height in zip(lines, heights, strict=True):
            image = self.slices.slab(height, self.settings.thickness)
            s = line.steps(self._pixel_size)
            means.append(self.slices.profiles(image, line, s, offsets).mean(axis=0))
        return np.asarray(np.mean(means, axis=0))

    def step(
        self, clicks: FloatArray, expected: FloatArray, height: float, template: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Move clicks to the membrane on a slab, starting from where it is expected."""
        start = SplineCurve.through(clicks, self.is_closed)
        here = start.lengths_at_points
        line = SplineCurve.through(
            clicks + expected[:, None] * normals(start, here), self.is_closed
        )
        s = line.steps(self._pixel_size)
        scores = self._scores(line, s, height, template)
        shifts = self._offsets(self.settings.reach)
        columns = ridge_path(scores, self.settings.stiffness, is_closed=self.is_closed)
        at = line.lengths_at_points
        period = line.length if self.is_closed else None
        shift = np.interp(at, s, np.interp(columns, np.arange(len(shifts)), shifts), period=period)
        found = scores[np.arange(len(s)), np.round(columns).astype(int)]
        moved = line.at(at) + shift[:, None] * normals(line, at)
        return moved, np.interp(at, s, found, period=period)

    def _scores(
        self, line: SplineCurve, s: FloatArray, height: float, template: FloatArray
    ) -> FloatArray:
        """Correlations with the template for each place along the curve and each shift."""
        offsets = self._offsets(self.settings.half_width)
        shifts = self._offsets(self.settings.reach)
        n_wide = (len(offsets) + len(shifts)) // 2 - 1
        wide = np.arange(-n_wide, n_wide + 1, dtype=np.float64) * self._pixel_size
        image = self.slices.slab(height, self.settings.thickness)
        profiles = self.slices.profiles(image, line, s, wide)
        sigma = self.settings.smoothing / self._pixel_size
        if sigma > 0:
            mode = "wrap" if self.is_closed else "nearest"
            profiles = gaussian_filter1d(profiles, sigma, axis=0, mode=mode)
        windows = np.lib.stride_tricks.sliding_window_view(profiles, len(offsets), axis=1)
        return _correlation(windows, template)


def _correlation(windows: FloatArray, template: FloatArray) -> FloatArray:
    """Correlation coefficient of windows (..., m) with a template (m,); 0 where one is flat."""
    centred = windows - windows.mean(axis=-1, keepdims=True)
    wanted = template - template.mean()
    size = np.linalg.norm(centred, axis=-1) * np.linalg.norm(wanted)
    return np.asarray(np.divide(centred @ wanted, size, out=np.zeros_like(size), where=size > 0))


def _lean(lines: list[SplineCurve], heights: list[float], clicks: FloatArray) -> FloatArray:
    """Å along the normal for each Å of height, at the clicks, from the last two curves."""
    if len(lines) < 2 or heights[-1] == heights[-2]:
        return np.zeros(len(clicks))
    line, before = lines[-1], lines[-2]
    samples = before.at(np.linspace(0.0, before.length, 400))
    nearest = np.linalg.norm(clicks[:, None] - samples[None], axis=-1).argmin(axis=1)
    away = ((clicks - samples[nearest]) * normals(line, line.lengths_at_points)).sum(axis=1)
    return np.full(len(clicks), np.median(away)) / (heights[-1] - heights[-2])


def _along_normal(clicks: FloatArray, moved: FloatArray, is_closed: bool) -> FloatArray:
    """Å that clicks have moved along their normals."""
    line = SplineCurve.through(clicks, is_closed)
    return np.asarray(((moved - clicks) * normals(line, line.lengths_at_points)).sum(axis=1))


def _checked(curve: ArrayLike) -> FloatArray:
    clicks = np.asarray(curve, dtype=np.float64)
    if clicks.ndim != 2 or clicks.shape[1] != 3:
        raise ShapeError(f"curve has shape {clicks.shape}; expected (n, 3)")
    return clicks
