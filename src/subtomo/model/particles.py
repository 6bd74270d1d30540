"""The table of particles."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from subtomo.errors import DataError, ShapeError

_IDENTITY = (0.0, 0.0, 0.0, 1.0)
_ROUNDING = 1e-12  # of a quaternion's length


@dataclass(frozen=True, eq=False)
class Particles:
    """The table of particles: one entry a particle, unknown columns kept.

    Only ``tomogram`` and ``position`` must be given; the rest is filled with "unknown": identity
    orientation that says nothing, empty text, score NaN, half 0, box size 0.

    Parameters
    ----------
    tomogram : (n,) text, the name of the tomogram
    position : (n, 3) Å, columns x, y, z
    orientation : (n, 4) unit quaternions x, y, z, w, reference to tomogram
    is_oriented : (n,) whether the orientation is known; where it is not, it is the identity
        Not given: known where ``orientation`` is given.
    class_name : (n,) text, what it is
    instance : (n,) text, which vesicle, filament ...
    source : (n,) text, which picker
    score : (n,)
    half : (n,) 1 or 2, 0 = not assigned
    box_size : (n,) voxels, a hint; 0 = none
    extra : any other column, by name, one value a particle
    tables : other tables of the file they came from, by name, carried along as they are

    Raises
    ------
    ShapeError
        If a column has another length than ``tomogram``.
    DataError
        If a position is not finite, or a quaternion has no length.
    """

    tomogram: NDArray[np.str_]
    position: NDArray[np.float64]
    orientation: NDArray[np.float64] = None  # type: ignore[assignment]  # filled below
    is_oriented: NDArray[np.bool_] = None  # type: ignore[assignment]
    class_name: NDArray[np.str_] = None  # type: ignore[assignment]
    instance: NDArray[np.str_] = None  # type: ignore[assignment]
    source: NDArray[np.str_] = None  # type: ignore[assignment]
    score: NDArray[np.float64] = None  # type: ignore[assignment]
    half: NDArray[np.int64] = None  # type: ignore[assignment]
    box_size: NDArray[np.int64] = None  # type: ignore[assignment]
    extra: dict[str, NDArray[Any]] = field(default_factory=dict)
    tables: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.tomogram)
        unknown = {
            "is_oriented": np.full(n, self.orientation is not None),
            "orientation": np.tile(_IDENTITY, (n, 1)),
            "class_name": np.full(n, ""),
            "instance": np.full(n, ""),
            "source": np.full(n, ""),
            "score": np.full(n, np.nan),
            "half": np.zeros(n, dtype=np.int64),
            "box_size": np.zeros(n, dtype=np.int64),
        }
        for name, default in unknown.items():
            if getattr(self, name) is None:
                object.__setattr__(self, name, default)
            elif not isinstance(getattr(self, name), np.ndarray):
                object.__setattr__(self, name, np.asarray(getattr(self, name), default.dtype.type))
        object.__setattr__(self, "tomogram", np.asarray(self.tomogram, dtype=np.str_))
        object.__setattr__(self, "position", np.asarray(self.position, dtype=np.float64))
        for name, shape in {"position": (n, 3), "orientation": (n, 4)}.items():
            if getattr(self, name).shape != shape:
                raise ShapeError(
                    f"particles: {name} has shape {getattr(self, name).shape}; expected {shape}"
                )
        for name, column in {**{k: getattr(self, k) for k in unknown}, **self.extra}.items():
            if len(column) != n:
                raise ShapeError(f"particles: {name} has {len(column)} values; expected {n}")
        bad = np.flatnonzero(~np.isfinite(self.position).all(axis=1))
        if len(bad):
            raise DataError(f"particles: row {bad[0]} has position {self.position[bad[0]]}")
        length = np.linalg.norm(self.orientation, axis=1)
        bad = np.flatnonzero(~(length > 0))
        if len(bad):
            raise DataError(f"particles: row {bad[0]} has orientation {self.orientation[bad[0]]}")
        # one that has unit length stays as it is, so that selecting rows changes no digit
        length = np.where(np.abs(length - 1) < _ROUNDING, 1.0, length)
        unit = self.orientation / length[:, None]
        unit[~self.is_oriented] = _IDENTITY
        object.__setattr__(self, "orientation", unit)

    def __len__(self) -> int:
        return len(self.tomogram)

    def select(self, index: Any) -> "Particles":
        """Keep the particles of an index array, slice or mask, in that order."""
        columns = {name: getattr(self, name)[index] for name in _COLUMNS}
        extra = {name: column[index] for name, column in self.extra.items()}
        return Particles(**columns, extra=extra, tables=self.tables)

    def of_tomogram(self, name: str) -> "Particles":
        """Keep the particles of one tomogram."""
        return self.select(self.tomogram == name)

    @property
    def number_in_tomogram(self) -> NDArray[np.int64]:
        """Which of its tomogram's particles each is, counted from 1: (n,)."""
        numbers = np.zeros(len(self), dtype=np.int64)
        for name in np.unique(self.tomogram):
            mine = np.flatnonzero(self.tomogram == name)
            numbers[mine] = np.arange(1, len(mine) + 1)
        return numbers

    def with_columns(self, **columns: Any) -> "Particles":
        """Replace whole columns; a new orientation is known in every row unless told otherwise."""
        if "orientation" in columns:
            columns.setdefault("is_oriented", np.ones(len(self), dtype=bool))
        return replace(self, **columns)

    @staticmethod
    def empty() -> "Particles":
        """Make a table with no rows."""
        return Particles(np.empty(0, dtype=np.str_), np.empty((0, 3)))

    @staticmethod
    def concatenate(tables: Sequence["Particles"]) -> "Particles":
        """Join tables; an extra column that one of them lacks is filled with NaN or ''.

        Of other tables with the same name the first is kept.
        """
        tables = [table for table in tables if len(table)]
        if not tables:
            return Particles.empty()
        names = dict.fromkeys(name for table in tables for name in table.extra)
        extra = {}
        for name in names:
            kind = next(t.extra[name].dtype.kind for t in tables if name in t.extra)
            fill = "" if kind in "US" else np.nan
            extra[name] = np.concatenate(
                [t.extra[name] if name in t.extra else np.full(len(t), fill) for t in tables]
            )
        columns = {name: np.concatenate([getattr(t, name) for t in tables]) for name in _COLUMNS}
        others = {name: other for t in reversed(tables) for name, other in t.tables.items()}
        return Particles(**columns, extra=extra, tables=others)


_COLUMNS = [f.name for f in fields(Particles) if f.name not in ("extra", "tables")]
